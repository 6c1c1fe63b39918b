"""The store: once only, whole or not at all, by two processes, after a kill, within its limit."""

import json
import multiprocessing
import os
import signal
import time
from contextlib import nullcontext

import numpy as np
import pytest
from scipy import sparse

from analysis_lib.errors import UserError
from analysis_lib.results import store as module
from analysis_lib.results.digest import array_digest
from analysis_lib.results.store import Store, open_store

ARRAY = np.arange(600, dtype=np.float32).reshape(3, 200)
SPAWN = multiprocessing.get_context("spawn")


def made(folder=None):
    graph = sparse.csr_array(([0.1, 0.3], ([0, 2], [1, 0])), shape=(3, 3))
    return {"array": ARRAY.copy(), "graph": graph, "facts": {"n": 3, "x": 0.1}}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def fetch(store):
    """Return a function that fetches one result; ``fetch.calls`` counts how often it was made."""

    def call(kind="things", inputs=None, options=None, code="code", about="a thing"):
        def make(folder):
            call.calls += 1
            return made()

        return store.fetch(kind, inputs or {"x": "1"}, options or {}, code, make, about)

    call.calls = 0
    return call


def same(values):
    expected = made()
    np.testing.assert_array_equal(values["array"], expected["array"])
    assert values["array"].dtype == np.float32
    assert type(values["graph"]) is sparse.csr_array
    assert (values["graph"] != expected["graph"]).nnz == 0
    return values["facts"] == expected["facts"] and values.keys() == expected.keys()


def test_what_was_made_once_is_read(fetch, store):
    assert same(fetch())
    assert same(fetch())
    assert fetch.calls == 1
    assert len(store.entries()) == 1


@pytest.mark.parametrize(
    "change",
    [{"kind": "others"}, {"inputs": {"x": "2"}}, {"inputs": {"y": "1"}}, {"options": {"n": 1}}, {"code": "edited"}],
)
def test_whatever_a_result_depends_on_is_in_its_key(fetch, change):
    fetch()
    fetch(**change)
    assert fetch.calls == 2
    fetch(about="told otherwise")
    assert fetch.calls == 2


def test_another_version_of_a_library_makes_another_result(fetch, monkeypatch):
    fetch()
    monkeypatch.setattr(module, "library_versions", lambda: {"numpy": "0"})
    fetch()
    assert fetch.calls == 2


def test_writing_to_an_array_does_not_change_what_is_kept(fetch):
    for _ in range(2):
        fetch()["array"][:] = 0
    assert same(fetch())
    assert fetch.calls == 1


def test_an_array_may_be_streamed_into_the_entry(store):
    def make(folder):
        array = np.lib.format.open_memmap(folder / "array.npy", "w+", np.float32, ARRAY.shape)
        array[:] = ARRAY
        return {"array": array}

    for _ in range(2):
        np.testing.assert_array_equal(store.fetch("t", {}, {}, "", make)["array"], ARRAY)


def test_a_file_is_read_once_for_its_digest_and_its_contents(fetch, monkeypatch):
    """An array is mapped, and the map is digested: a file that takes the name later is not what is used."""
    fetch()
    opened, real = [], np.load
    monkeypatch.setattr(np, "load", lambda path, **how: opened.append(str(path)) or real(path, **how))
    monkeypatch.setattr(module, "file_digests", None)
    assert same(fetch())
    assert len([path for path in opened if path.endswith("array.npy")]) == 1


def test_an_entry_that_hides_a_value_is_computed_anew(fetch, store):
    fetch()
    path = store.entries()[0].folder / "entry.json"
    facts = json.loads(path.read_text())
    del facts["files"]["array.npy"]
    path.write_text(json.dumps(facts))
    assert same(fetch())
    assert fetch.calls == 2


@pytest.mark.parametrize("name", ["array.npy", "graph.npz", "facts.json", "entry.json"])
@pytest.mark.parametrize("damage", ["cut", "flip", "remove", "empty", "[]"])
def test_a_damaged_entry_is_computed_anew_without_a_word(fetch, store, name, damage, caplog):
    fetch()
    path = store.entries()[0].folder / name
    raw = path.read_bytes()
    at = raw.index(b"files") if name == "entry.json" else len(raw) - 9
    changed = {"cut": raw[:-5], "flip": raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]}
    changed |= {"empty": b"", "[]": b"[]"}
    path.unlink() if damage == "remove" else path.write_bytes(changed[damage])
    assert same(fetch())
    assert same(fetch())
    assert fetch.calls == 2
    assert len(store.entries()) == 1
    assert caplog.records == []


def write_together(folder, barrier, results, held):
    def make(_):
        barrier.wait(60) if not held else time.sleep(1.0)  # both are computing where nobody can hold a file
        results.put("made")
        return made()

    if not held:
        module.held = nullcontext
    else:
        barrier.wait(60)
    assert same(Store(folder).fetch("things", {}, {}, "code", make))


