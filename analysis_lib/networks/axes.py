r"""What the axes of a layer's output mean, written as einops patterns.

A pattern names the axes in order: ``n`` clips, ``m`` bodies, ``c`` channels, ``t`` frames, ``v`` joints, or the
layer's own nodes; any other name is a further axis of channels. Axes that are folded into one stand in
brackets, the innermost last: ``(n m) c t v`` is what a block of an STGCN gives, ``n t c`` a GRU, ``n (t v) c`` a
transformer over tokens. Only ``n`` and ``t`` are needed: a layer without ``m`` has fused the bodies, one without
``v`` has mixed the joints.

A network names them by its attribute ``layer_axes``: one pattern, or a mapping from layers to patterns.
Where it does not, `readings` finds the patterns that fit. Which axis holds the clips shows when one clip
is changed, which one the frames when clips grow longer; the rest is told by size. Where two patterns fit,
none is taken: nothing is guessed by position.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, permutations, product

import numpy as np
import torch
from einops import EinopsError, rearrange
from torch import Tensor, nn

from analysis_lib.errors import UserError, cut
from analysis_lib.networks.hooks import captured, evaluating

Groups = tuple[tuple[str, ...], ...]  # the names on each axis

_TOKEN = re.compile(r"\(([^()]*)\)|([^\s()]+)")
_N_CLIPS = 3  # of a probe
#: frames by which clips of twice the length are made longer: of any stride up to 16, some frame more comes out
_LONGER = (0, 1, 2, 4, 8, 16)


def checked_axes(pattern: object, layer: str) -> str:
    """Return a pattern in one spelling; a UserError unless it names every axis once, ``n`` and ``t`` among them.

    >>> checked_axes(" ( n  m) c t v", "gcn")
    '(n m) c t v'
    """
    text = str(pattern)
    groups = _groups(text)
    names = [name for group in groups for name in group]
    known = all(re.fullmatch("[a-z][a-z0-9]*", name) for name in names) and not _TOKEN.sub("", text).strip()
    if not known or len(set(names)) < len(names) or not {"n", "t"} <= set(names):
        raise UserError(
            f"'{cut(text, 60)}' does not name the axes of layer '{layer}'; name each once, n (clips) and t (frames) "
            "among them, as in 'n c t v', '(n m) c t v', 'n t v c', 'n (t v) c', 'n t c'"
        )
    return _pattern(groups)


def named_axes(given: object, layers: Sequence[str]) -> dict[str, str]:
    """Return the pattern of each layer that is given one: by one pattern for all, or a mapping from layers.

    >>> named_axes("n t c", ["a", "b"]), named_axes({"b": "n c t"}, ["a", "b"])
    ({'a': 'n t c', 'b': 'n t c'}, {'b': 'n c t'})
    """
    if not given:
        return {}
    each = dict(given) if isinstance(given, Mapping) else dict.fromkeys(layers, given)
    return {layer: checked_axes(each[layer], layer) for layer in layers if layer in each}


def layer_axes(
    model: nn.Module, shape: Sequence[int], layers: Sequence[str], known: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the pattern of the axes of each layer: as the network names them, else the one that fits.

    Parameters
    ----------
    model : nn.Module
    shape : sequence of int
        (C, T, V, M) of its clips.
    layers : sequence of str
    known : mapping of str to str, optional
        Patterns that are known already.

    Raises
    ------
    UserError
        If no pattern fits a layer, or several do; these are listed.

    Examples
    --------
    >>> net = nn.Sequential(nn.Flatten(3), nn.Conv2d(3, 8, 1))
    >>> layer_axes(net, (3, 10, 5, 1), ["1"])
    {'1': 'n c t v'}
    """
    known = named_axes(getattr(model, "layer_axes", None), layers) | dict(known or {})
    if unknown := [layer for layer in layers if layer not in known]:
        for layer, (came, fits) in readings(model, shape, unknown).items():
            if len(fits) != 1:
                raise UserError(_unclear(layer, came, fits, shape))
            known[layer] = fits[0]
    return {layer: known[layer] for layer in layers}


