"""A table of keypoints, as pose estimators and their users keep it.

A table (``.csv``; ``.parquet`` where pyarrow is installed) has one row a joint that was seen:

=================  ================================================================================
column             value
=================  ================================================================================
``clip``           text: name of the sequence
``frame``          whole number; frames that no row names are gaps
``person``         text: the same throughout a clip (may be left out: one person)
``joint``          text: name of the joint in one of the published layouts; ``left_wrist``,
                   ``Left Wrist`` and ``left wrist`` are one
``x``, ``y``       numbers; empty or NaN where the joint was not seen
``z``              number (may be left out: 2-D)
``score``          number in 0..1 (may be left out); empty counts as 1
``label``          text: class of the clip, the same in all its rows
``subject``,       text, one a clip (may be left out)
``view``
``split``          text, one a clip: ``train``, ``test``, ... (may be left out)
``unit``           text, the same in all rows (default: ``px`` in 2-D, ``m`` in 3-D)
=================  ================================================================================

Other columns are not used; those of `SYNONYMS` are known by these names too. The layout is the
smallest published one that has all the joints.
"""

import io
import math
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from analysis_lib.datasets.readers.archive import decoded
from analysis_lib.errors import DataError, cut
from analysis_lib.loading import TEXT_LIMIT, read_bytes
from analysis_lib.skeletons.layouts import LAYOUTS
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.words import counted

#: columns by the names that other tools give them
SYNONYMS = {
    "clip": ("frame_dir", "video", "filename"),
    "frame": ("frame_idx", "frame_id"),
    "person": ("track", "individuals", "idx", "track_id"),
    "joint": ("node", "bodyparts", "keypoint", "landmark"),
    "score": ("likelihood", "visibility", "confidence", "keypoint_score", "point_scores"),
}
NEEDED = ("clip", "frame", "joint", "x", "y")
OF_A_CLIP = ("label", "subject", "view", "split")
#: frame numbers further apart, and clips of more numbers (a GiB), are taken for damage
MAX_FRAMES, MAX_NUMBERS = 100_000, 2**27


def read_table(path: Path) -> pd.DataFrame:
    """Return a table as text, its columns under their own names.

    Raises
    ------
    DataError
        If it cannot be read, is not text in UTF-8, is no table, or has a column twice.
    """
    try:
        if path.suffix.lower() == ".parquet":
            table = pd.read_parquet(path, dtype_backend="numpy_nullable")  # whole numbers stay such beside gaps
            table = table.astype(object).where(table.notna(), "").map(str)
        else:
            text = decoded(read_bytes(path, most=4 * TEXT_LIMIT))
            if "\ufffd" in text:
                raise DataError(f"{path} is not text in UTF-8; save it as such")
            separator = max(",;\t", key=text.partition("\n")[0].count)
            table = pd.read_csv(
                io.StringIO(text), sep=separator, dtype=str, keep_default_na=False, skipinitialspace=True
            )
    except ImportError as error:
        raise DataError(f"{path}: Parquet needs the package pyarrow; install it, or write a CSV") from error
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, pd.errors.ParserError) as error:
        raise DataError(f"{path} is not a table: {' '.join(str(error).split())}") from error
    table.columns = [str(column).strip().lower() for column in table.columns]
    ours = {other: ours for ours, others in SYNONYMS.items() if ours not in table for other in others}
    table = table.rename(columns=ours)
    if twice := [column for column in table if list(table).count(column) > 1]:
        raise DataError(f"{path} has the column '{twice[0]}' twice")
    return table.apply(lambda column: column.str.strip())


def clips_of_table(table: pd.DataFrame) -> tuple[Skeleton, dict[str, np.ndarray], tuple[str, ...], str]:
    """Return layout, clips (M, T, V, C) with NaN for gaps, channels and unit of a table.

    Raises
    ------
    DataError
        If a joint is of no layout, or a row is there twice or holds no number; the message names the row.
    """
    channels = tuple(c for c in ("x", "y", "z", "score") if c in table)
    units = table["unit"].unique() if "unit" in table else ["m" if "z" in channels else "px"]
    if len(units) > 1:
        raise DataError(f"the column unit must be the same in all rows, got {cut(', '.join(map(repr, units[:3])))}")
    frame = numbers_of(table, "frame")
    if bad := np.flatnonzero((frame % 1 != 0) | (frame < 0) | (frame >= 2**53)).tolist():
        raise DataError(
            f"row {bad[0] + 2}: frame must be a whole number from 0 on, got '{cut(table['frame'].iloc[bad[0]], 60)}'"
        )
    values = np.column_stack([numbers_of(table, channel) for channel in channels])
    skeleton, joint = joints_of(table["joint"])
    person = table["person"] if "person" in table else pd.Series("0", table.index)
    keys = pd.DataFrame({"clip": table["clip"], "frame": frame.astype(int), "person": person, "joint": joint})
    if (twice := keys.duplicated().to_numpy()).any():
        at = int(twice.argmax())
        row = keys.iloc[at]
        raise DataError(
            f"row {at + 2}: clip '{row['clip']}', frame {row['frame']}, person '{row['person']}' has joint "
            f"'{skeleton.joints[row['joint']]}' twice"
        )
    clips = {}
    of_clip = keys.groupby("clip").indices
    for clip in keys["clip"].unique():
        rows = of_clip[clip]
        people = {name: m for m, name in enumerate(in_order(person.iloc[rows]))}
        place = person.iloc[rows].map(people).to_numpy(int)
        t = keys["frame"].to_numpy()[rows]
        clips[clip] = filled(clip, place, t, joint[rows], values[rows], skeleton.n_joints, channels)
    return skeleton, clips, channels, str(units[0])