@pytest.mark.parametrize("held", [True, False])
def test_two_processes_make_one_entry_at_once_and_one_waits_where_that_is_possible(store, held):
    barrier, results = SPAWN.Barrier(2), SPAWN.Queue()
    writers = [SPAWN.Process(target=write_together, args=(store.folder, barrier, results, held)) for _ in range(2)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        for folder in store.folder.glob("things/[!.]*"):
            assert same(module._load(folder)), "a reader saw a part"
    assert [results.get(timeout=60) for _ in range(1 if held else 2)] == ["made"] * (1 if held else 2)
    assert results.empty()
    assert [writer.exitcode for writer in writers] == [0, 0]
    (entry,) = store.entries()
    assert list(store.folder.glob("things/*")) == [entry.folder]


def write_and_hang(folder, started):
    def make(work):
        (work / "array.npy").write_bytes(b"half")
        started.set()
        time.sleep(600)

    Store(folder).fetch("things", {"x": "1"}, {}, "code", make)


def test_a_killed_writer_leaves_no_entry(store, fetch):
    started = SPAWN.Event()
    writer = SPAWN.Process(target=write_and_hang, args=(store.folder, started))
    writer.start()
    assert started.wait(60)
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    assert store.entries() == []
    (left,) = store.folder.glob("things/.writing-*")
    assert (left / "array.npy").read_bytes() == b"half"
    assert same(fetch())
    assert fetch.calls == 1
    assert not list(store.folder.glob("things/.*"))


def test_a_full_disk_costs_a_warning_not_the_result(fetch, store, monkeypatch, caplog):
    def save(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sparse, "save_npz", save)
    assert same(fetch())
    assert "No space left on device; a result is used without being kept" in caplog.text
    assert list(store.folder.glob("*/*")) == []


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*file/things: Not a directory; STGBOOK_S"):
        Store(tmp_path / "file").fetch("things", {}, {}, "code", made)


def test_small_results_outlive_large_ones(store):
    store.fetch("things", {}, {}, "small", lambda folder: {"number": 1})
    (small,) = store.entries()
    large = Store(store.folder, limit=1001 * small.size)
    for name in ("first", "second"):
        large.fetch("things", {}, {}, name, lambda folder: {"array": np.zeros(170 * small.size)})
    assert small.folder in [entry.folder for entry in store.entries()]
    assert len(store.entries()) == 2


def test_after_a_small_result_nothing_is_looked_for(store, monkeypatch):
    store.fetch("things", {}, {}, "first", lambda folder: {"array": np.zeros(1000)})
    monkeypatch.setattr(Store, "entries", lambda self: pytest.fail("all entries were read"))
    Store(store.folder, limit=2**22).fetch("things", {}, {}, "small", lambda folder: {"number": 1})


def test_the_least_recently_used_go_first(fetch, store):
    fetch()
    (one,) = store.entries()
    small = Store(store.folder, limit=int(2.5 * one.size))
    for i, code in enumerate(("second", "third")):
        small.fetch("things", {"x": "1"}, {}, code, made)
        for k, entry in enumerate(small.entries()):
            os.utime(entry.folder, (1000 * i + k,) * 2)
        fetch()  # the first is in use
    assert fetch.calls == 1
    assert len(small.entries()) == 2
    Store(store.folder, limit=1).fetch("things", {}, {}, "huge", made)
    assert len(store.entries()) == 1  # the new one, whatever its size


def test_clear_takes_a_kind_or_an_age(fetch, store):
    for kind, code in (("things", "a"), ("things", "b"), ("others", "a"), ("others", "b")):
        fetch(kind=kind, code=code)
    for days, entry in enumerate(store.entries()):
        os.utime(entry.folder, (time.time() - days * 86400,) * 2)
    oldest = store.entries()[3].folder
    assert [e.folder for e in store.clear(older_than=2.5)] == [oldest]
    with pytest.raises(UserError, match="unknown kind of result 'thing'; did you mean 'things'"):
        store.clear("thing")
    assert [e.kind for e in store.clear("things")] == ["things", "things"]
    assert [e.kind for e in store.clear()] == ["others"]
    assert store.clear("things") == store.entries() == []


def test_clear_touches_nothing_else(fetch, store):
    fetch()
    mine = store.folder / "things" / "notes.txt"
    mine.write_text("mine")
    store.clear()
    assert list(store.folder.glob("*/*")) == [mine]


def test_an_entry_says_what_it_is_made_from(fetch, store):
    fetch(about="clips")
    fetch(kind="others", inputs={"array": array_digest(ARRAY)}, about="distances")
    first, second = store.entries()
    assert (first.about, second.about) == ("clips", "clips, distances")
    assert first.size > ARRAY.nbytes
    assert first.created <= second.created <= time.time()


@pytest.mark.parametrize(("given", "folder"), [("off", None), ("/some/where", "/some/where")])
def test_the_environment_names_the_store(monkeypatch, given, folder):
    monkeypatch.setenv("STGBOOK_STORE", given)
    assert (open_store() and str(open_store().folder)) == folder
    monkeypatch.delenv("STGBOOK_STORE")
    assert open_store().folder.parts[-2:] == ("_build", "store")