def _unclear(layer: str, came: str, fits: Sequence[str], shape: Sequence[int]) -> str:
    clips = f"layer '{layer}' gives {came} for {_N_CLIPS} clips of (C, T, V, M) = {tuple(shape)}"
    if not fits:
        sizes = tuple(map(int, re.findall(r"\d+", came)))
        return (
            f"{clips}; it has no axes that can be read as clips, frames and channels: {_class_token(sizes, shape)}"
            "choose another module, or name them, by the attribute `layer_axes` of the network or "
            '-p layer_axes "n c t v"'
        )
    choices = ", ".join(f"'{fit}'" for fit in fits)
    return (
        f"{clips}; that can be read as {choices}: say which, by the attribute `layer_axes` of the network or "
        f'-p layer_axes "{fits[0]}"'
    )


def _class_token(sizes: Sequence[int], shape: Sequence[int]) -> str:
    """Return what cures an axis with one token more than there are frames, or joints in all frames; else nothing."""
    _, n_frames, n_joints, n_bodies = shape
    tokens = {n_frames + 1, n_frames * n_joints + 1, n_frames * n_joints * n_bodies + 1}
    if not tokens & set(sizes):
        return ""
    return (
        "is one token that of the class? hand the others through a module of their own and make that the layer "
        "(self.tap = nn.Identity(); y = torch.cat([y[:, :1], self.tap(y[:, 1:])], 1)); else "
    )


def by_name(
    output: object, axes: str, layer: str, shape: Sequence[int], n_clips: int, n_nodes: int | None = None
) -> Tensor:
    """Return a layer's output as (N, M, C, T, V); M is 1 where bodies are fused, V where joints are mixed.

    Parameters
    ----------
    output : Tensor
    axes : str
        Pattern.
    layer : str
    shape : sequence of int
        (C, T, V, M) of the clips.
    n_clips : int
    n_nodes : int, optional
        Nodes of the layer; by default the joints.

    Raises
    ------
    UserError
        If the output does not fit the pattern.

    Examples
    --------
    >>> by_name(torch.zeros(4, 6, 5, 8), "(n m) t v c", "gcn", (3, 12, 5, 2), n_clips=2).shape
    torch.Size([2, 2, 8, 6, 5])
    """
    if output is None:
        raise UserError(f"layer '{layer}' is not called in a forward pass; leave it out")
    _, n_frames, n_joints, n_bodies = shape
    groups = _groups(axes)
    names = [name for group in groups for name in group]
    folded = {name for group in groups if len(group) > 1 for name in group}
    sizes = {"n": n_clips, "m": n_bodies} | ({"v": n_nodes or n_joints} if "v" in folded else {})
    channels = " ".join(name for name in names if name not in "nmtv")
    wanted = ["n", "m", f"({channels})", "t", "v"]
    wanted = ["1" if axis == "()" or (len(axis) == 1 and axis not in names) else axis for axis in wanted]
    came = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
    cure = _class_token(came, shape) if isinstance(output, Tensor) else ""
    try:
        found = rearrange(output, f"{axes} -> {' '.join(wanted)}", **{k: s for k, s in sizes.items() if k in names})
    except (EinopsError, RuntimeError, TypeError) as error:
        raise UserError(
            f"layer '{layer}' gave {came} for {n_clips} clips of {n_joints} joints and {n_bodies} bodies; "
            f"that is not '{axes}': {cure}name its axes by `layer_axes`, or choose another module"
        ) from error
    if found.shape[3] > n_frames:
        raise UserError(
            f"layer '{layer}' gave {came}: read as '{axes}' that is {found.shape[3]} frames of clips of {n_frames}; "
            f"{cure}name its axes otherwise by `layer_axes`"
        )
    return found


