"""Clips of one skeleton given to a network of another: which joint stands for which."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.errors import UserError, unknown_choice
from analysis_lib.skeletons.skeleton import Skeleton


def read_mapping(pairs: Sequence[str]) -> dict[str, str]:
    """Return a mapping of joints from texts such as ``"spine: mid spine"``.

    Examples
    --------
    >>> read_mapping(["spine: mid spine", "head:head"])
    {'spine': 'mid spine', 'head': 'head'}
    """
    if wrong := [pair for pair in pairs if pair.count(":") != 1]:
        raise UserError(f"'{wrong[0]}' maps no joint; write 'joint of the network: joint of the data'")
    return dict((part.strip() for part in pair.split(":")) for pair in pairs)


def map_joints(data: SkeletonDataset, skeleton: Skeleton, mapping: Mapping[str, str] | None = None) -> SkeletonDataset:
    """Return the clips with the joints of another skeleton, in its order.

    Joints of equal names stand for each other; ``mapping`` says the rest. Joints that the other
    skeleton lacks are left out.

    Parameters
    ----------
    data : SkeletonDataset
    skeleton : Skeleton
        As the network knows it.
    mapping : mapping of str to str, optional
        From a joint of ``skeleton`` to one of the data.

    Raises
    ------
    UserError
        If a joint of ``skeleton`` has none to stand for it; the message names them all, and writes
        the mapping down with the nearest names.

    Examples
    --------
    >>> from analysis_lib.datasets.catalogue import load_dataset
    >>> from analysis_lib.skeletons.layouts import layout
    >>> clips = load_dataset("synthetic").take([0])
    >>> names = {"spine": "mid spine", "shoulder centre": "upper spine"}
    >>> map_joints(clips, layout("kinect-20"), names).sequences[0].shape[2]
    20
    """
    given = dict(mapping or {})
    for name, table, owner in (
        *((name, skeleton.joints, skeleton.name) for name in given),
        *((name, data.skeleton.joints, data.skeleton.name) for name in given.values()),
    ):
        if name not in table:
            raise unknown_choice(f"joint of '{owner}'", name, table)
    if data.skeleton.joints == skeleton.joints and not given:
        return data
    wanted = [given.get(name, name) for name in skeleton.joints]
    if missing := [name for name in wanted if name not in data.skeleton.joints]:
        pairs = ", ".join(f"{name}: {_nearest(name, data.skeleton.joints)}" for name in missing)
        raise UserError(
            f"the network's skeleton '{skeleton.name}' has joints that dataset '{data.name}' "
            f"('{data.skeleton.name}') lacks: {', '.join(missing)}. Say which stand for them, with "
            f"`joints`, for example {pairs}; the data have {', '.join(data.skeleton.joints)}"
        )
    index = [data.skeleton.joints.index(name) for name in wanted]
    sequences = tuple(x[:, :, index] for x in data.sequences)
    return replace(data, skeleton=skeleton, sequences=sequences, missing=data.missing[:, index])


def _nearest(name: str, names: Sequence[str]) -> str:
    """Return the most similar of ``names``, or "?"."""
    return (get_close_matches(name, names, 1, 0.4) or ["?"])[0]
