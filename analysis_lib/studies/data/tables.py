"""Tables that say what is in a dataset, and how well a clip's class can be read off it."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import PREPROCESSINGS, Preprocessing, clip_tensors
from analysis_lib.files import digest
from analysis_lib.geometry.layerwise import stored_distances
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.training.fit import evaluate
from analysis_lib.statistics.intervals import wilson_interval
from analysis_lib.warping.options import Warping


def clip_table(data: SkeletonDataset) -> pd.DataFrame:
    """Return one row a clip: clip, label, group, subject, view, frames, bodies, split.

    A clip that is in several splits (of several protocols) shows the first one's name.
    """
    split = np.full(len(data), "", object)
    for name, index in reversed(data.splits.items()):
        split[index] = name
    return pd.DataFrame(
        {
            "clip": data.clips,
            "label": [data.class_names[i] for i in data.labels],
            "group": [data.groups[i] for i in data.labels],
            "subject": data.subjects,
            "view": data.views,
            "frames": data.lengths,
            "bodies": [x.shape[0] for x in data.sequences],
            "split": split,
        }
    )


def class_table(clips: pd.DataFrame) -> pd.DataFrame:
    """Return one row a class: group, label, clips, median frames, and their 5-95 % range."""
    frames = clips.groupby(["group", "label"], sort=False)["frames"]
    table = frames.agg(
        clips="size", shortest=lambda f: f.quantile(0.05), median="median", longest=lambda f: f.quantile(0.95)
    ).reset_index()
    return table.sort_values(["group", "label"], ignore_index=True)


def missing_table(data: SkeletonDataset) -> pd.DataFrame:
    """Return the share of all frames in which each joint was missing: joint, missing; the most missing first."""
    share = np.average(data.missing, axis=0, weights=data.lengths)
    table = pd.DataFrame({"joint": data.skeleton.joints, "missing": share})
    return table.sort_values("missing", ascending=False, kind="stable", ignore_index=True)


def twin_table(data: SkeletonDataset) -> pd.DataFrame:
    """Return the clips that occur before, coordinate for coordinate: clip, same_as."""
    first: dict[bytes, int] = {}
    pairs = [(first.setdefault(digest(str(x.shape), x.tobytes()), i), i) for i, x in enumerate(data.sequences)]
    rows = [(data.clips[b], data.clips[a]) for a, b in pairs if a != b]
    return pd.DataFrame(rows, columns=["clip", "same_as"])


def example_clips(data: SkeletonDataset, n_classes: int) -> list[int]:
    """Return one clip of median length of ``n_classes`` classes, spread over the super-classes."""
    order = sorted(range(len(data.class_names)), key=lambda c: _turn_of(data, c))
    chosen = []
    for c in [c for c in order if (data.labels == c).any()][:n_classes]:
        clips = np.flatnonzero(data.labels == c)
        chosen.append(int(clips[np.argsort(data.lengths[clips], kind="stable")[len(clips) // 2]]))
    return chosen


def _turn_of(data: SkeletonDataset, c: int) -> tuple[int, int]:
    """Return the rank of class c within its group, then its number: groups take turns."""
    return data.groups[:c].count(data.groups[c]), c


def confusion_table(labels: np.ndarray, predicted: np.ndarray, class_names) -> pd.DataFrame:
    """Return tidy counts: label, predicted, clips, and the share of the label's clips."""
    n = len(class_names)
    counts = np.zeros((n, n), int)
    np.add.at(counts, (labels, predicted), 1)
    table = pd.DataFrame(
        {"label": np.repeat(class_names, n), "predicted": np.tile(class_names, n), "clips": counts.ravel()}
    )
    total = np.repeat(counts.sum(axis=1), n)
    table["share"] = np.divide(counts.ravel(), total, out=np.zeros(n * n), where=total > 0)
    return table


def network_predictions(network: Checkpoint, test: SkeletonDataset, progress: bool = False) -> dict[str, np.ndarray]:
    """Return the classes that the network predicts, (n_test,), by what it is called."""
    own = evaluate(network.model, test, network.preprocessing, progress=progress)["predicted"]
    return {f"network '{network.name}'": own}


def baseline_predictions(
    train: SkeletonDataset, test: SkeletonDataset, network: Checkpoint | None, progress: bool = False
) -> dict[str, np.ndarray]:
    """Return the classes that the baseline predicts, (n_test,), by what it is called.

    Joints are prepared as for the network, if there is one.
    """
    preprocessing = network.preprocessing if network else PREPROCESSINGS["padded"]
    nearest = nearest_neighbour_predictions(train, test, preprocessing, progress)
    return {"nearest neighbour, DTW on raw joints": nearest}


def accuracy_table(predicted: Mapping[str, np.ndarray], labels: np.ndarray) -> pd.DataFrame:
    """Return the accuracy of each method with its 95 % interval: method, accuracy, low, high, clips.

    >>> accuracy_table({"all 0": np.zeros(4, int)}, np.array([0, 0, 0, 1])).round(2).to_dict("records")
    [{'method': 'all 0', 'accuracy': 0.75, 'low': 0.3, 'high': 0.95, 'clips': 4}]
    """
    n, rows = len(labels), []
    for method, found in predicted.items():
        hits = int((found == labels).sum())
        rows.append((method, hits / n, *wilson_interval(hits, n), n))
    return pd.DataFrame(rows, columns=["method", "accuracy", "low", "high", "clips"])


def nearest_neighbour_predictions(
    train: SkeletonDataset, test: SkeletonDataset, preprocessing: Preprocessing, progress: bool = False
) -> np.ndarray:
    """Return the class of the nearest training clip under DTW on raw joints, shape (n_test,).

    The joints are prepared as for the network; the local distance is squared Euclidean over all
    coordinates of all joints, in one window, divided by the length of the path: the baseline that
    a network has to beat.
    """
    (x, x_lengths), (y, y_lengths) = (clip_tensors(d, preprocessing) for d in (test, train))
    flat = lambda z: z[:, : test.n_coordinates].transpose(0, 2, 1, 3, 4).reshape(len(z), z.shape[2], -1)  # noqa: E731
    how = Warping(n_windows=1, metric="sqeuclidean")
    about = f"joints of {test.name} and {train.name}"
    distances = stored_distances(flat(x), x_lengths, flat(y), y_lengths, how, about=about, progress=progress)
    return train.labels[distances.argmin(axis=1)]
