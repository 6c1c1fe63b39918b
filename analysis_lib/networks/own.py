"""A network that was made elsewhere: kept to the contract of ours, and its weights read without running anything.

The library calls every network as ``scores = model(x)``, with clips (N, C, T, V, M) of float32 and scores
(N, n_classes). `adopted` sees to that once, with hooks on the network itself, so that nothing that calls it
later need know.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from analysis_lib.errors import DataError, UserError, cut
from analysis_lib.loading import check_finite
from analysis_lib.networks.hooks import evaluating
from analysis_lib.words import code_of

#: modules that hold the network proper in an attribute: of several devices, or compiled
_WRAPPERS = {"DataParallel": "module", "DistributedDataParallel": "module", "OptimizedModule": "_orig_mod"}
_N_CLIPS = 3  # of the pass that shows what a network gives


def adopted(model: object, name: str, shape: Sequence[int], n_classes: int) -> tuple[nn.Module, tuple[str, ...]]:
    """Return a network that takes float32 clips and gives scores, and sentences that say how it is read.

    What wraps it for several devices is taken off. Clips are handed to it in its own precision. Scores may
    be one of several things that it gives: the one of two axes with a column a class.

    Parameters
    ----------
    model : nn.Module
        Changed in place.
    name : str
    shape : sequence of int
        (C, T, V, M) of the clips.
    n_classes : int

    Raises
    ------
    UserError
        If it is no network, cannot take such clips, or gives no scores.

    Examples
    --------
    >>> class Pair(nn.Linear):
    ...     def forward(self, x):
    ...         return super().forward(x.flatten(1)), x
    >>> net, notes = adopted(Pair(12, 5, dtype=torch.double), "mine", (1, 3, 4, 1), 5)
    >>> net(torch.zeros(2, 1, 3, 4, 1)).shape, notes
    (torch.Size([2, 5]), ('Of what the network gives the first is read as its scores.',))
    """
    if not isinstance(model, nn.Module):
        raise UserError(f"{name} returned {type(model).__name__}; a torch.nn.Module is needed")
    while type(model).__name__ in _WRAPPERS:
        model = getattr(model, _WRAPPERS[type(model).__name__])
    model = model.cpu().eval()
    kinds = {p.dtype for p in model.parameters() if p.is_floating_point()} - {torch.float32}
    if kinds:
        model.register_forward_pre_hook(partial(_in_precision, dtype=max(kinds, key=lambda kind: kind.itemsize)))
    given = _given(model, name, shape)
    if isinstance(given, Tensor):
        if given.ndim != 2 or len(given) != _N_CLIPS:
            raise UserError(
                f"{name} gives {tuple(given.shape)} for {_N_CLIPS} clips; scores of shape (clips, classes) are needed"
            )
        return model, ()
    place = _score_place(given, name, n_classes)
    model.register_forward_hook(partial(_scores, place=place))
    what = "the first" if place == 0 else f"number {place + 1}" if isinstance(place, int) else code_of(place)
    return model, (f"Of what the network gives {what} is read as its scores.",)


def _in_precision(module: nn.Module, args: tuple, dtype: torch.dtype) -> tuple:
    return tuple(a.to(dtype) if isinstance(a, Tensor) and a.is_floating_point() else a for a in args)


def _scores(module: nn.Module, args: tuple, output, place: object) -> Tensor:
    return output if isinstance(output, Tensor) else output[place]


@torch.no_grad()
def _given(model: nn.Module, name: str, shape: Sequence[int]) -> object:
    """Return what a network gives for three clips of noise, or raise UserError with what hinders it."""
    n_channels, n_frames, n_joints, n_bodies = shape

    def passed(n_frames: int) -> object:
        noise = torch.Generator().manual_seed(0)
        return model(torch.randn(_N_CLIPS, n_channels, n_frames, n_joints, n_bodies, generator=noise))

    with evaluating(model):
        try:
            return passed(n_frames)
        except Exception as error:  # of any kind: the code is not ours
            reason, longer = f"{type(error).__name__}: {cut(error)}", 0
        for times in (2, 4):
            try:
                passed(times * n_frames)
            except Exception:
                continue
            longer = longer or times * n_frames
    cure = (
        f"it does take {longer} frames: give it more by its attribute `preprocessing`, a "
        f"`Preprocessing(frames={longer}, fit='pad')`"
        if longer
        else "are joints, channels, bodies and frames those that it was made for (attribute `preprocessing`)?"
    )
    raise UserError(
        f"{name} cannot take clips of {n_channels} channels, {n_frames} frames, {n_joints} joints and {n_bodies} "
        f"bodies ({reason}); {cure}"
    )


def _score_place(given: object, name: str, n_classes: int) -> object:
    """Return where in a tuple or a dict the scores are."""
    entries = dict(enumerate(given)) if isinstance(given, tuple | list) else given
    flat = {
        key: value.shape[1]
        for key, value in (entries.items() if isinstance(entries, Mapping) else ())
        if isinstance(value, Tensor) and value.ndim == 2 and len(value) == _N_CLIPS
    }
    fits = [key for key, size in flat.items() if size == n_classes] or list(flat)
    if 0 in fits and flat[0] == n_classes:
        return 0
    if len(fits) != 1:
        found = ", ".join(f"{key!r} of shape ({_N_CLIPS}, {size})" for key, size in flat.items()) or "none"
        raise UserError(
            f"{name} gives {type(given).__name__}, not scores; of two axes are in it: {cut(found)}. One with a column "
            f"for each of {n_classes} classes is needed: return the scores alone, or first"
        )
    return fits[0]


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of somebody's ``.pt`` file by name; nothing else in it is read, and nothing is run.

    Raises
    ------
    DataError
        If it holds anything but tensors and plain values, no weights, or weights of several networks.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}") from error
    except Exception as error:  # damaged files and forbidden contents raise many things
        raise DataError(
            f"{path} is not read: it is damaged, or holds more than weights, which could run code ({cut(error, 120)}); "
            "save `model.state_dict()` alone: torch.save(model.state_dict(), 'weights.pt')"
        ) from error
    if not isinstance(found, Mapping):
        raise DataError(f"{path} holds {type(found).__name__}; the tensors of a `state_dict()` by name are needed")
    states = {"": found} if _is_state(found) else {key: value for key, value in found.items() if _is_state(value)}
    if len(states) != 1:
        many = f"weights of several networks ({cut(', '.join(map(str, states)))})" if states else "no weights"
        raise DataError(f"{path} holds {many}; save the `state_dict()` of one alone")
    (state,) = states.values()
    check_finite({name: t for name, t in state.items() if t.is_floating_point()}, path)
    return dict(state)


def _is_state(value: object) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(t, Tensor) for t in value.values())


def load_state(model: nn.Module, state: Mapping[str, Tensor], where: str | Path) -> None:
    """Put weights into a network, in place; a prefix that all their names share, such as ``module.``, is taken off.

    Raises
    ------
    DataError
        If they are not those of the network: how many are missing, unexpected or of another shape, and the
        first of each.

    Examples
    --------
    >>> net = nn.Linear(2, 3)
    >>> load_state(net, {"module.weight": torch.ones(3, 2), "module.bias": torch.zeros(3)}, "weights.pt")
    >>> net(torch.ones(2)).tolist()
    [2.0, 2.0, 2.0]
    """
    own, given = model.state_dict(), dict(state)
    while (first := {name.partition(".")[0] for name in given}) and len(first) == 1:
        (prefix,) = first
        if any(name.partition(".")[0] == prefix for name in own) or not all("." in name for name in given):
            break
        given = {name.partition(".")[2]: tensor for name, tensor in given.items()}
    missing = [name for name in own if name not in given and not name.endswith("num_batches_tracked")]
    shapes = [
        f"'{name}', which is {tuple(given[name].shape)} and not {tuple(own[name].shape)}"
        for name in own
        if name in given and given[name].shape != own[name].shape
    ]
    faults = {
        "missing": [f"'{name}'" for name in missing],
        "unexpected": [f"'{name}'" for name in given if name not in own],
        "of another shape": shapes,
    }
    if said := [f"{len(names)} {what}, the first {names[0]}" for what, names in faults.items() if names]:
        raise DataError(
            f"the weights in {where} are not those of this {type(model).__name__}: of {len(own)} tensors, "
            f"{'; '.join(said)}; is it another network, or one of other joints, channels or classes?"
        )
    model.load_state_dict(given, strict=False)
