"""Damaged and hostile files at every door: what comes in is sound, or there is one line of error.

``python tests/fuzz.py -n 20000`` starts from valid files, damages each in turn, and lets the library read them, in
processes that may take 2 GiB and 10 s a file. The table at the end counts, a line a door, files that were accepted
with finite contents, files that were refused in one line of fewer than 500 characters, and faults, which are anything
else. The same seed gives the same files.
"""

import argparse
import csv
import io
import json
import math
import multiprocessing
import os
import pickle
import random
import resource
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import torch
from damage import mutated
from torch import nn

from analysis_lib.chapters import recorded
from analysis_lib.chapters.chapter import chapter_names, load_chapter
from analysis_lib.chapters.editions import load_edition
from analysis_lib.chapters.shown import run_html
from analysis_lib.datasets import catalogue
from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import clip_tensors
from analysis_lib.datasets.readers.infant_recordings import read_infants
from analysis_lib.datasets.readers.keypoints import read_keypoints
from analysis_lib.datasets.readers.kinetics import parse_clip, read_kinetics
from analysis_lib.datasets.readers.msr_action3d import read_msr_action3d
from analysis_lib.datasets.readers.npz import read_npz
from analysis_lib.datasets.readers.ntu import read_ntu
from analysis_lib.datasets.readers.nw_ucla import read_nw_ucla
from analysis_lib.datasets.readers.pyskl import read_pyskl
from analysis_lib.errors import UserError
from analysis_lib.files import DATA, file_digest
from analysis_lib.networks.checkpoints import load_checkpoint, load_network, save_checkpoint
from analysis_lib.networks.registry import build
from analysis_lib.networks.training.epochs import Recipe, TrainingState, optimiser
from analysis_lib.networks.training.fit import predict
from analysis_lib.networks.training.queue import queue_status, read_queue
from analysis_lib.networks.training.recipes import read_recipe
from analysis_lib.publishing.runs import Run
from analysis_lib.results.store import Store
from analysis_lib.skeletons.layouts import layout
from analysis_lib.studies.ablations.tables import part_table, run_table
from analysis_lib.studies.claims.papers import load_claims
from analysis_lib.studies.performance.tables import growth_table, load_bench, nnk_table, speed_table, values_table

MEMORY, SECONDS, LINE = 2 * 2**30, 10, 500
PATIENCE = 120  # seconds by the clock, on a machine that has other work
BATCH = 50  # files a process

# ---- the doors


@dataclass(frozen=True)
class Door:
    """A way in: what writes a valid file in a folder and returns its path, and what reads it from there."""

    write: Callable[[Path], Path]
    read: Callable[[Path], object]


KINECT, NTU = layout("kinect-20"), layout("ntu-25")
ARGUMENTS = {"width": 0.125, "dropout": 0.1}


def clips(n_joints: int, n: int = 4, n_channels: int = 3) -> list[np.ndarray]:
    """Return some clips (1, T, V, C)."""
    rng = np.random.default_rng(0)
    return [rng.normal(size=(1, 6 + i, n_joints, n_channels)).round(4).astype(np.float32) for i in range(n)]


DATA_SET = SkeletonDataset("small", KINECT, clips(20), [0, 1, 0, 1], ("sit", "wave"), splits={"train": [0, 1, 2]})


