"""Digests: equal for equal contents, different for whatever may change a result."""

import json
import os
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

from analysis_lib import __version__
from analysis_lib.files import ROOT, file_digest
from analysis_lib.results.digest import (
    array_digest,
    canonical_json,
    class_digest,
    closure,
    code_version,
    imported_modules,
    library_versions,
    module_digest,
)


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


SOURCES = {
    "__init__.py": "",
    "top.py": "from house import middle\nimport numpy",
    "middle.py": "import house.top\ndef f():\n    from house.low.bottom import x\n    return x",
    "low/__init__.py": "from .beside import y",
    "low/bottom.py": "from .. import above\nx = 1",
    "low/beside.py": "y = 1",
    "above.py": "",
    "registry.py": "CHOICES = {'a': 'house.drop.a:make'}\nload(f'house.drop.{name}.part')\nload(f'{__package__}.late')",
    "drop/a.py": "",
    "drop/b/part.py": "",
    "drop/b/whole.py": "",
    "late.py": "",
    "shown.py": "ASSETS = Path(__file__).parent / 'assets'\nmain = ASSETS / 'main.js'",
    "assets/main.js": "draw()",
    "assets/spare.js": "",
    "other.py": "x = 'house.middle is spoken of'\nmain = 'assets/main.js'",
}


@pytest.fixture
def house(tmp_path):
    """A package with packages in it, a registry that imports by name, and files that a module ships."""
    for name, source in SOURCES.items():
        path = tmp_path / "house" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("house.top", "__init__ top middle low/__init__ low/bottom low/beside above"),
        ("house.low.bottom", "__init__ low/__init__ low/bottom low/beside above"),
        ("house.registry", "__init__ registry drop/a drop/b/part late"),
        ("house.other", "__init__ other"),
        ("house.shown", "__init__ shown assets/main.js"),
        ("house.no_such_module", "__init__"),
    ],
)
def test_a_module_needs_what_it_imports_or_names_in_depth_and_nothing_else(house, name, needed):
    expected = {f"house/{place}" if "." in place else f"house/{place}.py" for place in needed.split()}
    assert set(closure([name], [house])) == expected


@pytest.mark.parametrize("edited", ["top.py", "low/__init__.py", "low/beside.py", "above.py"])
def test_its_digest_changes_with_each_file_that_it_needs(house, edited):
    before = module_digest("house.top", roots=[house])
    other = module_digest("house.registry", roots=[house])
    path = house / "house" / edited
    path.write_text(path.read_text() + "\n# edited")
    os.utime(path, (2_000_000_000,) * 2)
    assert module_digest("house.top", roots=[house]) != before
    assert module_digest("house.registry", roots=[house]) == other


def test_modules_with_the_same_text_differ(house):
    assert module_digest("house.late", roots=[house]) != module_digest("house.above", roots=[house])


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """A user's network in a folder that holds more: what it imports, and weights that it reads."""
    for name, source in {
        "nets/small.py": "from nets import units\nfrom torch import nn\n"
        "class Net(nn.Linear): pass\ndef load(k): return '..', '/', open('best.pt'), open(f'nets/folds/{k}.pt')",
        "nets/units.py": "",
        "nets/folds/one.pt": "1",
        "nets/units.txt": "notes",
        "best.pt": "1",
        "other.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] == "nets"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("edited", "counts"),
    [
        ("nets/small.py", True),
        ("nets/units.py", True),
        ("best.pt", True),
        ("other.py", False),
        ("nets/units.txt", False),
    ],
)
def test_a_network_of_one_s_own_counts_with_what_it_imports_and_loads(nets, edited, counts):
    net = import_module("nets.small").Net(2, 2)
    before = class_digest(net)
    (nets / edited).write_text("# edited")
    os.utime(nets / edited, (2_000_000_000,) * 2)
    assert (class_digest(net) != before) == counts


def test_libraries_count_by_their_version_alone():
    assert class_digest(np.random.default_rng(0)) == class_digest()
    assert class_digest(3) == class_digest(4)


def test_a_notebook_s_closure_has_all_that_it_loads():
    """What is loaded on import, found out by loading it, is in the closure that was read from the sources."""
    path = ROOT / "book" / "smoothness.ipynb"
    cells = [c["source"] for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]
    imports = [line for cell in cells for line in "".join(cell).splitlines() if line.startswith(("from", "import"))]
    program = "\n".join([*imports, "import sys", "print(*[m for m in sys.modules if m.startswith('analysis_lib')])"])
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    found = closure(imported_modules("\n".join(imports)))
    assert {name.replace(".", "/") for name in loaded} <= {
        place.removesuffix(".py").removesuffix("/__init__") for place in found
    }
    assert "analysis_lib/warping/cluster.py" in found  # imported when it is called for
    assert not any(
        place.startswith(("analysis_lib/publishing", "analysis_lib/cli", "analysis_lib/bench")) for place in found
    )


def test_library_versions_are_those_of_the_loaded_packages():
    found = library_versions()
    assert found["numpy"] == np.__version__
    assert set(found) == {"python", "numba", "numpy", "scipy", "torch"}


def git(folder, *arguments):
    subprocess.run(
        ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b", *arguments], check=True, capture_output=True
    )


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "analysis_lib").mkdir()
    (tmp_path / "analysis_lib" / "a.py").write_text("1")
    git(tmp_path, "init")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "-m", "one")
    return tmp_path


def test_the_version_has_the_commit_and_says_when_the_code_differs(repository):
    clean = code_version(repository)
    assert clean.startswith(f"{__version__} (")
    assert "+changes" not in clean
    (repository / "remark.txt").write_text("not code")
    assert code_version(repository) == clean
    (repository / "analysis_lib" / "a.py").write_text("2")
    assert code_version(repository) == clean[:-1] + "+changes)"


def test_a_folder_inside_somebody_else_s_repository_has_no_commit(repository):
    assert code_version(repository / "analysis_lib") == __version__


def test_without_git_the_version_stands_alone(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert code_version(repository) == __version__
