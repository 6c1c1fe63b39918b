"""Label smoothness of one layer at the size of NTU's test split, without the matrix of all pairs."""

import math
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from scipy import sparse

from analysis_lib.bench.clips import moving_clips
from analysis_lib.bench.machine import peak_memory
from analysis_lib.bench.rounds import seconds_of
from analysis_lib.files import BUILD
from analysis_lib.geometry.smoothness import class_smoothness
from analysis_lib.nnk.weights import nnk_weights
from analysis_lib.warping.distances import windowed_dtw
from analysis_lib.warping.nearest import windowed_dtw_knn, windowed_dtw_pairs

#: what generated clips are like (see `moving_clips`)
KINDS = {"early": {"latent": 24, "within": 1.0, "noise": 0.3}, "late": {"latent": 12, "within": 0.4, "noise": 0.1}}
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
    """Return what the smoothness of a generated layer costs: from features on disk to the NNK graph and q.

    Returns
    -------
    dict
        ``kind``, ``clips``, ``frames``, ``features``, ``neighbours``; ``pairs`` that there are, and those
        ``computed``; ``seconds``; ``matrix``, the seconds that all pairs would take, scaled from those of the
        first clips; ``peak``, bytes of memory at most, without the pages of the file of features; ``q``, the
        mean over classes of the edge weight that leaves the class.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as place:
        file = Path(place) / "clips.npy"
        clips, classes = moving_clips(n_clips, n_frames, n_features, file=file, **KINDS[kind])
        few, found = clips[:FEW], {}
        windowed_dtw(few[: n_neighbors + 1])  # compiles
        matrix = seconds_of(lambda: windowed_dtw(few)) * math.comb(n_clips, 2) / math.comb(len(few), 2)
        with peak_memory() as peak:
            seconds = seconds_of(lambda: found.update(graph=layer_graph(clips, n_neighbors)))
    graph, n_computed = found["graph"]
    return {
        "kind": kind,
        "clips": n_clips,
        "frames": n_frames,
        "features": n_features,
        "neighbours": n_neighbors,
        "pairs": math.comb(n_clips, 2),
        "computed": n_computed,
        "seconds": seconds,
        "matrix": matrix,
        "peak": peak[0],
        "q": float(class_smoothness(graph, classes)["normalised"].mean()),
    }


def layer_graph(x, k):  # until geometry.graphs has it
    found = windowed_dtw_knn(x, k, max_memory=MEMORY)
    n = len(x)
    a, b = np.triu_indices(k + 1, 1)
    sets = np.concatenate([np.arange(n)[:, None], found.indices], axis=1)
    pairs = np.unique(np.sort(np.stack([sets[:, a].ravel(), sets[:, b].ravel()], 1), axis=1), axis=0)
    d = windowed_dtw_pairs(x, pairs, max_memory=MEMORY)
    kernel = sparse.coo_array((1 - d.astype(float), pairs.T), shape=(n, n)).tocsr()
    kernel = sparse.csr_array(kernel + kernel.T + sparse.eye_array(n))
    kernel.sort_indices()
    r = nnk_weights(kernel, found.indices)
    g = sparse.csr_array((r.weights.ravel(), (np.repeat(np.arange(n), k), found.indices.ravel())), shape=(n, n))
    return sparse.csr_array(g.maximum(g.T)), found.n_computed


def layer_table(record: dict) -> pd.DataFrame:
    """Return a row for each kind of layer: the record, and ``share``, that of the pairs that were computed."""
    table = pd.DataFrame(record["layer"])
    return table.assign(share=table["computed"] / table["pairs"])


def layer_overview(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each kind of layer, for people."""
    rows = []
    for row in table.to_dict("records"):
        size = "{clips:,} x {frames} x {features:,}".format(**row)
        memory = "unknown" if row["peak"] is None else f"{row['peak'] / 2**30:.2f} GiB"
        times = {name: f"{row[key] / 60:.1f} min" for name, key in (("graph", "seconds"), ("matrix", "matrix"))}
        shown = {"memory": memory, "computed": f"{100 * row['share']:.1f} %", "q": f"{row['q']:.2f}"}
        rows.append({"layer": row["kind"], "clips": size, **times, **shown})
    return pd.DataFrame(rows).set_index("layer")
