"""A player of clips of a dataset with the importance of their joints, by any attribution method."""

from collections.abc import Mapping, Sequence

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import CHOICES
from analysis_lib.datasets.upright import upright
from analysis_lib.explain.attributions import clip_maps
from analysis_lib.explain.method import Maps, Method
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.widgets.player import SkeletonPlayer, skeleton_player


def method_player(network: Checkpoint, data: SkeletonDataset, methods: Mapping[str, Method]) -> SkeletonPlayer:
    """Return a player of clips in which the reader chooses the method, whose last layer is shown.

    Parameters
    ----------
    network : Checkpoint
    data : SkeletonDataset
        The clips that are played: a few. Their own classes are explained.
    methods : mapping of str to Method
        By what they are called.
    """
    said = {name: clip_maps(network, data, "true", method) for name, method in methods.items()}
    first = next(iter(said.values()))
    maps, lengths = (tuple(getattr(one, part)[-1] for one in said.values()) for part in ("maps", "lengths"))
    return clip_player(network, data, Maps(tuple(said), maps, lengths, first.scores, first.targets), 0, list(said))


def clip_player(
    network: Checkpoint, data: SkeletonDataset, maps: Maps, layer: int | None = None, titles: Sequence[str] = ()
) -> SkeletonPlayer:
    """Return a player of clips with the importance of their joints at every layer.

    The poses are those of the data, `upright`; of several bodies those that the network is given. A clip that
    the network names wrongly says so.

    Parameters
    ----------
    network : Checkpoint
    data : SkeletonDataset
        The clips that are played: a few.
    maps : Maps
        Of these clips (`analysis_lib.explain.attributions.clip_maps`).
    layer : int, optional
        Which is shown first, from 0; the last by default.
    titles : sequence of str
        What the layers are called; by default their numbers.
    """
    recipe, poses = network.preprocessing, []
    for clip in upright(data).places:
        for step in filter(CHOICES.__contains__, recipe.steps):  # the others move joints
            clip = CHOICES[step](clip, recipe, None)
        poses.append(clip[: recipe.bodies])
    names = [
        data.class_names[true] if true == said else f"{data.class_names[true]}, named {data.class_names[said]}"
        for true, said in zip(data.labels, maps.scores.argmax(axis=1), strict=True)
    ]
    shown = [maps.on_frames(i, pose.shape[1], pose.shape[0]) for i, pose in enumerate(poses)]
    n = len(maps.layers)
    layers = titles or ([f"layer {i} of {n}" for i in range(1, n + 1)] if n > 1 else maps.layers)
    return skeleton_player(poses, data.skeleton, shown, layers=layers, names=names, layer=layer)