def filled(clip, place, frames, joint, values, n_joints: int, channels: tuple[str, ...]) -> np.ndarray:
    """Return one clip (M, T, V, C) of its rows: NaN in gaps, zero where a person is not there yet, or no more."""
    shape = (place.max() + 1, frames.max() - frames.min() + 1, n_joints, len(channels))
    if shape[1] > MAX_FRAMES or math.prod(map(int, shape)) > MAX_NUMBERS:
        raise DataError(
            f"clip '{clip}' has frames {frames.min()} to {frames.max()} of {counted(shape[0], 'person', 'people')}; "
            "is 'frame' a time, or 'person' another in each frame?"
        )
    x = np.full(shape, np.nan)
    x[place, frames - frames.min(), joint] = values
    coordinates = x[..., : len(channels) - channels.count("score")]
    gone = np.isnan(coordinates).any(axis=-1)
    coordinates[gone] = np.nan
    if "score" in channels:
        x[..., -1] = np.where(gone, 0, np.nan_to_num(x[..., -1], nan=1))
    for body, seen in zip(x, ~gone.all(axis=2), strict=True):
        there = np.flatnonzero(seen) if seen.any() else [0, shape[1]]
        body[: there[0]] = body[there[-1] + 1 :] = 0
    return x


def numbers_of(table: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column as numbers, NaN where it is empty; scores must lie in 0..1."""
    given = table[column]
    values = pd.to_numeric(given, errors="coerce").to_numpy(float)
    wrong = np.isinf(values) | (np.isnan(values) & ~given.str.lower().isin(["", "nan", "na", "none", "null"]))
    if column == "score":
        wrong |= (values < 0) | (values > 1)
    if wrong.any():
        at = int(wrong.argmax())
        hint = ", expected 0 to 1" if column == "score" else ", expected a number"
        raise DataError(f"row {at + 2}: {column} is '{cut(given.iloc[at], 60)}'{hint}")
    return values


def joints_of(names: pd.Series) -> tuple[Skeleton, np.ndarray]:
    """Return the smallest layout that has all the joints, and the index of each row's joint."""
    plain = {name: re.sub(r"[\s_.-]+", " ", name).strip().lower() for name in names.unique()}
    given = set(plain.values())
    fitting = [s for s in LAYOUTS.values() if given <= set(s.joints)]
    if not fitting:
        nearest = max(LAYOUTS.values(), key=lambda s: len(given & set(s.joints)))
        others = sorted(given - set(nearest.joints))
        raise DataError(
            f"joints {cut(', '.join(map(repr, others[:3])))} are of no layout ({nearest.name}, the nearest, has "
            f"{', '.join(nearest.joints[:3])}, ...); rename them, or write an .npz with bones of your own"
        )
    skeleton = min(fitting, key=lambda s: s.n_joints)
    index = {name: skeleton.joints.index(joint) for name, joint in plain.items()}
    return skeleton, names.map(index).to_numpy(int)


def facts_of_clips(table: pd.DataFrame, columns: Iterable[str] = OF_A_CLIP) -> pd.DataFrame:
    """Return label, subject, view and split by clip, which must be the same in all its rows."""
    facts = table[["clip", *(c for c in columns if c in table)]].drop_duplicates().set_index("clip")
    if (twice := facts.index.duplicated()).any():
        clip = facts.index[twice][0]
        column = next(c for c in facts if facts.loc[clip, c].nunique() > 1)
        values = ", ".join(f"'{cut(value, 60)}'" for value in facts.loc[clip, column].unique()[:3])
        raise DataError(f"clip '{clip}' has several values of {column}: {values}")
    return facts


def in_order(names: Iterable[str]) -> list[str]:
    """Return distinct names in order, numbers by their value."""
    return sorted(set(names), key=lambda name: (not is_number(name), int(name) if is_number(name) else 0, name))


def is_number(name: str) -> bool:
    """Return whether a name is a whole number from 0 on."""
    return name.isdecimal() and len(name) < 19  # of 64 bits