def readings(
    model: nn.Module, shape: Sequence[int], layers: Sequence[str], named: Mapping[str, str] | None = None
) -> dict[str, tuple[str, tuple[str, ...]]]:
    r"""Return, for each layer, what it gives for three clips, and which patterns that can be read as.

    Three clips of noise are passed, and passed again with one of them changed: the axis of clips is the one
    on which the changes part. So it is with bodies, unless they have been mixed. Then one clip is passed at
    growing lengths: the frames are on the axis that grows, by no more than the clip does. A layer that
    takes clips of one length alone leaves that to size: any axis no longer than the clip may hold the
    frames. Joints are on an axis of V, or of as many nodes as ``layer_nodes`` has; channels on one that
    keeps its size.

    Parameters
    ----------
    model : nn.Module
    shape : sequence of int
        (C, T, V, M) of its clips.
    layers : sequence of str
    named : mapping of str to str, optional
        Patterns that are known: the only ones that may fit these layers.

    Returns
    -------
    dict
        (what came, patterns that fit) by layer; a layer that gives no tensor fits none.

    Raises
    ------
    UserError
        If what a layer gives for other clips, or more frames, is against its named pattern.
    """
    base, changes, longer = _probes(model, shape, layers)
    named = named or {}
    found = {}
    for layer in layers:
        given = base.get(layer)
        if not isinstance(given, Tensor):
            found[layer] = ("nothing" if given is None else type(given).__name__, ())
            continue
        sizes = {t: outputs[layer].shape for t, outputs in longer.items() if isinstance(outputs.get(layer), Tensor)}
        known = {"n": 1, "m": shape[3], "v": node_count(model, layer, shape[2])}
        moved = {name: [_moved(given, other[layer]) for other in others] for name, others in changes.items()}
        fits = [
            _pattern(groups)
            for groups in _candidates(given.ndim, shape[3])
            if _keeps_sizes(groups, sizes, known)
            and all(_parts(name, groups, given.shape, moved, known) for name in "nm")
        ]
        came = str(tuple(given.shape))
        if layer in named:
            by_name(given, named[layer], layer, shape, _N_CLIPS, known["v"])
            groups = _groups(named[layer])
            if not (_is_steady(groups, sizes) and _parts("n", groups, given.shape, moved, known)):
                raise UserError(
                    f"the axes of layer '{layer}' are named '{named[layer]}', but of its output {came} another axis "
                    f"grows with the frames, or changes with the clip; what fits is {' or '.join(fits) or 'unknown'}"
                )
            fits = [named[layer]]
        found[layer] = (came, tuple(fits))
    return found


def node_count(model: nn.Module, layer: str, n_joints: int) -> int:
    """Return how many nodes a layer has: as many as its ``layer_nodes`` says, else the joints."""
    weights = getattr(model, "layer_nodes", {})
    return len(weights[layer]) if layer in weights else n_joints


@torch.no_grad()
def _probes(model: nn.Module, shape: Sequence[int], layers: Sequence[str]):
    """Return the outputs for three clips, for these with each clip (n) or body (m) changed, and by length for one."""
    n_channels, n_frames, n_joints, n_bodies = shape
    noise = torch.Generator().manual_seed(0)

    def passed(x: Tensor, whole: bool = True) -> dict[str, object]:
        with captured(model, layers) as outputs:
            try:
                model(x.clone())
            except Exception:  # of any kind: the code is not ours, and need not take other lengths to its end
                if whole:
                    raise
            return dict(outputs)

    with evaluating(model):
        x = torch.randn(_N_CLIPS, n_channels, n_frames, n_joints, n_bodies, generator=noise)
        base, other = passed(x), torch.randn(x.shape, generator=noise)
        clip, body = torch.arange(_N_CLIPS).view(-1, 1, 1, 1, 1), torch.arange(n_bodies)
        changes = {
            "n": [passed(torch.where(clip == i, other, x)) for i in range(_N_CLIPS)],
            "m": [passed(torch.where(body == i, other, x)) for i in range(n_bodies)],
        }
        lengths = (2 * n_frames + more for more in _LONGER)
        longer = {t: passed(torch.randn(1, n_channels, t, n_joints, n_bodies, generator=noise), False) for t in lengths}
        longer[n_frames] = passed(x[:1])
    return base, changes, longer


