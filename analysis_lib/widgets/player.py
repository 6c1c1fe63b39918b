"""The skeleton player, which lives in JupyterLab and on a static page.

Its data are packed into the page, its drawing is one script without imports: it needs neither a
kernel nor a network.
"""

from collections.abc import Sequence
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from analysis_lib.errors import UserError
from analysis_lib.plots.skeleton import side_colours
from analysis_lib.plots.style import INK, LEFT, MIDDLE, NEGATIVE, POSITIVE, RIGHT
from analysis_lib.skeletons.skeleton import Skeleton

ASSETS = Path(__file__).parent / "assets"

#: What a player may add to a page, in bytes, before base64 makes it a third more.
MAX_BYTES = 3_000_000

UNSEEN = -32768  # int16 that stands for a joint that was not seen
_FULL = 32767  # int16 at the edge of a clip
_PEAK = 127  # int8 of the largest importance of a clip and layer
_COLOURS = {"positive": POSITIVE, "negative": NEGATIVE, "left": LEFT, "right": RIGHT, "middle": MIDDLE, "ink": INK}


class SkeletonPlayer(anywidget.AnyWidget):
    """A moving skeleton with play, frame slider, clip and layer menus; `skeleton_player` makes it.

    Attributes
    ----------
    poses : bytes
        int16, little-endian, for each clip (M, T, V, C): the box around the clip, centred, with
        its longest half side at 32767; -32768 is a joint that was not seen. y is up.
    importance : bytes
        int8, for each clip (L, M, T, V): 127 is the entry of ``peaks``.
    peaks : list of list of float, shape (S, L)
        Largest absolute importance of each clip and layer.
    clips : list of dict
        Name, number of bodies and of frames of each clip.
    skeleton : dict
        Joint names, edges, and the tint of each joint.
    n_axes : int
        2 or 3; a flat skeleton cannot be turned.
    layers : list of str
        Empty if there is no importance.
    clip, layer, frame : int
        What is shown, from 0; they follow the controls, and the controls follow them. While it
        plays, ``frame`` is told to the kernel only when it stops.
    """

    _esm = ASSETS / "skeleton_player.js"
    _css = ASSETS / "skeleton_player.css"

    poses = traitlets.Bytes().tag(sync=True)
    importance = traitlets.Bytes().tag(sync=True)
    peaks = traitlets.List().tag(sync=True)
    clips = traitlets.List().tag(sync=True)
    skeleton = traitlets.Dict().tag(sync=True)
    n_axes = traitlets.Int(3).tag(sync=True)
    layers = traitlets.List(traitlets.Unicode()).tag(sync=True)
    fps = traitlets.Float(30.0).tag(sync=True)
    quantity = traitlets.Unicode("importance").tag(sync=True)
    colours = traitlets.Dict(_COLOURS).tag(sync=True)
    clip = traitlets.Int(0).tag(sync=True)
    layer = traitlets.Int(0).tag(sync=True)
    frame = traitlets.Int(0).tag(sync=True)

    def __repr__(self) -> str:
        return f"SkeletonPlayer({len(self.clips)} clips, {len(self.layers)} layers)"


