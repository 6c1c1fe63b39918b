"""Windowed DTW on several machines: the tiles of the local run as tasks of dask.distributed.

Panels of packed frames are spread over the workers once, and each task matches two of them. What a
lost worker held or had in hand is sent and done again.
"""

import asyncio
import logging
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import NamedTuple

import numpy as np
from distributed import CancelledError, Client, Future, KilledWorker, LocalCluster, Security, wait
from distributed.comm import CommClosedError, connect
from threadpoolctl import threadpool_info

from analysis_lib.errors import UserError
from analysis_lib.results.digest import module_digest
from analysis_lib.warping.kernels import LANES
from analysis_lib.warping.local import n_in, room_for
from analysis_lib.warping.tiles import GROUP, Clips, Crew, Panel, Rule, Tile, match, tiles

PACKAGES = ("numba", "numpy", "scipy", "stgbook")  # that the numbers come from
CODE = module_digest(__name__)
TASKS, AHEAD = 4, 2  # tasks a thread: in all, at least, and at a time
ANSWER, PATIENCE = 5.0, 60.0  # seconds that a scheduler has to answer, and a worker to turn up
LOSSES = 5  # times that a task may be lost with a worker


class Parcel(NamedTuple):
    """Some tiles of a panel of rows and a panel of columns, each (0 or 1 for the clips, blocks)."""

    rows: tuple[int, range]
    columns: tuple[int, range]
    tiles: list[Tile]


def fill(
    out: np.ndarray,
    left: Clips,
    right: Clips,
    rule: Rule,
    max_memory: int,
    crew: Crew,
    done: Callable[[int], None],
    scheduler: str | Client,
) -> None:
    """Write the distances as `analysis_lib.warping.local.fill` does, bit for bit if nothing else differs.

    That is processors, BLAS kernels and versions. The panels of a task take at most ``max_memory``
    bytes, and all workers together hold the frames.
    """
    clips, symmetric = (left, right), left is right
    with connected(scheduler, crew.size) as client:
        n_tasks = TASKS * _n_threads(client)
        check_workers(client)
        parcels = divided(*clips, rule, symmetric, max_memory, n_tasks)
        pack = lambda side, blocks: Panel.packed(clips[side], rule, blocks, crew)  # noqa: E731
        ask = partial(match_panels, rule=rule, symmetric=symmetric, code=CODE)
        for parcel, block in _answers(client, parcels, pack, ask):
            for tile in parcel.tiles:
                _write(out, block, parcel, tile, clips)
                done(n_in(tile, out.shape, symmetric))


@contextmanager
def connected(scheduler: str | Client, n_workers: int) -> Iterator[Client]:
    """Yield a client of a scheduler; ``"local"`` is a cluster of processes that ends with it.

    Raises
    ------
    UserError
        If nobody answers at the address.
    """
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what goes wrong we say ourselves, in one line
    if isinstance(scheduler, Client):
        yield scheduler
    elif scheduler == "local":
        with (
            LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address="127.0.0.1:0") as local,
            Client(local) as client,
        ):
            yield client
    else:
        try:
            with ThreadPoolExecutor(1) as aside:  # a notebook's own thread has a loop that runs
                aside.submit(asyncio.run, _greet(scheduler)).result()
            client = Client(scheduler, timeout=ANSWER)
        except Exception as error:  # whatever speaks there, if anyone
            reason = f"silent for {ANSWER:g} s" if isinstance(error, TimeoutError) else error
            raise UserError(
                f"no Dask scheduler answers at '{scheduler}' ({reason}); give 'local', or the address that "
                "`dask scheduler` prints, such as tcp://host:8786 (8787 is its dashboard's, for browsers)"
            ) from error
        with client:
            yield client


async def _greet(scheduler: str) -> None:
    """Exchange greetings with a scheduler, within the time that it has: a `Client` would wait for ever."""
    async with asyncio.timeout(ANSWER):
        comm = await connect(scheduler, timeout=ANSWER, **Security().get_connection_args("client"))
    comm.abort()


def check_scheduler(scheduler: str) -> None:
    """Raise UserError if nobody answers at an address, or the machines there have other versions."""
    if scheduler != "local":
        with connected(scheduler, n_workers=0) as client:
            check_workers(client)


def check_workers(client: Client) -> None:
    """Raise UserError if a machine has other versions of what the numbers come from.

    Warns if a worker's BLAS takes other kernels than this process's.
    """
    found = client.get_versions(packages=PACKAGES)
    ours = found["client"]["packages"]
    for place, theirs in {"the scheduler": found["scheduler"], **found["workers"]}.items():
        for name in PACKAGES:
            if theirs["packages"].get(name) != ours[name]:
                raise UserError(
                    f"{place} has {name} {theirs['packages'].get(name)}, but this machine has "
                    f"{ours[name]}; install the same requirements.lock on every machine"
                )
    for worker, kernels in client.run(blas_kernels).items():
        if kernels != blas_kernels():
            warnings.warn(
                f"{worker} multiplies with {kernels} kernels, this process with "
                f"{blas_kernels()}: last digits may differ",
                stacklevel=2,
            )


def blas_kernels() -> str:
    """Return the names of the kernels that the BLAS libraries of this process take."""
    found = {library["architecture"] for library in threadpool_info() if "architecture" in library}
    return ", ".join(sorted(found))


