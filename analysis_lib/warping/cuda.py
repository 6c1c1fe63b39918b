"""Windowed DTW on a CUDA device: one matrix product a tile, then anti-diagonals of all its pairs.

Clips are packed, and costs and lengths of paths counted in one integer, as for the compiled kernels
(`analysis_lib.warping.kernels`); only the order of the work is another. Nothing waits for the device
but the packing of a block of clips and the return of a strip of distances.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from analysis_lib.errors import UserError
from analysis_lib.warping.kernels import LANES
from analysis_lib.warping.tiles import Clips, Crew, Panel, Rule

SIDE = 256  # clips of a block, at most: pairs enough to keep a device busy
LARGEST = 2**33  # bytes of a tile: 32 bits suffice to index its cells
SPARE = 4  # blocks: the column at hand and the next, what it is packed from, and a flipped window


def fill(
    out: np.ndarray,
    left: Clips,
    right: Clips,
    rule: Rule,
    max_memory: int,
    crew: Crew,
    done: Callable[[int], None],
    device: str,
) -> None:
    """Write the distances as `analysis_lib.warping.local.fill` does, but for the rounding of the products.

    At most ``max_memory`` bytes are held on the device; a block of clips on the host comes on top.

    Parameters
    ----------
    device : str
        ``"cuda"``, ``"cuda:1"``; also ``"cpu:0"``, where the compiled kernels are faster.

    Raises
    ------
    UserError
        If there is no such device, or ``max_memory`` is too little for a few clips.
    """
    place, symmetric = checked_device(device), left is right
    pack = lambda clips, blocks: Block.packed(clips, rule, blocks, crew, place)  # noqa: E731
    with torch.inference_mode(), full_precision(place):
        for rows, columns, values, n_new in _strips(left, right, rule, symmetric, max_memory, pack):
            out[np.ix_(rows, columns)] = values
            if symmetric:
                out[np.ix_(columns, rows)] = values.T
            done(n_new)


def checked_device(name: str) -> torch.device:
    """Return the device of that name, or raise UserError if it cannot be used."""
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda"):
        raise UserError(f"device must be 'cpu', 'cuda' or 'cuda:1' and so on, got '{name}'")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(
            f"there is no device '{name}': PyTorch {torch.__version__} finds "
            f"{torch.cuda.device_count()} CUDA devices; take device='cpu', or a PyTorch with CUDA"
        )
    return device


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Keep products from factors of fewer bits (TF32, autocast), which the caller may allow."""
    matmul = torch.backends.cuda.matmul
    name, value = "fp32_precision", "ieee"
    if not hasattr(matmul, name):  # before PyTorch 2.9
        name, value = "allow_tf32", False
    before = getattr(matmul, name)
    setattr(matmul, name, value)
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        setattr(matmul, name, before)


def sizes(rule: Rule, max_memory: int) -> tuple[int, int]:
    """Return how many clips make a block, and how many blocks of rows are held, in that memory."""
    item, work = rule.dtype.itemsize, np.dtype(rule.work_dtype).itemsize
    clip = item * (rule.n_features + 2) * rule.n_frames
    edge = rule.longest + 1
    pair = edge**2 * (item + work + 1) + 2 * edge * work + 64  # product, table, band; diagonals
    for side in range(SIDE, 0, -LANES):
        tile, block = side**2 * pair, side * (clip + 3 * item * side)
        needed = tile + 2 * SPARE * block
        if tile <= LARGEST and needed <= max_memory:
            return side, (max_memory - tile) // block - SPARE
    raise UserError(
        f"max_memory of {max_memory / 2**20:.0f} MiB is too little for clips of {rule.n_frames} "
        f"frames with {rule.n_features} features; {-(-needed // 2**20)} MiB suffice"
    )


class Block(NamedTuple):
    """Some clips on the device; of each window the frames (h, clips, D), padded, and lengths."""

    ids: np.ndarray
    counts: list[Tensor]  # (clips,)
    frames: list[Tensor]
    shifts: list[Tensor]  # (h, clips), see `analysis_lib.warping.kernels.pack`

    @classmethod
    def packed(cls, clips: Clips, rule: Rule, blocks: range, crew: Crew, device: torch.device) -> "Block":
        """Pack some blocks of lanes on the host, and move them to the device."""
        panel = Panel.packed(clips, rule, blocks, crew)
        rows, shifts = (torch.from_numpy(a).to(device) for a in (panel.rows, panel.shifts))
        block, lane = np.divmod(np.arange(len(panel.ids)), LANES)
        counts, frames, offsets = [], [], []
        for starts, lengths in zip(panel.starts, panel.counts, strict=True):
            t = np.arange(lengths.max())[:, None]
            found = np.where(t < lengths, starts[block] + t * LANES + lane, 0)  # padding: any row
            index = torch.from_numpy(found).to(device)
            counts.append(torch.from_numpy(lengths).to(device))
            frames.append(rows[index])
            offsets.append(shifts[index])
        return cls(panel.ids, counts, frames, offsets)