def skeleton_player(
    poses: Sequence[np.ndarray],
    skeleton: Skeleton,
    importance: Sequence[np.ndarray] | None = None,
    *,
    layers: Sequence[str] = (),
    names: Sequence[str] = (),
    layer: int | None = None,
    fps: float = 30.0,
    quantity: str = "importance",
    y_down: bool = False,
    max_bytes: int = MAX_BYTES,
) -> SkeletonPlayer:
    r"""Return a player of clips, with bubbles whose area is a joint's importance at a layer.

    A bubble's radius is :math:`r = r_0 \sqrt{|h| / h_0}`; its colour is the sign of h. The reader
    chooses whether :math:`h_0` is the largest :math:`|h|` of the clip at this layer (where the
    network looks) or over all layers (how much); zero stays zero in both.

    Parameters
    ----------
    poses : sequence of S arrays, each of shape (T, V, C) or (M, T, V, C)
        x to the right, y up (but see ``y_down``), z away from the viewer; C is 2 or 3. Scores of
        confidence are no coordinate: leave them out. A joint that is zero or NaN in all
        coordinates was not seen and is left out. T may differ from clip to clip.
    skeleton : Skeleton
    importance : sequence of S arrays, each of shape (L, T, V) or (L, M, T, V), optional
        Any sign. Without it the joints have the tint of their side.
    layers : sequence of str, length L, optional
    names : sequence of str, length S, optional
        Class or clip names for the menu; equal ones are numbered.
    layer : int, optional
        Which layer is shown first, from 0; the last one by default.
    fps : float
        Frames a second at normal speed.
    quantity : str
        What the bubbles mean, for the legend.
    y_down : bool
        Whether y grows downwards in the data, as it does in the pixels of an image.
    max_bytes : int
        Upper limit of the packed data.

    Returns
    -------
    SkeletonPlayer
        At the frame of the first clip in which importance is largest. Positions are exact to
        1/65534 of the clip's longest side, importances to 1/254 of the largest of their clip and
        layer.

    Raises
    ------
    UserError
        If shapes or numbers of names disagree, a value is infinite, or the data outgrow the limit.

    Examples
    --------
    >>> stick = Skeleton("stick", ("foot", "hip", "head"), ((0, 1), (2, 1)), centre=1)
    >>> clip = np.arange(24.0).reshape(4, 3, 2)
    >>> skeleton_player([clip], stick, [np.ones((5, 4, 3))], names=["jump"])
    SkeletonPlayer(1 clips, 5 layers)
    """
    clips = [_clip(x, i, skeleton) for i, x in enumerate(poses)]
    if not clips:
        raise UserError("a player needs at least one clip, got none")
    if len(axes := {x.shape[3] for x in clips}) > 1:
        raise UserError(f"clips must all have 2 or all have 3 coordinates, got {sorted(axes)}")
    if not (np.isfinite(fps) and fps > 0):
        raise UserError(f"fps must be a positive number of frames a second, got {fps}")
    maps = [] if importance is None else _maps(importance, clips)
    depth = len(maps[0]) if maps else 0
    layers = _names(layers, depth, "layer")
    first = depth - 1 if layer is None else layer
    if depth and not 0 <= first < depth:
        raise UserError(f"layer must lie in 0..{depth - 1}, got {layer}")
    _check_size(clips, maps, max_bytes)
    peaks = [np.abs(h).max(axis=(1, 2, 3)) for h in maps]
    menu = zip(_names(names, len(clips), "clip"), clips, strict=True)
    edges = [list(edge) for edge in skeleton.edges]
    return SkeletonPlayer(
        poses=b"".join(_pack_poses(x * _flip(x, y_down)) for x in clips),
        importance=b"".join(_pack_maps(h, p) for h, p in zip(maps, peaks, strict=True)),
        peaks=[p.tolist() for p in peaks],
        clips=[{"name": name, "bodies": x.shape[0], "frames": x.shape[1]} for name, x in menu],
        skeleton={"joints": list(skeleton.joints), "edges": edges, "tints": side_colours(skeleton)},
        n_axes=axes.pop(),
        layers=layers,
        layer=max(first, 0),
        frame=int(np.abs(maps[0][first]).sum(axis=(0, 2)).argmax()) if maps else 0,
        fps=float(fps),
        quantity=quantity,
    )


