"""A queue: killed and started again it gives the same networks; what is done stays, what fails is told."""

import json
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from analysis_lib.datasets.catalogue import manifest
from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.errors import UserError
from analysis_lib.files import DATA, ROOT
from analysis_lib.networks.checkpoints import load_checkpoint
from analysis_lib.networks.registry import build
from analysis_lib.networks.training import queue
from analysis_lib.networks.training.queue import (
    Status,
    queue_status,
    read_queue,
    read_results,
    results,
    run_queue,
    write_results,
)
from analysis_lib.skeletons.layouts import layout
from analysis_lib.skeletons.skeleton import Skeleton

SMALL = {
    "arguments": {"width": 0.0625},
    "preprocessing": {"frames": 8},
    "recipe": {"epochs": 6, "warmup": 1, "schedule": "step", "repeats": 2, "averaged": 3, "holdout": 0.2},
}


@pytest.fixture
def toy(rng, tmp_path):
    """The path of a dataset of two classes."""
    labels = np.tile([0, 1], 16)
    clips = [rng.normal(size=(1, 8, 3, 3)) + [0, 3 * label, 0] for label in labels]
    stick = Skeleton("stick", ("foot", "knee", "hip"), ((0, 1), (1, 2)))
    splits = {"train": range(24), "test": range(24, 32)}
    data = SkeletonDataset("toy", stick, clips, labels, ("low", "high"), splits=splits)
    data.save(tmp_path / "toy.npz")
    return str(tmp_path / "toy.npz")


def written(tmp_path, *jobs):
    path = tmp_path / "queue.json"
    path.write_text(json.dumps(jobs))
    return path


def states(found):
    return {status.name: status.state for status in found}


KILLED = """
import os, signal, sys
from pathlib import Path
from analysis_lib.networks.training import epochs, queue

path, out, network, epoch, where = sys.argv[1:]
finish = epochs.TrainingState.finish_epoch


def killed(state, record, **more):
    \"\"\"Die before an epoch is written, or once it is.\"\"\"
    due = network in str(state.path) and record["epoch"] == int(epoch)
    if due and where == "in":
        os.kill(os.getpid(), signal.SIGKILL)
    finish(state, record, **more)
    if due:
        os.kill(os.getpid(), signal.SIGKILL)


epochs.TrainingState.finish_epoch = killed
queue.run_queue(queue.read_queue(Path(path)), out)
"""


def test_a_killed_queue_goes_on_and_ends_with_the_same_weights(toy, tmp_path):
    """The process is killed outright, between two epochs or in one, again and again."""
    path = written(tmp_path, *({"dataset": toy, "name": f"net-{s}", "seed": s, "overrides": SMALL} for s in (0, 1)))
    jobs = read_queue(path)
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert states(run_queue(jobs, whole)) == {"net-0": "done", "net-1": "done"}
    for death in (("net-0", "2", "after"), ("net-0", "4", "in"), ("net-1", "1", "after")):
        done = subprocess.run([sys.executable, "-c", KILLED, path, torn, *death], cwd=ROOT, stderr=subprocess.DEVNULL)
        assert done.returncode == -signal.SIGKILL
    assert states(run_queue(jobs, torn)) == {"net-0": "done", "net-1": "done"}
    for name in ("net-0", "net-1"):
        cards = [json.loads((folder / f"{name}.json").read_text()) for folder in (whole, torn)]
        assert cards[0]["weights_sha256"] == cards[1]["weights_sha256"]
        whole_run, torn_run = ([record | {"seconds": 0} for record in card["history"]] for card in cards)
        assert whole_run == torn_run
        assert load_checkpoint(str(torn / f"{name}.json")).card["epochs_run"] == 6
    assert not list(torn.glob("*.state.pt"))


def test_what_is_trained_is_passed_over_and_what_fails_is_told(toy, tmp_path, monkeypatch):
    path = written(
        tmp_path,
        {"dataset": "no-such-data", "name": "bad"},
        {"dataset": toy, "name": "good", "out": "nets", "overrides": SMALL},
        {"dataset": toy, "name": "wild", "overrides": {**SMALL, "recipe": {"lr": 1e30, "clip_norm": 1e30}}},
    )
    jobs, lines = read_queue(path), []
    found = run_queue(jobs, tmp_path / "out", report=lines.append)
    assert states(found) == {"bad": "failed", "good": "done", "wild": "failed"}
    assert "unknown dataset 'no-such-data'" in found[0].error
    assert any(line.startswith("good: epoch 6/6: loss") for line in lines)
    assert any(line.startswith("wild failed: the loss became") for line in lines)
    noted = [json.loads(line) for line in (tmp_path / "out" / "queue.jsonl").read_text().splitlines()]
    assert [Status(**line) for line in noted] == found == queue_status(jobs, tmp_path / "out")
    card = json.loads((tmp_path / "out" / "nets" / "good.json").read_text())
    assert (found[1].epoch, found[1].accuracy) == (6, card["test_accuracy"])
    called = []
    monkeypatch.setattr(queue, "train_checkpoint", lambda dataset, out, **given: called.append(given["name"]))
    run_queue(jobs, tmp_path / "out")
    assert called == ["bad", "wild"]


