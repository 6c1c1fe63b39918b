"""What pose estimators write: a table of keypoints, or a folder of their JSON files.

`analysis_lib.datasets.readers.keypoint_table` says what a table may hold, and
`analysis_lib.datasets.readers.pose_json` what files of OpenPose, AlphaPose and MediaPipe are read.

The label of a clip of a folder is in its ``labels.csv``, with the columns ``clip`` (path in the folder
without its ending), ``label`` and, if you like, ``subject``, ``view``, ``split``. Without that file it is
the name of the first folder on the way to the clip: ``wave/ann-01.json`` shows a wave.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.readers.keypoint_table import (
    NEEDED,
    clips_of_table,
    facts_of_clips,
    in_order,
    is_number,
    read_table,
)
from analysis_lib.datasets.readers.pose_json import clips_of_folder
from analysis_lib.errors import DataError, cut
from analysis_lib.skeletons.skeleton import Skeleton


def read_keypoints(path: str | Path) -> SkeletonDataset:
    """Return the clips of a table of keypoints, or of a folder of OpenPose's, AlphaPose's or MediaPipe's files.

    Joints that were not seen are NaN to `SkeletonDataset`, which fills them in; a person is zero before
    they come and after they leave.

    Parameters
    ----------
    path : str or Path
        Of the table, or the folder.

    Returns
    -------
    SkeletonDataset
        Sequences (M, T_i, V, C) of x, y, z where there is one, and score where there is one. Classes are
        in the order of their names (of their numbers, if all are numbers).

    Raises
    ------
    DataError
        If a column is missing, a joint is of no layout, a row is there twice or holds no number, a clip has
        no label or several, or a file is damaged; the message names the row, the clip or the file.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from analysis_lib.skeletons.layouts import LAYOUTS
    >>> rows = "".join(f"{clip},{t},{joint},1,2,{clip}\\n" for clip in ("nod", "wave") for t in (0, 1)
    ...                for joint in LAYOUTS["hand-21"].joints)
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "hands.csv"
    ...     _ = path.write_text("clip,frame,joint,x,y,label\\n" + rows)
    ...     read_keypoints(path)
    SkeletonDataset('hands', 2 clips, 2 classes, hand-21, splits {})
    """
    path = Path(path).expanduser()
    if path.is_dir():
        skeleton, clips, channels, unit = clips_of_folder(path)
        return _dataset(path.name, skeleton, clips, channels, unit, _labels_of_folder(path, clips))
    table = read_table(path)
    if absent := [c for c in (*NEEDED, "label") if c not in table]:
        raise DataError(
            f"{path} has no column '{absent[0]}'; expected {', '.join((*NEEDED, 'label'))}, got {cut(', '.join(table))}"
        )
    if table.empty:
        raise DataError(f"{path} has no rows below its header")
    try:
        return _dataset(path.stem, *clips_of_table(table), facts_of_clips(table))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _labels_of_folder(path: Path, clips: Iterable[str]) -> pd.DataFrame:
    """Return label, subject, view and split by clip, of ``labels.csv`` or of the names of the folders."""
    sidecar = path / "labels.csv"
    if sidecar.is_file():
        table = read_table(sidecar)
        if absent := [column for column in ("clip", "label") if column not in table]:
            raise DataError(f"{sidecar} has no column '{absent[0]}'; expected clip, label, got {cut(', '.join(table))}")
        try:
            return facts_of_clips(table)
        except DataError as error:
            raise DataError(f"{sidecar}: {error}") from error
    labels = {clip: clip.partition("/")[0] for clip in clips}
    if loose := [clip for clip in labels if "/" not in clip]:
        raise DataError(f"clip '{loose[0]}' is in no folder that names its label, and {sidecar} is not there")
    return pd.DataFrame({"label": labels})


def _dataset(
    name: str, skeleton: Skeleton, clips: Mapping, channels, unit: str, facts: pd.DataFrame
) -> SkeletonDataset:
    """Return the dataset of clips and what is known of each."""
    if absent := [clip for clip in clips if clip not in facts.index or not facts.loc[clip, "label"]]:
        raise DataError(f"clip '{absent[0]}' has no label")
    facts = facts.loc[list(clips)]
    classes = in_order(facts["label"])
    splits = {}
    if "split" in facts:
        splits = {split: np.flatnonzero(facts["split"] == split) for split in in_order(facts["split"]) if split}
    return SkeletonDataset(
        name=name,
        skeleton=skeleton,
        sequences=tuple(clips.values()),
        labels=facts["label"].map(classes.index).to_numpy(int),
        class_names=tuple(classes),
        clips=tuple(clips),
        subjects=whole_numbers(facts, "subject"),
        views=whole_numbers(facts, "view"),
        splits=splits,
        unit=unit,
        channels=channels,
    )


def whole_numbers(facts: pd.DataFrame, column: str) -> np.ndarray | None:
    """Return a column of a clip's facts as whole numbers: as they are, or counted in order; -1 where empty."""
    if column not in facts:
        return None
    known = [name for name in in_order(facts[column]) if name]
    number = {name: int(name) if all(map(is_number, known)) else i for i, name in enumerate(known)}
    return facts[column].map({"": -1} | number).to_numpy(int)