def _clip(x: np.ndarray, i: int, skeleton: Skeleton) -> np.ndarray:
    """Return clip i as (M, T, V, C) with NaN where a joint was not seen."""
    came = np.shape(x)
    x = np.array(x, float)
    x = x[None] if x.ndim == 3 else x
    if x.ndim != 4 or x.shape[2] != skeleton.n_joints or x.shape[3] not in (2, 3) or not x.size:
        raise UserError(
            f"clip {i}: expected (T, {skeleton.n_joints}, 2 or 3) or (M, T, {skeleton.n_joints}, "
            f"2 or 3) for '{skeleton.name}', got {came}; poses are a list of clips"
        )
    x[~(np.nan_to_num(x) != 0).any(axis=3)] = np.nan
    seen = ~np.isnan(x).all(axis=3)
    if not seen.any() or not np.isfinite(x[seen]).all():
        raise UserError(f"clip {i}: no joint was seen, or a coordinate of a seen one is not finite")
    return x


def _maps(importance: Sequence[np.ndarray], clips: list[np.ndarray]) -> list[np.ndarray]:
    """Return the importance of each clip as (L, M, T, V)."""
    maps = [np.asarray(h, float) for h in importance]
    if len(maps) != len(clips):
        raise UserError(f"importance has {len(maps)} clips, poses have {len(clips)}")
    maps = [h[:, None] if h.ndim == 3 else h for h in maps]
    for i, (h, x) in enumerate(zip(maps, clips, strict=True)):
        if h.ndim != 4 or h.shape[1:] != x.shape[:3] or len(h) != len(maps[0]) or not len(h):
            bodies, frames, joints = x.shape[:3]
            raise UserError(
                f"importance of clip {i}: expected (layers, {bodies}, {frames}, {joints}), bodies, "
                f"frames and joints as in its poses and as many layers as clip 0, got {h.shape}; "
                "a layer with fewer frames must be brought to the clip's frames first"
            )
        if not np.isfinite(h).all():
            raise UserError(f"importance of clip {i} holds a value that is not finite")
    return maps


def _names(given: Sequence[str], count: int, kind: str) -> list[str]:
    """Return one name each, numbered where there are none or where they repeat."""
    names = list(map(str, given)) or [f"{kind} {i + 1}" for i in range(count)]
    if len(names) != count:
        raise UserError(f"{len(names)} {kind} names were given for {count} {kind}s")
    return [f"{name} ({names[: i + 1].count(name)})" if names.count(name) > 1 else name for i, name in enumerate(names)]


def _check_size(clips: list[np.ndarray], maps: list[np.ndarray], limit: int) -> None:
    """Refuse data that would make a page slow to load."""
    size = 2 * sum(x.size for x in clips) + sum(h.size for h in maps)
    if size > limit:
        depth = len(maps[0]) if maps else 0
        raise UserError(
            f"the player would put {size / 1e6:.1f} MB into the page, the limit is "
            f"{limit / 1e6:.1f} MB: {len(clips)} clips, {depth} layers, "
            f"{sum(x.shape[1] for x in clips)} frames; pass fewer clips or layers or every other "
            "frame, or raise max_bytes"
        )


def _flip(x: np.ndarray, y_down: bool) -> np.ndarray:
    """Return the sign of each coordinate in a picture whose y is up."""
    return np.where(np.arange(x.shape[3]) == 1, -1 if y_down else 1, 1)


def _pack_poses(x: np.ndarray) -> bytes:
    """Return a clip (M, T, V, C) as int16 about the middle of its box."""
    low, high = np.nanmin(x, axis=(0, 1, 2)), np.nanmax(x, axis=(0, 1, 2))
    half = max((high - low).max() / 2, np.finfo(np.float32).tiny)
    whole = np.rint((x - (low + high) / 2) / half * _FULL)
    return np.where(np.isnan(whole), UNSEEN, whole).astype("<i2").tobytes()


def _pack_maps(h: np.ndarray, peaks: np.ndarray) -> bytes:
    """Return importances (L, M, T, V) as int8, each layer by its own peak."""
    peaks = np.where(peaks > 0, peaks, 1)[:, None, None, None]
    return np.rint(h / peaks * _PEAK).astype(np.int8).tobytes()
