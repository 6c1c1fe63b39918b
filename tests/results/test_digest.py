"""Digests: equal for equal contents, different for whatever may change a result."""

import os

import numpy as np
import pytest

from analysis_lib.files import file_digest
from analysis_lib.results import digest as digests
from analysis_lib.results.digest import array_digest, canonical_json, module_digest


def test_an_array_has_the_digest_of_its_file(rng, tmp_path):
    x = rng.normal(size=(3, 4, 5)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    streamed = np.lib.format.open_memmap(tmp_path / "y.npy", "w+", np.float32, x.shape)
    streamed[:] = x
    assert array_digest(x) == file_digest(tmp_path / "x.npy") == file_digest(tmp_path / "y.npy")
    assert array_digest(streamed) == array_digest(np.asfortranarray(x)) == array_digest(x)


def test_type_shape_and_every_value_count(rng):
    x = rng.normal(size=(4, 6))
    changed = x.copy()
    changed[2, 3] = np.nextafter(x[2, 3], 2)
    variants = [x, changed, x.reshape(6, 4), x.astype(np.float32), x.view(np.int64)]
    assert len({array_digest(v) for v in variants}) == len(variants)


def test_what_has_no_plain_contents_is_refused():
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        array_digest(np.array([{}, None], dtype=object))


def test_equal_options_make_one_text(rng):
    alpha = rng.uniform(size=3)
    one = {"a": np.int64(3), "b": alpha, "dtype": np.float32, "c": None}
    other = {"c": None, "dtype": np.dtype("float32"), "b": alpha.copy(), "a": 3}
    assert canonical_json(one) == canonical_json(other)
    assert canonical_json(one) != canonical_json(one | {"b": alpha[::-1]})


@pytest.fixture
def house(tmp_path):
    """A package: top imports middle, middle imports bottom and top, other stands alone."""
    sources = {
        "top": "from house import middle\nimport numpy",
        "middle": "import house.top\ndef f():\n    from house.bottom import x\n    return x",
        "bottom": "x = 1",
        "other": "x = 1",
    }
    (tmp_path / "house").mkdir()
    for name, source in sources.items():
        (tmp_path / "house" / f"{name}.py").write_text(source)
    return tmp_path


def edit(house, name, when=2_000_000_000):
    path = house / "house" / f"{name}.py"
    path.write_text(path.read_text() + "\n# edited")
    os.utime(path, (when, when))


@pytest.mark.parametrize("edited", ["top", "middle", "bottom"])
def test_a_module_changes_with_what_it_imports_in_depth(house, edited):
    before = module_digest("house.top", house)
    edit(house, edited)
    assert module_digest("house.top", house) != before


def test_a_module_does_not_change_with_others(house):
    before = module_digest("house.bottom", house)
    for name in ("top", "middle", "other"):
        edit(house, name)
    assert module_digest("house.bottom", house) == before


def test_modules_with_the_same_text_differ(house):
    assert module_digest("house.bottom", house) != module_digest("house.other", house)


def test_library_versions_are_those_of_the_loaded_packages():
    found = digests.library_versions()
    assert found["numpy"] == np.__version__
    assert set(found) == {"python", "numba", "numpy", "scipy", "torch"}
