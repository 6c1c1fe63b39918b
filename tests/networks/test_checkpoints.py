"""Checkpoints: what is stored comes back, damage is named, a user's own model fits in."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import analysis_lib.networks.checkpoints as checkpoints
from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import PREPROCESSINGS
from analysis_lib.errors import UserError
from analysis_lib.networks.checkpoints import (
    checkpoint_digest,
    is_trained,
    load_checkpoint,
    save_checkpoint,
    stored_precision,
)
from analysis_lib.networks.registry import build
from analysis_lib.skeletons.layouts import layout
from analysis_lib.skeletons.skeleton import Skeleton


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    arguments = {"width": 0.125, "dropout": 0.1}
    model = stored_precision(build("stgcn", layout("kinect-20"), 3, 3, **arguments)).eval()
    card = {
        "name": "small",
        "architecture": "stgcn",
        "arguments": arguments,
        "skeleton": layout("kinect-20").to_dict(),
        "class_names": ["a", "b", "c"],
        "in_channels": 3,
        "preprocessing": PREPROCESSINGS["nw-ucla"].to_dict(),
    }
    return model, save_checkpoint(tmp_path, model, card)


def dataset(skeleton):
    return SkeletonDataset("toy", skeleton, [np.ones((1, 4, skeleton.n_joints, 3))], [0], ("a",))


def test_weights_and_card_come_back_exactly(saved, rng):
    model, path = saved
    loaded = load_checkpoint(str(path))
    x = torch.from_numpy(rng.normal(size=(2, 3, 52, 20, 1))).float()
    with torch.no_grad():
        torch.testing.assert_close(loaded.model(x), model(x), rtol=0, atol=0)
    assert loaded.preprocessing == PREPROCESSINGS["nw-ucla"]
    assert loaded.layers == model.layer_names
    assert not loaded.model.training


def test_the_file_is_half_the_size_of_float32(saved):
    model, path = saved
    n_bytes = sum(4 * v.numel() for v in model.state_dict().values())
    assert path.with_suffix(".safetensors").stat().st_size < 0.65 * n_bytes


def test_damaged_weights_are_refused(saved):
    _, path = saved
    weights = path.with_suffix(".safetensors")
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(UserError, match=r"is not the file that was written"):
        load_checkpoint(str(path))


def test_a_damaged_card_is_refused(saved):
    _, path = saved
    path.write_text(path.read_text()[:-20])
    with pytest.raises(UserError, match="is not valid JSON"):
        load_checkpoint(str(path))


def test_another_skeleton_is_refused(saved):
    with pytest.raises(UserError, match=r"trained on the 20 joints of 'kinect-20', but dataset"):
        load_checkpoint(str(saved[1]), dataset(layout("ntu-25")))


def test_unknown_names_list_the_shipped_models():
    with pytest.raises(UserError, match="unknown model 'nw-ucal'; did you mean 'nw-ucla'"):
        load_checkpoint("nw-ucal")
    with pytest.raises(UserError, match=r"say which function makes the network, nets\.py:make"):
        load_checkpoint("nets.py")


def test_a_full_disk_keeps_the_old_checkpoint(saved, monkeypatch):
    model, path = saved
    before = path.with_suffix(".safetensors").read_bytes(), path.read_text()

    def full(file, content):
        file.write_text("half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    card = json.loads(path.read_text())
    with pytest.raises(UserError, match="No space left on device"):
        save_checkpoint(path.parent, model, card)
    assert (path.with_suffix(".safetensors").read_bytes(), path.read_text()) == before
    assert sorted(p.name for p in path.parent.iterdir()) == ["small.json", "small.safetensors"]


def test_the_digest_follows_weights_and_card(saved):
    _, path = saved
    first = checkpoint_digest(str(path))
    assert checkpoint_digest(str(path)) == first
    path.write_text(path.read_text().replace('"small"', '"other"'))
    assert checkpoint_digest(str(path)) != first


FACTORY = """
import torch
from torch import nn
import my_units
WEIGHTS = "my_weights.pt"

class Mine(nn.Module):
    layer_names = ("conv",)
    def __init__(self, channels, classes):
        super().__init__()
        self.conv = nn.Conv2d(channels, 4, 1)
        self.fc = nn.Linear(4, classes)
    def forward(self, x):
        return self.fc(self.conv(x[..., 0]).mean((2, 3)))

def make(data):
    return Mine(data.sequences[0].shape[-1], len(data.class_names))

def restored(data):
    model = make(data)
    model.load_state_dict({k: torch.zeros_like(v) for k, v in model.state_dict().items()})
    return model

