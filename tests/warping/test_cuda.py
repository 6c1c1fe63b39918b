"""Windowed DTW in PyTorch: the distances of the compiled kernels, whatever the memory or device.

Without a CUDA device the same code runs on PyTorch's processor.
"""

import re
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from analysis_lib.errors import DataError, UserError
from analysis_lib.warping import cuda as dtw_torch
from analysis_lib.warping import distances
from analysis_lib.warping.distances import windowed_dtw, windowed_dtw_between
from analysis_lib.warping.options import Warping, prepared
from analysis_lib.warping.tiles import Crew

DEVICE = "cuda" if torch.cuda.is_available() else "cpu:0"
TOLERANCE = {"float32": 2e-5, "float64": 1e-9}


def clips(seed, n=21, frames=9, features=4, shortest=1, kind="generic"):
    """Return clips and lengths; those of kind "ties" hold many equally cheap paths, and zeros."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, frames, features))
    if kind == "ties":
        x = np.eye(features + 1, features)[rng.integers(0, features + 1, (n, frames))]
    return x.astype(np.float32), rng.integers(shortest, frames + 1, n)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    metric=st.sampled_from(["cosine", "sqeuclidean"]),
    kind=st.sampled_from(["generic", "ties"]),
    m=st.integers(1, 4),
    normalise=st.sampled_from(["path", "none", "sum"]),
    relative=st.booleans(),
    band=st.sampled_from([None, 0, 1, 3]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_equals_the_compiled_kernels(seed, metric, kind, m, normalise, relative, band, dtype):
    if metric == "sqeuclidean":  # no window may be empty, and ties are lost in the rounding
        x, lengths = clips(seed, shortest=7)
    else:
        x, lengths = clips(seed, kind=kind)
    how = Warping(m, metric, band, normalise, relative, dtype=dtype)
    wanted = windowed_dtw(x, lengths, how)
    found = windowed_dtw(x, lengths, how, device=DEVICE)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, found.T)
    assert metric != "cosine" or normalise == "none" or found.max() <= 1
    np.testing.assert_allclose(found, wanted, atol=TOLERANCE[dtype] * max(1, wanted.max()))
    wanted = windowed_dtw_between(x[:5], x[5:], lengths[:5], lengths[5:], how)
    found = windowed_dtw_between(x[:5], x[5:], lengths[:5], lengths[5:], how, device=DEVICE)
    np.testing.assert_allclose(found, wanted, atol=TOLERANCE[dtype] * max(1, wanted.max()))


def test_costs_are_rounded_to_the_nearest_quantum_and_none_is_negative():
    x, _ = clips(0, n=40, features=64)
    found = windowed_dtw(x, how=Warping(dtype="float64"), device=DEVICE)
    assert np.abs(found - windowed_dtw(x, how=Warping(dtype="float64"))).mean() < 2.0**-44  # a quantum is 2^-40
    copies = np.repeat(10 + x[:5], 8, axis=0)
    found = windowed_dtw(copies, how=Warping(metric="sqeuclidean", normalise="none"), device=DEVICE)
    assert found.min() == 0


def every_path(n_a, n_b):
    """Return all warping paths, as lists of cells."""

    @cache
    def to(i, j):
        if min(i, j) < 0:
            return []
        before = [path for p in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) for path in to(*p)]
        return [[*path, (i, j)] for path in before or [[]]] if before or i == j == 0 else []

    return to(n_a - 1, n_b - 1)


@pytest.mark.parametrize("kind", ["generic", "ties"])
def test_is_the_best_of_all_paths(kind):
    x, lengths = clips(3, n=6, frames=5, features=3, kind=kind)
    found = windowed_dtw(x, lengths, Warping(1, dtype="float64"), device=DEVICE)
    unit = x / np.maximum(np.linalg.norm(x, axis=2, keepdims=True), 1e-9)
    zero = ~x.any(axis=2)
    for a, b in np.argwhere(~np.eye(6, dtype=bool)):
        local = np.clip(1 - unit[a].astype(float) @ unit[b].T, 0, 1)
        local[np.ix_(zero[a], zero[b])] = 0
        costs = [(round(sum(local[c] for c in path), 6), len(path)) for path in every_path(lengths[a], lengths[b])]
        assert found[a, b] == pytest.approx(np.divide(*min(costs)), abs=1e-5)


@pytest.mark.parametrize("kibibytes", [72, 96, 128, 2**20])
def test_memory_does_not_change_the_distances(monkeypatch, kibibytes):
    monkeypatch.setattr(dtw_torch, "SIDE", 16)
    x, lengths = clips(0, n=61)
    options = {"max_memory": 1024 * kibibytes, "device": DEVICE}
    found = windowed_dtw(x, lengths, Warping(3), **options)
    np.testing.assert_allclose(found, windowed_dtw(x, lengths, Warping(3)), atol=2e-6)
    arguments = (x[:29], x, lengths[:29], lengths, Warping(3))
    found = windowed_dtw_between(*arguments, **options)
    np.testing.assert_allclose(found, windowed_dtw_between(*arguments), atol=2e-6)


class Held(TorchDispatchMode):
    """Records the most bytes that tensors held at any time."""

    def __init__(self):
        super().__init__()
        self.held, self.most = {}, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in tree_leaves((args, result)):
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                self.held[storage._cdata] = StorageWeakRef(storage), storage.nbytes()
        self.held = {key: kept for key, kept in self.held.items() if not kept[0].expired()}
        self.most = max(self.most, sum(size for _, size in self.held.values()))
        return result


@pytest.mark.parametrize("band", [None, 2])
@pytest.mark.parametrize(("frames", "features"), [(9, 4), (6, 1000), (24, 5)])
def test_no_more_memory_is_held_than_allowed(frames, features, band):
    x, lengths = clips(0, 150, frames, features, shortest=frames - 2)
    for mebibytes in (2, 6):
        with Held() as record:
            windowed_dtw(x, lengths, Warping(1, band=band), max_memory=mebibytes * 2**20, device=DEVICE)
        assert 0.15 < record.most / 2**20 / mebibytes <= 1


def test_rows_that_fit_are_held_and_columns_packed_once_for_all_of_them(monkeypatch):
    seen = []
    packed = dtw_torch.Block.packed
    monkeypatch.setattr(dtw_torch.Block, "packed", lambda *a: seen.append(a[2][0]) or packed(*a))
    monkeypatch.setattr(dtw_torch, "sizes", lambda *a: (8, 3))
    windowed_dtw(clips(0, n=40)[0], device=DEVICE)  # five blocks: 0-2 against 0-4, 3-4 against 3-4
    assert seen == [0, 1, 2, 3, 4, 3, 4]


def test_the_bar_ends_where_all_pairs_are_counted(monkeypatch):
    bars = []
    bar = distances.progress_bar
    monkeypatch.setattr(distances, "progress_bar", lambda *a: bars.append(bar(*a)) or bars[-1])
    monkeypatch.setattr(dtw_torch, "SIDE", 8)
    x, _ = clips(0)
    windowed_dtw(x, progress=True, device=DEVICE)
    windowed_dtw_between(x[:5], x, progress=True, device=DEVICE)
    assert [(b.n, b.total) for b in bars] == [(210, 210), (105, 105)]


def test_too_little_memory_says_how_much_suffices():
    x, _ = clips(0, n=20, frames=60, features=900)
    with pytest.raises(UserError, match=r"of 1 MiB is too little for clips of 60 frames") as error:
        windowed_dtw(x, max_memory=2**20, device=DEVICE)
    enough = int(re.search(r"(\d+) MiB suffice", str(error.value))[1])
    windowed_dtw(x, max_memory=enough * 2**20, device=DEVICE)
    with pytest.raises(UserError, match="MiB suffice"):
        windowed_dtw(x, max_memory=(enough - 1) * 2**20, device=DEVICE)


@pytest.mark.parametrize(("band", "normalise"), [(None, "path"), (1, "sum")])
def test_a_strip_stays_on_its_device_and_waits_for_no_value(band, normalise):
    (found,), rule = prepared(Warping(3, band=band, normalise=normalise), embeddings=clips(0))
    with Crew(1) as crew:
        block = dtw_torch.Block.packed(found, rule, range(3), crew, torch.device("cpu"))
    tensors = {key: [t.to("meta") for t in getattr(block, key)] for key in block._fields[1:]}
    block = block._replace(**tensors)  # tensors without values: reading one is an error
    result = dtw_torch.strip([block, block], block, rule, on_diagonal=True)
    assert (result.device.type, result.dtype, result.shape) == ("meta", torch.float32, (42, 21))


def test_products_are_of_full_precision_whatever_the_caller_allows(monkeypatch):
    x, lengths = clips(0)
    wanted = windowed_dtw(x, lengths, device=DEVICE)
    matmul = torch.backends.cuda.matmul
    strip, seen = dtw_torch.strip, []
    monkeypatch.setattr(dtw_torch, "strip", lambda *a: seen.append(matmul.fp32_precision) or strip(*a))
    before, matmul.fp32_precision = matmul.fp32_precision, "tf32"
    try:
        with torch.autocast(torch.device(DEVICE).type, torch.bfloat16):
            np.testing.assert_array_equal(windowed_dtw(x, lengths, device=DEVICE), wanted)
        assert set(seen) == {"ieee"}
        assert matmul.fp32_precision == "tf32"
    finally:
        matmul.fp32_precision = before


def test_the_clip_with_a_nan_is_named_and_padding_is_never_read():
    x, lengths = clips(0)
    lengths[7] = 5
    wanted = windowed_dtw(x, lengths, device=DEVICE)
    x[7, 5:] = np.nan
    np.testing.assert_array_equal(windowed_dtw(x, lengths, device=DEVICE), wanted)
    x[7, 4, 0] = np.inf
    with pytest.raises(DataError, match="clip 7 of embeddings holds a NaN or infinity"):
        windowed_dtw(x, lengths, device=DEVICE)


@pytest.mark.parametrize(
    ("device", "message"),
    [
        (
            f"cuda:{torch.cuda.device_count()}",
            r"there is no device 'cuda:\d+': PyTorch .* finds \d+"
            r" CUDA devices; take device='cpu', or a PyTorch with CUDA",
        ),
        ("gpu", "device must be 'cpu', 'cuda' or 'cuda:1' and so on, got 'gpu'"),
        ("mps", "got 'mps'"),
        (None, "got 'None'"),
    ],
)
def test_devices_that_are_not_there(device, message):
    with pytest.raises(UserError, match=message):
        windowed_dtw(np.ones((3, 4, 2)), device=device)
    with pytest.raises(UserError, match=message):
        windowed_dtw_between(np.ones((3, 4, 2)), np.ones((3, 4, 2)), device=device)


def test_the_compiled_kernels_need_no_pytorch():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np\n"
        "from analysis_lib.warping.distances import windowed_dtw\n"
        "print(windowed_dtw(np.ones((2, 4, 1))).sum())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "0.0\n", done.stderr