def divided(left: Clips, right: Clips, rule: Rule, symmetric: bool, max_memory: int, n_wanted: int) -> list[Parcel]:
    """Return the tiles of all pairs in parcels: of panels as large as give so many parcels.

    Panels consist of whole groups, so that the grid of tiles is that of the local run. Where these
    are too few, the tiles of two panels are dealt out to several parcels.
    """
    counts, group = (left.n_blocks, right.n_blocks), rule.blocks(GROUP)
    n_pairs = lambda a, b: a * (a + 1) // 2 if symmetric else a * b  # noqa: E731
    size = room_for(rule, max_memory, n_jobs=1) // 2 // group * group
    while size > group and n_pairs(*(-(-n // size) for n in counts)) < n_wanted:
        size -= group
    cuts = [[range(i, min(n, i + size)) for i in range(0, n, size)] for n in counts]
    pairs = [(a, b) for a in cuts[0] for b in cuts[1] if not symmetric or b.start >= a.start]
    parts = -(-n_wanted // len(pairs))
    dealt = [
        ((0, a), (0 if symmetric else 1, b), tiles(rule, a, b, symmetric)[part::parts])
        for a, b in pairs
        for part in range(parts)
    ]
    return [Parcel(*parcel) for parcel in dealt if parcel[-1]]


def match_panels(left: Panel, right: Panel, cells: np.ndarray, rule: Rule, symmetric: bool, code: str) -> np.ndarray:
    """Return the distances of the clips of two panels, at some tiles; runs on a worker."""
    if code != CODE:
        raise UserError(
            "a worker runs other code of stgbook than this process; install the same on "
            "every machine and start both anew"
        )
    left, right = _own(left), _own(right)
    out = np.zeros((len(left.ids), len(right.ids)), rule.dtype)
    found = [Tile(*cell) for cell in cells.tolist()]
    on_diagonal = [symmetric and tile.top == tile.start for tile in found]
    with Crew(1) as crew:  # of one, as a worker runs a task in each of its threads
        for mirrored in (True, False):
            some = [t for t, d in zip(found, on_diagonal, strict=True) if d == mirrored]
            match(left, right, rule, some, mirrored, out, crew)
    return out


def _own(panel: Panel) -> Panel:
    """Return a panel whose clips are counted from 0, in arrays for which the kernels are compiled."""
    arrays = (np.require(a, requirements=["C", "W"]) for a in panel[:-2])
    return Panel(*arrays, np.arange(len(panel.ids)), panel.first)


def _write(out: np.ndarray, block: np.ndarray, parcel: Parcel, tile: Tile, clips: tuple[Clips, Clips]) -> None:
    """Copy one tile of a parcel's answer into the result."""
    a = clips[0].order[tile.top * LANES : tile.bottom * LANES]
    b = clips[1].order[tile.start * LANES : tile.stop * LANES]
    (_, rows), (_, columns) = parcel.rows, parcel.columns
    top, start = (tile.top - rows.start) * LANES, (tile.start - columns.start) * LANES
    values = block[top : top + len(a), start : start + len(b)]
    out[np.ix_(a, b)] = values
    if clips[0] is clips[1]:
        out[np.ix_(b, a)] = values.T


def _answers(
    client: Client, parcels: list[Parcel], pack: Callable[[int, range], Panel], ask: Callable[..., np.ndarray]
) -> Iterator[tuple[Parcel, np.ndarray]]:
    """Yield each parcel with its answer, as they come, a few in hand at a time."""
    waiting, running, sent, losses = deque(range(len(parcels))), {}, {}, Counter()
    while waiting or running:
        room = AHEAD * _n_threads(client) - len(running)
        lost = []
        for i in [waiting.popleft() for _ in range(min(room, len(waiting)))]:
            try:
                running[_asked(client, parcels[i], sent, pack, ask)] = i
            except OSError:  # a worker was lost that nobody has missed yet
                lost.append(i)
        for future in _settled(running):
            i = running.pop(future)
            try:
                yield parcels[i], future.result()
            except (CancelledError, CommClosedError):  # a panel was lost with its worker, or the scheduler is gone
                lost.append(i)
            except KilledWorker:
                losses[i] = LOSSES
                lost.append(i)
        losses.update(lost)
        waiting.extendleft(lost)
        if any(losses[i] > LOSSES for i in lost):
            raise UserError(
                "workers were lost again and again at one task; have they the memory? "
                "start them with fewer threads, or give a smaller max_memory"
            )


def _asked(client: Client, parcel: Parcel, sent: dict, pack: Callable, ask: Callable) -> Future:
    """Return the future answer to a parcel, after sending those of its panels that nobody has."""
    *sides, cells = parcel
    for side in sides:
        if side not in sent or sent[side].status != "finished":
            [sent[side]] = client.scatter([pack(*side)], hash=False)
    return client.submit(ask, *(sent[side] for side in sides), np.array(cells), pure=False)


def _settled(running: dict[Future, int]) -> list[Future]:
    """Return the tasks that are no longer under way, after a second at most."""
    with suppress(TimeoutError, CancelledError):
        wait(list(running), timeout=1, return_when="FIRST_COMPLETED")
    return [future for future in running if future.status != "pending"]


def _n_threads(client: Client) -> int:
    """Return the number of threads of all workers, after waiting for a worker if there is none."""
    address = client.scheduler.address
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
        return sum(client.nthreads().values())
    except TimeoutError:
        raise UserError(
            f"the Dask scheduler at {address} had no worker for {PATIENCE:.0f} s; "
            f"start one on each machine: dask worker {address}"
        ) from None
    except OSError as error:
        raise UserError(
            f"the Dask scheduler at {address} has gone away ({error}); start it anew, and run again"
        ) from error