def seeded(data):
    torch.manual_seed(0)
    model = nn.Sequential(nn.BatchNorm3d(3), make(data))
    model.layer_names = ("1.conv",)
    return model

def seeded_without_norms(data):
    torch.manual_seed(0)
    return make(data)

def nothing(data):
    return None

def exits(data):
    raise SystemExit("no licence")

def no_layers(data):
    model = make(data)
    model.layer_names = ()
    return model
"""


@pytest.fixture
def own_model(tmp_path, monkeypatch):
    for name, text in (
        ("my_models.py", FACTORY),
        ("my_units.py", ""),
        ("my_weights.pt", ""),
        ("my_exit.py", "raise SystemExit(3)"),
    ):
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield "my_models"
    for name in ("my_models", "my_units"):
        sys.modules.pop(name, None)


def test_a_factory_of_the_users_own(own_model):
    stick = Skeleton("stick", ("foot", "knee"), ((0, 1),))
    loaded = load_checkpoint(f"{own_model}:make", dataset(stick))
    assert loaded.layers == ("conv",)
    assert loaded.model(torch.zeros(2, 3, 5, 2, 1)).shape == (2, 1)


@pytest.mark.parametrize(
    ("factory", "trained"), [("make", False), ("seeded", False), ("seeded_without_norms", False), ("restored", True)]
)
def test_weights_drawn_by_lot_and_norms_that_met_no_batch_are_not_trained(own_model, factory, trained):
    stick = dataset(Skeleton("stick", ("foot", "knee"), ((0, 1),)))
    before = torch.random.get_rng_state()
    first, again = (load_checkpoint(f"{own_model}:{factory}", stick) for _ in range(2))
    assert is_trained(first) == trained
    assert checkpoints.weights_digest(first.model) == checkpoints.weights_digest(again.model)
    assert "seeded" in factory or torch.equal(torch.random.get_rng_state(), before)


def test_a_network_with_a_card_is_trained(saved):
    assert is_trained(load_checkpoint(str(saved[1])))


@pytest.mark.parametrize("edited", ["my_models.py", "my_units.py", "my_weights.pt"])
def test_the_digest_of_a_factory_follows_what_it_imports_and_loads(own_model, tmp_path, edited):
    first = checkpoint_digest(f"{own_model}:make")
    assert checkpoint_digest(f"{own_model}:make") == first
    path = tmp_path / edited
    path.write_text(path.read_text() + "\n# edited")
    os.utime(path, (2_000_000_000,) * 2)
    assert checkpoint_digest(f"{own_model}:make") != first


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("my_models:nothing", "returned NoneType; a torch.nn.Module is needed"),
        ("my_models:exits", "my_models:exits failed with SystemExit: no licence"),
        ("my_exit:make", r"cannot import 'my_exit' \(it calls sys.exit: 3\)"),
        ("my_models:no_layers", "set `model.layer_names`"),
        ("my_models:mak", "unknown factory in 'my_models' 'mak'; did you mean 'make'"),
        ("no_such_module:make", "cannot import 'no_such_module'"),
    ],
)
def test_factories_that_cannot_work_say_why(own_model, factory, message):
    with pytest.raises(UserError, match=message):
        load_checkpoint(factory, dataset(Skeleton("stick", ("foot", "knee"), ((0, 1),))))


@pytest.mark.parametrize("name", ["../../x", "a/b", ".x", ""])
def test_a_checkpoint_is_written_nowhere_else(saved, name):
    model, path = saved
    with pytest.raises(UserError, match="is no name"):
        save_checkpoint(path.parent, model, json.loads(path.read_text()) | {"name": name})


def test_weights_that_are_not_finite_as_they_are_stored_are_refused(saved):
    model, path = saved
    before = path.with_suffix(".safetensors").read_bytes()
    with torch.no_grad():
        model.fcn.weight[0] = 1e6  # infinite in half precision
    with pytest.raises(UserError, match=r"'fcn\.weight' has values that are not finite"):
        save_checkpoint(path.parent, model, json.loads(path.read_text()))
    assert path.with_suffix(".safetensors").read_bytes() == before


def test_unknown_architecture(saved):
    path = saved[1]
    card = json.loads(path.read_text()) | {"architecture": "stgnc"}
    path.write_text(json.dumps(card))
    with pytest.raises(UserError, match="unknown architecture 'stgnc'; did you mean 'stgcn'"):
        load_checkpoint(str(path))


def test_preprocessing_survives_json():
    recipe = replace(PREPROCESSINGS["agcn"], frames=100)
    assert type(recipe)(**json.loads(json.dumps(recipe.to_dict()))) == recipe
