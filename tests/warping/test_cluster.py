"""Windowed DTW on a cluster: the local run's distances bit for bit, whatever becomes of a worker."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from distributed import Client, KilledWorker, LocalCluster

from analysis_lib import progress
from analysis_lib.cli import main as cli
from analysis_lib.errors import DataError, UserError
from analysis_lib.publishing import runs
from analysis_lib.warping import cluster as dtw_cluster
from analysis_lib.warping import local as dtw_run
from analysis_lib.warping import tiles as dtw_tiles
from analysis_lib.warping.distances import windowed_dtw, windowed_dtw_between
from analysis_lib.warping.options import Warping, prepared

OPTIONS = {"threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}


@pytest.fixture(autouse=True)
def bounded():
    """Stop a test that waits for an answer that never comes."""

    def stop(*_):
        raise AssertionError("no answer for a minute")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(n_workers=2, **OPTIONS) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    with Client(cluster) as client:
        yield client


@pytest.fixture
def machines(tmp_path):
    """A scheduler and two workers, each started by its command; the client, the workers, the scheduler."""
    file = tmp_path / "scheduler.json"

    def dask(*arguments):
        command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard"]
        return subprocess.Popen(command, stderr=subprocess.DEVNULL)

    started = [dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", file)]
    try:
        while not (file.exists() and file.read_text().rstrip().endswith("}")):
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        started += [dask("worker", address, "--nthreads", "1", "--no-nanny", "--name", str(name)) for name in (1, 2)]
        with Client(address) as client:
            client.wait_for_workers(2)
            found = client.scheduler_info()["workers"].items()
            yield client, {worker: started[int(info["name"])] for worker, info in found}, started[0]
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    """Tiles of a few blocks and panels of 16 clips, so that few clips make many tasks."""
    for module in (dtw_tiles, dtw_run):
        monkeypatch.setattr(module, "TILE", (16, 8))
    for module in (dtw_tiles, dtw_run, dtw_cluster):
        monkeypatch.setattr(module, "GROUP", 48)
    monkeypatch.setattr(dtw_tiles, "DIAGONAL", 8)


@pytest.fixture
def ragged(rng):
    return rng.random((101, 9, 6), np.float32), rng.integers(1, 10, 101)


@pytest.mark.parametrize(
    "how",
    [
        Warping(3),
        Warping(3, dtype="float64", relative=True, normalise="sum"),
        Warping(1, metric="sqeuclidean", band=1, normalise="none"),
    ],
)
def test_it_is_the_local_run_bit_for_bit(client, ragged, how):
    np.testing.assert_array_equal(windowed_dtw(*ragged, how, scheduler=client), windowed_dtw(*ragged, how))


def test_queries_against_references(client, ragged):
    x, lengths = ragged
    arguments = (x[:29], x[20:], lengths[:29], lengths[20:], Warping(3))
    found = windowed_dtw_between(*arguments, scheduler=client)
    np.testing.assert_array_equal(found, windowed_dtw_between(*arguments))


def test_few_clips_and_a_cluster_of_ones_own(ragged):
    x, lengths = (part[:5] for part in ragged)
    found = windowed_dtw(x, lengths, Warping(3), scheduler="local", n_jobs=1)
    np.testing.assert_array_equal(found, windowed_dtw(x, lengths, Warping(3)))


def after_each_answer(monkeypatch, act):
    """Call ``act`` with the number of answers so far, whenever one has arrived."""
    answers = dtw_cluster._answers

    def watched(*arguments):
        for count, answer in enumerate(answers(*arguments), 1):
            act(count)
            yield answer

    monkeypatch.setattr(dtw_cluster, "_answers", watched)


def test_a_worker_killed_half_way_loses_nothing(machines, ragged, monkeypatch):
    (client, workers, _), seen = machines, []
    match_panels = dtw_cluster.match_panels

    def slowly(*arguments, **options):
        time.sleep(0.05)  # so that both workers have work in hand all the time
        return match_panels(*arguments, **options)

    def kill_one(count):
        seen.append(count)
        if count == 12:
            next(iter(workers.values())).kill()

    monkeypatch.setattr(dtw_cluster, "TASKS", 12)
    monkeypatch.setattr(dtw_cluster, "match_panels", slowly)
    after_each_answer(monkeypatch, kill_one)
    found = windowed_dtw(*ragged, Warping(3), scheduler=client)
    np.testing.assert_array_equal(found, windowed_dtw(*ragged, Warping(3)))
    assert len(seen) >= 24
    assert len(client.nthreads()) == 1


def test_a_panel_that_only_the_killed_worker_had_is_sent_again(machines, ragged, monkeypatch):
    (client, workers, _), sent = machines, []
    scatter = client.scatter
    monkeypatch.setattr(client, "scatter", lambda *a, **k: sent.extend(scatter(*a, **k)) or sent[-1:])
    monkeypatch.setattr(dtw_cluster, "AHEAD", 1)
    monkeypatch.setattr(dtw_cluster, "_n_threads", lambda _: 1)  # one task at a time

    def kill_the_holder(count):
        if count == 1:
            ((holder,),) = client.who_has(sent).values()
            workers[holder].kill()

    after_each_answer(monkeypatch, kill_the_holder)
    found = windowed_dtw(*ragged, Warping(3), scheduler=client)
    np.testing.assert_array_equal(found, windowed_dtw(*ragged, Warping(3)))
    assert [panel.status for panel in sent].count("finished") == len(sent) - 1


def test_a_panel_that_cannot_be_delivered_is_delivered_later(client, ragged, monkeypatch):
    scatter, attempts = client.scatter, Counter()

    def fails_twice(*arguments, **options):
        attempts["all"] += 1
        if attempts["all"] <= 2:
            raise OSError("connection refused")
        return scatter(*arguments, **options)

    monkeypatch.setattr(client, "scatter", fails_twice)
    found = windowed_dtw(*ragged, Warping(3), scheduler=client)
    np.testing.assert_array_equal(found, windowed_dtw(*ragged, Warping(3)))


def test_a_task_that_no_worker_survives_is_an_error(client, ragged, monkeypatch):
    def deadly(*arguments, **options):
        raise KilledWorker("task", SimpleNamespace(address="tcp://worker"), 4)

    def refuse(*arguments, **options):
        raise OSError("connection refused")

    for place, name, fate in ((dtw_cluster, "match_panels", deadly), (client, "scatter", refuse)):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, fate)
            with pytest.raises(UserError, match="lost again and again at one task; have they"):
                windowed_dtw(*ragged, Warping(3), scheduler=client)


def test_a_scheduler_that_stays_without_workers(ragged, monkeypatch):
    monkeypatch.setattr(dtw_cluster, "PATIENCE", 0.2)
    with LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as cluster:
        address = cluster.scheduler_address
        with pytest.raises(UserError, match=f"{address} had no worker for .* dask worker {address}"):
            windowed_dtw(*ragged, scheduler=address)


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:1", "tcp://127.0.0.1", "tpc://127.0.0.1:1", "tls://127.0.0.1:1", "locl"]
)
def test_nobody_at_an_address(ragged, monkeypatch, address):
    monkeypatch.setattr(dtw_cluster, "ANSWER", 0.2)
    with pytest.raises(UserError, match=f"no Dask scheduler answers at '{address}'.*tcp://host:8786"):
        windowed_dtw(*ragged, scheduler=address)


def test_a_socket_that_takes_calls_and_never_speaks(monkeypatch):
    monkeypatch.setattr(dtw_cluster, "ANSWER", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(UserError, match=r"silent for 0\.2 s\).*8786 \(8787 is its dashboard's"):
            dtw_cluster.check_scheduler(address)


def test_a_scheduler_that_dies_half_way_is_one_line(machines, ragged, monkeypatch, capfd):
    client, _, scheduler = machines
    after_each_answer(monkeypatch, lambda count: scheduler.kill())
    with pytest.raises(UserError, match=r"the Dask scheduler at tcp:.* has gone away"):
        windowed_dtw(*ragged, Warping(3), scheduler=client)
    assert capfd.readouterr().err == ""


def test_other_versions_are_an_error_and_other_kernels_a_warning(client, ragged, monkeypatch):
    monkeypatch.setattr(dtw_cluster, "threadpool_info", lambda: [{"architecture": "Z80"}])
    with pytest.warns(UserWarning, match="this process with Z80: last digits may differ"):
        windowed_dtw(*ragged, scheduler=client)
    monkeypatch.undo()
    monkeypatch.setattr(dtw_cluster, "CODE", "other")
    with pytest.raises(UserError, match="a worker runs other code of stgbook than this process"):
        windowed_dtw(*ragged, scheduler=client)
    versions = client.get_versions(packages=dtw_cluster.PACKAGES)
    next(iter(versions["workers"].values()))["packages"]["numba"] = "0.1"
    monkeypatch.setattr(client, "get_versions", lambda **_: versions)
    with pytest.raises(UserError, match=r"tcp://.* has numba 0\.1, but this machine has \d"):
        windowed_dtw(*ragged, scheduler=client)


def test_no_more_than_a_few_tasks_are_in_hand(client, ragged, monkeypatch):
    settled, most = dtw_cluster._settled, []
    monkeypatch.setattr(dtw_cluster, "_settled", lambda r: most.append(len(r)) or settled(r))
    windowed_dtw(*ragged, Warping(3), scheduler=client)
    assert max(most) == 2 * dtw_cluster.AHEAD


def test_the_bar_counts_pairs(client, ragged, capsys):
    seen = []
    after = progress.tqdm.update
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress.tqdm, "update", lambda bar, n: seen.append(n) or after(bar, n))
        windowed_dtw(*ragged, Warping(3), scheduler=client, progress=True)
    assert sum(seen) == 101 * 100 // 2
    assert "5.05k" in capsys.readouterr().err


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("n_wanted", [1, 5, 40, 1000])
@pytest.mark.parametrize("max_memory", [2**14, 19_000, 30_400, 2**20])
def test_every_tile_of_the_local_run_is_in_one_parcel(ragged, symmetric, n_wanted, max_memory):
    (clips,), rule = prepared(Warping(3), x=ragged)
    wanted = dtw_tiles.tiles(rule, *[range(clips.n_blocks)] * 2, symmetric)
    found = dtw_cluster.divided(clips, clips, rule, symmetric, max_memory, n_wanted)
    assert sorted(tile for parcel in found for tile in parcel.tiles) == sorted(wanted)
    assert len(found) >= min(n_wanted, len(wanted))
    room = dtw_run.room_for(rule, max_memory, n_jobs=1)
    for (_, rows), (_, columns), tiles in found:
        assert len(rows) + len(columns) <= room
        for tile in tiles:
            assert {*range(tile.top, tile.bottom)} <= {*rows}
            assert {*range(tile.start, tile.stop)} <= {*columns}


def test_a_nan_names_the_clip_and_a_device_is_refused(client, ragged):
    x, lengths = ragged
    x[37, 0, 2] = np.nan
    with pytest.raises(DataError, match="clip 37 of embeddings"):
        windowed_dtw(x, lengths, Warping(3), scheduler=client)
    with pytest.raises(UserError, match="take no device, got 'cuda'"):
        windowed_dtw(x, lengths, Warping(3), scheduler=client, device="cuda")


def test_the_command_line_hands_the_scheduler_on(cluster, monkeypatch, capsys):
    handed = []
    monkeypatch.setenv("STGBOOK_SCHEDULER", "")
    monkeypatch.setattr(dtw_cluster, "ANSWER", 0.2)
    monkeypatch.setattr(runs, "run_chapter", lambda *a, **k: handed.append(os.environ["STGBOOK_SCHEDULER"]))
    for address in (cluster.scheduler_address, "local", "tcp://127.0.0.1:1"):
        with pytest.raises(SystemExit) as done:
            cli.main(["run", "smoothness", "--no-html", "--scheduler", address])
    assert handed == [cluster.scheduler_address, "local"]
    assert done.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("stgbook: error: no Dask scheduler answers at 'tcp://127.0.0.1:1'")
    assert error.count("\n") == 1