def _text_file(name: str, text: str | bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def _json_file(name: str, value: object) -> Callable[[Path], Path]:
    return _text_file(name, json.dumps(value))


def _shipped(name: str) -> Callable[[Path], Path]:
    return _text_file(Path(name).name, (DATA / name).read_bytes())


def _zip_file(name: str, members: Mapping[str, str]) -> Callable[[Path], Path]:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in members.items():
            archive.writestr(member, text)
    return _text_file(name, out.getvalue())


def _plan(plan) -> object:
    """Return what training would start with."""
    model = build(plan.architecture, KINECT, 2, 3, **plan.arguments)
    optimiser(model.parameters(), plan.recipe)
    rng = np.random.default_rng(plan.recipe.seed)
    return model, clip_tensors(DATA_SET, plan.preprocessing, rng), plan


def _recipe_file(folder: Path) -> Path:
    plan = json.loads((DATA / "recipes" / "default.json").read_text())
    plan["arguments"] |= ARGUMENTS
    return _json_file("mine.json", plan)(folder)


QUEUE = [{"dataset": "small", "name": "mine", "overrides": {"arguments": ARGUMENTS}, "seed": 1, "out": "a"}]


def _noted(path: Path) -> object:
    queue = _json_file("queue.json", QUEUE)(path.parent)
    return queue_status(read_queue(queue), path.parent)


STATUS = {"name": "mine", "state": "training", "epoch": 2, "epochs": 3, "accuracy": 0.5, "seconds": 1.0, "error": ""}


def _checkpoint(folder: Path) -> Path:
    torch.manual_seed(0)
    card = {
        **{"name": "mine", "architecture": "stgcn", "arguments": {**ARGUMENTS, "strategy": "spatial_legacy"}},
        **{"skeleton": KINECT.to_dict(), "class_names": ["sit", "wave"], "in_channels": 3},
        "preprocessing": read_recipe("default").preprocessing.to_dict(),
    }
    return save_checkpoint(folder, build("stgcn", KINECT, 2, 3, **card["arguments"]), card)


def _scores(path: Path) -> object:
    network = load_checkpoint(str(path), DATA_SET)
    x = clip_tensors(DATA_SET.take([0]), network.preprocessing)[0]
    return network, predict(network.model, x)


def _weights(path: Path) -> object:
    card = path.with_suffix(".json")
    known = json.loads(card.read_text()) | {"weights_sha256": file_digest(path)}
    card.write_text(json.dumps(known))
    return _scores(card)


def _foreign(folder: Path) -> Path:
    torch.manual_seed(0)
    torch.save(build("stgcn", KINECT, 2, 3).state_dict(), folder / "mine.pt")
    return folder / "mine.pt"


def _training_state(path: Path | None) -> TrainingState:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    steps = optimiser(model.parameters(), Recipe())
    state = TrainingState.open(model, steps, {"recipe": {"epochs": 3}, "data": "0a"}, path)
    model(torch.ones(4, 3)).sum().backward()
    steps.step()
    return state


def _state_file(folder: Path) -> Path:
    state = _training_state(folder / "mine.state.pt")
    state.finish_epoch({"epoch": 1, "loss": 0.5, "accuracy": 0.5}, averaged=True)
    return state.path


def _resumed(path: Path) -> object:
    state = _training_state(path)
    state.finish_epoch({"epoch": state.epoch + 1, "loss": 0.5, "accuracy": 0.5}, averaged=True)
    return state.model, state.history, state.epoch


def _edition(path: Path) -> object:
    edition = load_edition(path)
    return [edition.parameters(load_chapter(name)) for name in chapter_names()]


FRAME = pd.DataFrame({"layer": ["input", "l1"], "value": [0.5, 0.25], "n": [1, 2]})
FACTS = {
    **{"parameters": {"dataset": "synthetic", "n": 3, "layers": ["l1"]}, "date": "2026-01-01", "code": "0.1.0"},
    **{"data": {"name": "small", "fingerprint": "0a" * 32}, "model": {"name": "mine", "weights": "0b" * 32}},
}


def _record(name: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        recorded.write_record(folder / "mine" / "smoothness", FACTS, {"table": FRAME})
        return folder / "mine" / "smoothness" / name

    return write


def _recorded(path: Path) -> object:
    if path.suffix == ".csv":
        recorded.write_facts(path.parent, FACTS)
    with mock.patch.object(recorded, "PUBLISHED", path.parents[2]):
        facts = recorded.recorded_provenance("mine", "smoothness")
        return facts, run_html(facts, 1.0), recorded.recorded_table("mine", "smoothness")


def _bench(path: Path) -> object:
    record = load_bench(path)
    tables = (speed_table(record), nnk_table(record), growth_table(record), values_table(record))
    return record, [table.select_dtypes("number").drop(columns="gap", errors="ignore").to_numpy() for table in tables]


def _run_facts(path: Path) -> object:
    return Run("smoothness", path.parent, False).facts


RUN = {"inputs": {"parameters": {"n": 3}, "code": "0a"}, "date": "2026-01-01", "files": {"smoothness.ipynb": "0b"}}


def _npz(folder: Path) -> Path:
    DATA_SET.save(folder / "small.npz")
    return folder / "small.npz"


def _skeleton(path: Path) -> object:
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        text = path.read_bytes().decode("latin-1")
    arrays = {"x": np.ones((1, 5, 20, 3)), "labels": [0], "skeleton": np.array(text)}
    np.savez(path.with_suffix(".npz"), **arrays)
    return read_npz(path.with_suffix(".npz"))


UCLA = {"a01_s01_e00_v01": 1, "a02_s01_e00_v03": 2}
UCLA_FILES = {
    f"{name}.json": json.dumps({"file_name": name, "skeletons": x[0].tolist(), "label": label})
    for (name, label), x in zip(UCLA.items(), clips(20), strict=False)
}
MSR_NAME = "a03_s04_e02_skeleton3D.txt"
MSR_TEXT = "".join("{:.4f} {:.4f} {:.4f} 1.0\n".format(*joint) for frame in clips(20)[0][0] for joint in frame)


def _ntu_text() -> str:
    joints = [f"{x:.4f} {y:.4f} {z:.4f} 1 2 3 4 0.1 0 0.9 -0.1 2" for x, y, z in clips(25)[0][0, 0]]
    body = ["72057594037928631 0 1 1 1 1 0 -0.02 -0.27 2", "25", *joints]
    return "\n".join(["2", "1", *body, "2", *body, *(line.replace("631", "630") for line in body)]) + "\n"


NTU_FILES = {"S001C001P001R001A001.skeleton": _ntu_text(), "S001C003P002R001A002.skeleton": _ntu_text()}
PERSON = {"pose": [0.25, 0.5] * 18, "score": [0.5] * 18}
KINETICS = {"data": [{"frame_index": t, "skeleton": [PERSON]} for t in (1, 2)], "label": "sit", "label_index": 0}
LABELS = {"one": {"has_skeleton": True, "label": "sit", "label_index": 0}}


def _kinetics(folder: Path) -> Path:
    for word in ("train", "val"):
        _json_file(f"kinetics_{word}/one.json", KINETICS)(folder)
        _json_file(f"kinetics_{word}_label.json", LABELS)(folder)
    return folder / "kinetics_train_label.json"


def _keypoint_table(folder: Path) -> Path:
    head = ["clip", "frame", "person", "joint", "x", "y", "score", "label", "subject", "view", "split"]
    rows = [
        [clip, t, "p0", joint, t + v, 2 * v, 0.5, clip, 1, 2, split]
        for clip, split in (("nod", "train"), ("wave", "test"))
        for t in range(2)
        for v, joint in enumerate(layout("hand-21").joints)
    ]
    with open(folder / "table.csv", "w", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows([head, *rows])
    return folder / "table.csv"


def _folder_of(name: str, content: object, labels: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        _text_file("poses/labels.csv", labels)(folder)
        return _json_file(f"poses/{name}", content)(folder)

    return write


OPENPOSE = {"people": [{"pose_keypoints_2d": [float(v) for v in range(25 * 3)]}]}
ALPHAPOSE = [
    {"image_id": f"{t}.jpg", "keypoints": [0.5 + t + v for v in range(17 * 3)], "score": 1.0, "idx": 1} for t in (0, 1)
]
LANDMARK = {"x": 0.1, "y": 0.2, "z": 0.3, "visibility": 0.9}
MEDIAPIPE = {"width": 64, "height": 48, "frames": [{"pose_landmarks": [[LANDMARK] * 33]}] * 2}
ALPHA = _folder_of("nod.json", ALPHAPOSE, "clip,label,split\nnod,nod,train\n")


def _labels_file(folder: Path) -> Path:
    return ALPHA(folder).with_name("labels.csv")


INFANT = layout("infant-29").joints


def _infants(name: str) -> Callable[[Path], Path]:
    """Write a folder of a table, of arrays, and of labels: six seconds each, two frames a second."""

    def write(folder: Path) -> Path:
        x = np.random.default_rng(0).normal(size=(12, 29, 2)).round(3) + np.stack([np.arange(29)] * 2, axis=1)
        head = ",".join(f"{joint.replace(' ', '_')}_{axis}" for joint in INFANT for axis in "xy")
        rows = [",".join(map(str, frame.ravel().tolist())) for frame in x]
        _text_file("recordings/anna.csv", "\n".join([head, *rows]))(folder)
        _text_file("recordings/labels.csv", "clip,label,subject,split,rate\nanna,0,1,train,2\nben,1,2,test,2\n")(folder)
        np.savez(folder / "recordings" / "ben.npz", x=x, rate=2.0)
        return folder / "recordings" / name

    return write


def _pickle(folder: Path) -> Path:
    entries = [
        {"frame_dir": f"c{i}", "label": i % 2, "total_frames": x.shape[1], "keypoint": x.astype(np.float16)}
        for i, x in enumerate(clips(25))
    ]
    content = {"split": {"train": ["c0", "c1"], "test": ["c2"]}, "annotations": entries}
    return _text_file("poses.pkl", pickle.dumps(content, 4))(folder)


def _kept(folder: Path, value: int = 3) -> dict:
    made = {"x": np.arange(value), "n": value}
    return Store(folder / "store").fetch("squares", {"data": "0a"}, {"n": value}, "0b", lambda work: made)


def _store_file(pattern: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        _kept(folder)
        return next((folder / "store").rglob(pattern))

    return write


def _fetched(path: Path) -> object:
    folder = path.parents[3]
    Store(folder / "store").entries()
    found = _kept(folder)
    if found["x"].tolist() != [0, 1, 2] or found["n"] != 3:
        raise AssertionError(f"the store gave {found}")
    return found


def _from_manifest(path: Path) -> object:
    _text_file("nw-ucla/all_sqe/a01_s01_e00_v01.json", UCLA_FILES["a01_s01_e00_v01.json"])(path.parent)
    with mock.patch.object(catalogue, "MANIFESTS", path.parent):
        catalogue.available(path.parent)
        return catalogue.load_dataset(path.stem, path.parent)


EDITION = json.loads((DATA / "editions" / "nw-ucla.json").read_text()) | {"name": "mine"}
MANIFEST = json.loads((DATA / "manifests" / "nw-ucla.json").read_text()) | {
    "places": ["nw-ucla/all_sqe"],
    "expected": {"clips": 1, "splits": {"train": 1, "test": 0}},
}

DOORS: dict[str, Door] = {
    "recipe": Door(_recipe_file, lambda path: _plan(read_recipe(str(path)))),
    "queue": Door(_json_file("queue.json", QUEUE), lambda path: [_plan(job.plan()) for job in read_queue(path)]),
    "queue's notes": Door(_text_file("queue.jsonl", json.dumps(STATUS) + "\n" + json.dumps(STATUS)), _noted),
    "card": Door(_checkpoint, _scores),
    "weights": Door(lambda folder: _checkpoint(folder).with_suffix(".safetensors"), _weights),
    "foreign weights": Door(_foreign, lambda path: load_network(str(path), DATA_SET, "stgcn")),
    "training state": Door(_state_file, _resumed),
    "edition": Door(_json_file("mine.json", EDITION), _edition),
    "provenance": Door(_record(recorded.FACTS), _recorded),
    "recorded table": Door(_record("table.csv"), _recorded),
    "claims": Door(_shipped("claims/geometry.json"), lambda path: len(load_claims([path]).claims)),
    "bench": Door(_shipped("published/bench.json"), _bench),
    "results": Door(_shipped("published/ablations.json"), lambda path: len(part_table(run_table(path)))),
    "run": Door(_json_file("run.json", RUN), _run_facts),
    "manifest": Door(_json_file("mine.json", MANIFEST | {"name": "mine"}), _from_manifest),
    "store's entry": Door(_store_file("entry.json"), _fetched),
    "store's array": Door(_store_file("*.npy"), _fetched),
    "npz": Door(_npz, read_npz),
    "skeleton": Door(_json_file("skeleton.json", KINECT.to_dict()), _skeleton),
    "nw-ucla": Door(
        _text_file("ucla/a01_s01_e00_v01.json", UCLA_FILES["a01_s01_e00_v01.json"]),
        lambda path: read_nw_ucla(path.parent),
    ),
    "zip": Door(_zip_file("ucla.zip", UCLA_FILES), read_nw_ucla),
    "msr-action3d": Door(_text_file(f"msr/{MSR_NAME}", MSR_TEXT), lambda path: read_msr_action3d(path.parent)),
    "ntu": Door(_zip_file("ntu.zip", NTU_FILES), read_ntu),
    "kinetics": Door(_json_file("one.json", KINETICS), lambda path: parse_clip(path.read_bytes(), "one.json")),
    "kinetics' labels": Door(_kinetics, lambda path: read_kinetics(path.parent)),
    "keypoints": Door(_keypoint_table, read_keypoints),
    "openpose": Door(
        _folder_of("nod_000000000001_keypoints.json", OPENPOSE, "clip,label\nnod,nod\n"),
        lambda path: read_keypoints(path.parent),
    ),
    "alphapose": Door(ALPHA, lambda path: read_keypoints(path.parent)),
    "mediapipe": Door(
        _folder_of("nod.json", MEDIAPIPE, "clip,label\nnod,nod\n"), lambda path: read_keypoints(path.parent)
    ),
    "keypoints' labels": Door(_labels_file, lambda path: read_keypoints(path.parent)),
    "infants' table": Door(_infants("anna.csv"), lambda path: read_infants(path.parent)),
    "infants' arrays": Door(_infants("ben.npz"), lambda path: read_infants(path.parent)),
    "infants' labels": Door(_infants("labels.csv"), lambda path: read_infants(path.parent)),
    "pyskl": Door(_pickle, read_pyskl),
}


# ---- what comes of it


def is_finite(value: object) -> bool:
    """Return whether all numbers in a value are."""
    if isinstance(value, nn.Module):
        return is_finite(list(value.state_dict().values()))
    if isinstance(value, torch.Tensor):
        return bool(value.isfinite().all())
    if isinstance(value, np.ndarray):
        return value.dtype.kind not in "fc" or bool(np.isfinite(value).all())
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(map(is_finite, value.values()))
    if is_dataclass(value):
        return all(is_finite(getattr(value, field.name)) for field in fields(value))
    return all(map(is_finite, value)) if isinstance(value, list | tuple) else True


def attempt(door: Door, seed: str) -> tuple[str, str]:
    """Return what comes of one damaged file: ``accepted``, ``refused`` or ``fault``, and the message."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = door.write(Path(folder))
        path.write_bytes(mutated(path.read_bytes(), path.suffix, rng))
        try:
            found = door.read(path)
        except UserError as error:
            line = str(error)
            is_line = len(line) < LINE and "\n" not in line and line.isprintable()
            return ("refused" if is_line else "fault"), line.replace(folder, "")
        except BaseException as error:
            return "fault", _where(error)
        return ("accepted", "") if is_finite(found) else ("fault", "accepted, and not finite")


def _where(error: BaseException) -> str:
    """Return an exception and the last line of the library that it went through."""
    place, trace = "", error.__traceback__
    while trace:
        file = Path(trace.tb_frame.f_code.co_filename)
        place = f"{file.name}:{trace.tb_lineno}" if "analysis_lib" in file.parts else place
        trace = trace.tb_next
    return f"{type(error).__name__}: {str(error)[:200]} ({place})"


def _work(name: str, seed: int, first: int, last: int, answers) -> None:
    """Try some files, in a process of its own."""
    warnings.simplefilter("ignore")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY,) * 2)
    for i in range(first, last):
        started = time.process_time()
        outcome = attempt(DOORS[name], f"{seed} {name} {i}")
        is_slow = time.process_time() - started > SECONDS
        answers.send((i, *(("fault", f"took more than {SECONDS} s of a processor") if is_slow else outcome)))


def fuzz(name: str, n: int, seed: int = 0) -> list[tuple[int, str, str]]:
    """Return (number, outcome, message) of ``n`` damaged files at a door."""
    context, found = multiprocessing.get_context("fork"), []
    with tempfile.TemporaryDirectory() as folder:
        assert is_finite(DOORS[name].read(DOORS[name].write(Path(folder)))), f"{name}: a sound file is refused"
    while len(found) < n:
        ours, theirs = context.Pipe(duplex=False)
        worker = context.Process(
            target=_work, args=(name, seed, len(found), min(n, len(found) + BATCH), theirs), daemon=True
        )
        worker.start()
        theirs.close()
        end = min(n, len(found) + BATCH)
        try:
            while len(found) < end:
                if not ours.poll(PATIENCE):
                    found.append((len(found), "fault", f"took more than {PATIENCE} s"))
                    break
                found.append(ours.recv())
        except EOFError:
            worker.join()
            found.append((len(found), "fault", f"the process died ({worker.exitcode})"))
        worker.kill()
        worker.join()
    return found


def main() -> None:
    """Run the fuzz and print its table; faults go to stderr, a line each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-n", type=int, default=20_000, help="files in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("doors", nargs="*", help=f"of {', '.join(DOORS)}; all by default")
    given = parser.parse_args()
    torch.set_num_threads(1)
    chosen = given.doors or list(DOORS)
    total = Counter()
    print(f"{'door':<20}{'files':>8}{'accepted':>10}{'refused':>10}{'faults':>8}")
    for name in chosen:
        found = fuzz(name, math.ceil(given.n / len(chosen)), given.seed)
        counts = Counter(outcome for _, outcome, _ in found)
        total += counts
        _row(name, counts)
        for message, n in Counter(message for _, outcome, message in found if outcome == "fault").most_common():
            print(f"    {name}: {n} x {message}", file=sys.stderr)
    _row("in all", total)
    sys.exit(1 if total["fault"] else 0)


def _row(name: str, counts: Counter) -> None:
    accepted, refused, faults = (counts[kind] for kind in ("accepted", "refused", "fault"))
    print(f"{name:<20}{counts.total():>8}{accepted:>10}{refused:>10}{faults:>8}", flush=True)


if __name__ == "__main__":
    main()