def _strips(left: Clips, right: Clips, rule: Rule, symmetric: bool, max_memory: int, pack):
    """Yield (ids of rows, ids of columns, distances, number of new pairs), one block of columns.

    As many blocks of rows as fit are held, and those of columns pass by.
    """
    side, room = sizes(rule, max_memory)
    above, beside = (
        [range(i, min(i + side // LANES, clips.n_blocks)) for i in range(0, clips.n_blocks, side // LANES)]
        for clips in (left, right)
    )
    for top in range(0, len(above), room):
        held = [pack(left, blocks) for blocks in above[top : top + room]]
        for place, blocks in enumerate(beside[top if symmetric else 0 :]):
            on_diagonal = symmetric and place < len(held)
            column = held[place] if on_diagonal else pack(right, blocks)
            rows = held[: place + 1] if symmetric else held
            values = strip(rows, column, rule, on_diagonal).cpu().numpy()
            known = len(column.ids) * (len(column.ids) + 1) // 2 if on_diagonal else 0
            yield np.concatenate([r.ids for r in rows]), column.ids, values, values.size - known
        del held, rows  # before the next are packed


def strip(rows: list[Block], column: Block, rule: Rule, on_diagonal: bool) -> Tensor:
    """Return the distances of the clips of all rows to those of a column, on the device.

    On the diagonal the last of the rows is the column itself, and the result symmetric there.
    """
    found = [_tile(row, column, rule) for row in rows]
    if on_diagonal:
        upper = found[-1].triu(1)
        found[-1] = upper + upper.T
    return torch.cat(found)


def _tile(left: Block, right: Block, rule: Rule) -> Tensor:
    """Return the distances of two blocks, shape (a, b)."""
    total = torch.zeros(len(left.ids), len(right.ids), dtype=torch.float64, device=left.counts[0].device)
    used = torch.zeros_like(total)  # weight of the windows that are not empty in both
    for w, alpha in enumerate(rule.alpha.tolist()):
        n_a, n_b = left.counts[w][:, None], right.counts[w]
        steps = n_a + n_b
        value = steps.double()  # where one is empty or both
        used.add_((steps > 0).double(), alpha=alpha)
        if len(left.frames[w]) and len(right.frames[w]):
            both = (n_a > 0) & (n_b > 0)
            end = _ends(_table(left, right, w, rule), n_a, n_b)
            value = torch.where(both, (end >> rule.bits).double() * rule.unit, value)
            if rule.normalise == "path":
                steps = torch.where(both, end & ((1 << rule.bits) - 1), steps)
        if rule.normalise != "none":
            value = value / steps.clamp(min=1)
        total.add_(value, alpha=alpha)
    return (total / used).to(getattr(torch, rule.dtype.name))


def _table(left: Block, right: Block, w: int, rule: Rule) -> Tensor:
    """Return the costs of one step onto each cell, in quanta, shape (h + 1, a, g + 1, b).

    The frames of the right clips come last to first, so that an anti-diagonal is a diagonal. Before
    the first frames lies a border that no path crosses but at the corner.
    """
    rows, columns = left.frames[w], right.frames[w].flip(0)
    (h, a, _), (g, b, _) = rows.shape, columns.shape
    product = (rows.flatten(0, 1) @ columns.flatten(0, 1).T).view(h, a, g, b)
    product.neg_().add_(left.shifts[w][:, :, None, None]).add_(right.shifts[w].flip(0))
    product.clamp_(0, 2.0**rule.resolution).add_(0.5)
    work = getattr(torch, np.dtype(rule.work_dtype).name)
    table = torch.empty(h + 1, a, g + 1, b, dtype=work, device=rows.device)
    table[0] = table[:, :, g] = torch.iinfo(work).max
    table[0, :, g] = 0
    step = table[1:, :, :g]
    step.copy_(product).mul_(1 << rule.bits).add_(1 if rule.bits else 0)
    if rule.band is not None:
        i, j = (torch.arange(n, device=rows.device) for n in (h, g))
        apart = (i[:, None] - j.flip(0)).abs()[:, None, :, None]
        radius = (left.counts[w][:, None] - right.counts[w]).abs().clamp(min=rule.band)
        outside = (1 << rule.resolution) + 1 << rule.bits  # a cell's; no detour has fewer cells
        step.masked_fill_(apart > radius[:, None], outside)
    return table


def _ends(table: Tensor, n_a: Tensor, n_b: Tensor) -> Tensor:
    """Accumulate a table of costs, and return what each pair's path has cost at its end, (a, b)."""
    height, a, width, b = table.shape
    here, above = table[1:, :, :-1], table[:-1, :, :-1]
    before, corner = table[1:, :, 1:], table[:-1, :, 1:]
    for k in range(width - 2, 1 - height, -1):  # one anti-diagonal of all pairs at a time
        cells, *ways = (x.diagonal(k, 0, 2) for x in (here, above, before, corner))
        cells += torch.minimum(torch.minimum(ways[0], ways[1]), ways[2])
    i, j = (torch.arange(n, device=table.device) for n in (a, b))
    return table[n_a, i[:, None], width - 1 - n_b, j].long()