def _moved(one: Tensor, other: object) -> list[np.ndarray]:
    """Return, for each axis, at which of its places two outputs differ."""
    if not isinstance(other, Tensor) or other.shape != one.shape:
        return []
    differ = ((one - other).abs() > 1e-6 * one.abs().max()).numpy()
    return [differ.any(axis=tuple(k for k in range(differ.ndim) if k != axis)) for axis in range(differ.ndim)]


def _candidates(n_axes: int, n_bodies: int) -> Iterator[Groups]:
    """Yield all ways to put clips, frames and channels, perhaps bodies and joints, on so many axes.

    The channels have an axis of their own.
    """
    bodies = [(), ("m",)] if n_bodies > 1 or n_axes > 4 else [()]
    for others in (("n", "t", *m, *v) for m in bodies for v in [(), ("v",)]):
        for places in product(range(n_axes), repeat=len(others)):
            free = set(range(n_axes)) - set(places)
            if len(free) == 1:
                groups = [
                    [name for name, at in zip(others, places, strict=True) if at == axis] for axis in range(n_axes)
                ]
                groups[free.pop()] = ["c"]
                yield from product(*map(permutations, groups))


def _keeps_sizes(groups: Groups, sizes: Mapping[int, torch.Size], known: Mapping[str, int]) -> bool:
    """Return whether the outputs for one clip, by its number of frames, have the sizes that the names ask for."""
    frames, channels = {}, set()
    for n_frames, shape in sizes.items():
        if len(shape) != len(groups):
            return False
        for group, size in zip(groups, shape, strict=True):
            rest, remainder = divmod(size, int(np.prod([known.get(name, 1) for name in group])))
            if remainder or ("t" not in group and "c" not in group and rest != 1):
                return False
            if "t" in group:
                frames[n_frames] = rest
            if "c" in group:
                channels.add(rest)
    lengths = sorted(frames)
    grows = [(b - a, frames[b] - frames[a]) for a, b in pairwise(lengths)]
    return (
        len(channels) == 1
        and all(1 <= frames[n] <= n for n in lengths)
        and frames[lengths[-1]] > 1
        and all(0 <= more <= by for by, more in grows)
        and (not grows or any(more for _, more in grows))
    )


def _is_steady(groups: Groups, sizes: Mapping[int, torch.Size]) -> bool:
    """Return whether the axes without frames keep their size, however many frames there are."""
    return all(len({size[k] for size in sizes.values()}) == 1 for k, group in enumerate(groups) if "t" not in group)


def _parts(
    name: str, groups: Groups, shape: torch.Size, moved: Mapping[str, Sequence], known: Mapping[str, int]
) -> bool:
    """Return whether a change of one clip (n), or body (m), moves only what the names say is its own."""
    if not any(name in group for group in groups):
        return True
    axis = next(k for k, group in enumerate(groups) if name in group)
    sizes = [(known | {"n": _N_CLIPS}).get(each, -1) for each in groups[axis]]
    try:
        own = np.moveaxis(np.arange(shape[axis]).reshape(sizes), groups[axis].index(name), 0)
    except ValueError:
        return False
    seen = [np.flatnonzero(by_axis[axis]) if by_axis else np.array([]) for by_axis in moved[name]]
    return all(len(places) and np.isin(places, own[i]).all() for i, places in enumerate(seen))


def _groups(pattern: str) -> Groups:
    return tuple(tuple((inner or single).split()) for inner, single in _TOKEN.findall(pattern))


def _pattern(groups: Groups) -> str:
    """Return the pattern of names on axes.

    >>> _pattern((("n", "m"), ("c",), ("t",)))
    '(n m) c t'
    """
    return " ".join(group[0] if len(group) == 1 else f"({' '.join(group)})" for group in groups)