def test_a_network_of_another_recipe_is_neither_taken_nor_overwritten(toy, tmp_path):
    (job,) = read_queue(written(tmp_path, {"dataset": toy, "overrides": SMALL}))
    run_queue([job], tmp_path / "out")
    before = (tmp_path / "out" / "toy.json").read_bytes()
    (other,) = read_queue(written(tmp_path, {"dataset": toy, "overrides": SMALL, "seed": 1}))
    (found,) = run_queue([other], tmp_path / "out")
    assert "was trained in another way than the job says" in found.error
    assert (tmp_path / "out" / "toy.json").read_bytes() == before


def test_what_stays_of_networks_that_are_not_kept(toy, tmp_path):
    rows = [{"dataset": toy, "name": f"net-{s}", "seed": s, "overrides": SMALL} for s in (0, 1)]
    jobs, out = read_queue(written(tmp_path, *rows)), tmp_path / "out"
    run_queue(jobs[:1], out)
    found = results(jobs, out)  # the second is not trained yet
    write_results(tmp_path / "found.json", found)
    assert read_results(tmp_path / "found.json") == found
    (one,), card = found, json.loads((out / "net-0.json").read_text())
    assert (one.dataset, one.arguments["width"], one.seed, one.epochs, one.clips) == ("toy", 0.0625, 0, 6, 8)
    assert (one.accuracy, one.fingerprint) == (card["test_accuracy"], card["dataset_fingerprint"])
    run_queue(jobs, out)
    both = results(jobs, out)
    assert len({each.recipe for each in both}) == 2
    assert results(jobs, tmp_path / "elsewhere", both) == both
    assert results(jobs, out, [replace(both[0], accuracy=0.0)]) == both  # what was trained here goes before
    (otherwise,) = read_queue(written(tmp_path, rows[0] | {"seed": 2}))
    assert results([otherwise], tmp_path / "elsewhere", both) == []
    (tmp_path / "found.json").write_text('[{"name": "net"}]')
    with pytest.raises(UserError, match="'0' lacks 'accuracy'"):
        read_results(tmp_path / "found.json")


def test_two_queues_do_not_share_a_folder(toy, tmp_path):
    jobs = read_queue(written(tmp_path, {"dataset": toy, "overrides": SMALL}))
    with queue._lock(tmp_path / "out"), pytest.raises(UserError, match="another queue is at work in"):
        run_queue(jobs, tmp_path / "out")
    assert states(queue_status(jobs, tmp_path / "out")) == {"toy": "waiting"}


def test_a_job_whose_process_is_gone_has_stopped(toy, tmp_path):
    jobs = read_queue(written(tmp_path, {"dataset": toy}))
    noted = Status("toy", "training", epoch=3, epochs=10, seconds=2.0)
    (tmp_path / "queue.jsonl").write_text(json.dumps(vars(noted)))
    assert states(queue_status(jobs, tmp_path)) == {"toy": "stopped"}
    with queue._lock(tmp_path):
        assert queue_status(jobs, tmp_path) == [noted]


def test_the_time_left_is_that_of_the_epochs_to_come():
    assert Status("a", "training", epoch=3, epochs=10, seconds=2.0).seconds_left == 14
    assert Status("a", "waiting", epochs=10).seconds_left is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "is not valid JSON: Expecting value"),
        ('{"dataset": "a"}', "is no queue: expected a list of jobs"),
        ('[{"name": "a"}]', "is no queue: expected a list of jobs"),
        ('[{"dataset": "a", "sede": 1}]', "unknown entry of 0 'sede'; did you mean 'seed'"),
        ('[{"dataset": 3}]', "'0.dataset' must be text"),
        ('[{"dataset": "a", "seed": -1}]', "'0.seed' must be at least 0, got -1"),
        ('[{"dataset": "a", "name": "../x"}]', "name of a job '../x' is no name"),
        ('[{"dataset": "a", "out": "b/../../x"}]', "folder of a job '..' is no name"),
        ('[{"dataset": "a", "overrides": {"x": Infinity}}]', "'0.overrides.x' must be"),
        ('[{"dataset": "a"}, {"dataset": "b/a.npz"}]', "several jobs are named 'a'"),
    ],
)
def test_what_is_no_queue_says_why(tmp_path, text, message):
    (tmp_path / "queue.json").write_text(text)
    with pytest.raises(UserError, match=message):
        read_queue(tmp_path / "queue.json")


@pytest.mark.parametrize("name", ["queue.json", "ablations.json", "licensed.json"])
def test_the_shipped_queues_can_be_trained(tmp_path, name):
    for job in read_queue(DATA / name):
        assert job.plan().recipe.seed == job.seed
        assert job.card(tmp_path) is None


@pytest.mark.parametrize("job", read_queue(DATA / "licensed.json"), ids=lambda job: job.name)
def test_every_network_takes_clips_of_data_that_only_you_have(job):
    """Two clips of the joints, coordinates and classes that the dataset has, as the job prepares them."""
    plan, expected = job.plan(), manifest(job.dataset).expected
    body, n_classes = layout({"ntu-60": "ntu-25", "kinetics-skeleton": "openpose-18"}[job.dataset]), expected["classes"]
    model = build(plan.architecture, body, n_classes, 3, **plan.arguments).eval()
    x = torch.zeros(2, 3, plan.preprocessing.frames, body.n_joints, plan.preprocessing.bodies)
    with torch.no_grad():
        assert model(x).shape == (2, n_classes)
    assert {plan.train_split, plan.test_split} <= set(expected.get("splits", ("train", "test")))
