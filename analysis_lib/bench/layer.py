"""Label smoothness of one layer at the size of NTU's test split, without the matrix of all pairs."""

import math
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from analysis_lib.bench.clips import moving_clips
from analysis_lib.bench.machine import peak_memory
from analysis_lib.bench.rounds import seconds_of
from analysis_lib.files import BUILD
from analysis_lib.geometry.graphs import nnk_graph, similarity_kernel
from analysis_lib.geometry.smoothness import class_smoothness
from analysis_lib.warping.distances import windowed_dtw
from analysis_lib.warping.nearest import Neighbours, windowed_dtw_among, windowed_dtw_knn

#: how generated clips are spread (see `moving_clips`): classes overlap early, and lie apart late
KINDS = {"early": {"latent": 6, "within": 1.0, "scatter": 1.0}, "late": {"latent": 6, "within": 0.4, "scatter": 0.75}}
N_CLIPS, N_FRAMES, N_FEATURES = 16_487, 75, 1600
FEW = 1000  # clips whose whole matrix is timed
MEMORY = 2**31  # bytes that the distances may work in


def bench_layer(
    kind: str,
    n_clips: int = N_CLIPS,
    n_frames: int = N_FRAMES,
    n_features: int = N_FEATURES,
    n_neighbors: int = 10,
    folder: Path = BUILD,
) -> dict:
    """Return what the smoothness of a generated layer costs, from features in a file to q.

    Returns
    -------
    dict
        ``kind``, ``clips``, ``frames``, ``features``, ``neighbours``; ``pairs`` that there are, and those
        ``computed`` to find the nearest; ``seconds``; ``matrix``, the seconds that the distances of all pairs
        would take, scaled from those of the first clips; ``peak``, bytes of memory at most, without the pages
        of the file; ``q``, the share of edge weight that leaves the class, mean over classes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as place:
        file = Path(place) / "clips.npy"
        clips, classes = moving_clips(n_clips, n_frames, n_features, file=file, **KINDS[kind])
        few = clips[:FEW]
        windowed_dtw(few[: n_neighbors + 1])  # compiles
        matrix = seconds_of(lambda: windowed_dtw(few)) * math.comb(n_clips, 2) / math.comb(len(few), 2)
        started = time.perf_counter()
        (nearest, q), peak = peak_memory(lambda: _measured(clips, classes, n_neighbors))
        seconds = time.perf_counter() - started
    shape = {"clips": n_clips, "frames": n_frames, "features": n_features, "neighbours": n_neighbors}
    pairs = {"pairs": nearest.n_pairs, "computed": int(nearest.n_computed)}
    return {"kind": kind, **shape, **pairs, "seconds": seconds, "matrix": matrix, "peak": peak, "q": q}


def _measured(clips, classes, n_neighbors) -> tuple[Neighbours, float]:
    """Return the nearest clips of each clip, and the mean q of the classes on their NNK graph."""
    nearest = windowed_dtw_knn(clips, n_neighbors, max_memory=MEMORY)
    known = windowed_dtw_among(clips, nearest.indices, max_memory=MEMORY)
    graph, _ = nnk_graph(similarity_kernel(known), n_neighbors)
    return nearest, float(class_smoothness(graph, classes)["normalised"].mean())


def layer_table(record: dict) -> pd.DataFrame:
    """Return a row for each kind of layer: the record, and ``share``, that of the pairs that were computed."""
    table = pd.DataFrame(record["layer"])
    return table.assign(share=table["computed"] / table["pairs"])


def layer_overview(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each kind of layer, for people."""
    rows = []
    for row in table.to_dict("records"):
        size = "{clips:,} x {frames} x {features:,}".format(**row)
        times = {name: f"{row[key] / 60:.1f} min" for name, key in (("graph and q", "seconds"), ("matrix", "matrix"))}
        memory = f"{row['peak'] / 2**30:.2f} GiB" if row["peak"] else "unknown"
        shown = {"memory": memory, "computed": f"{100 * row['share']:.1f} %", "q": f"{row['q']:.2f}"}
        rows.append({"layer": row["kind"], "clips": size, **times, **shown})
    return pd.DataFrame(rows).set_index("layer")
