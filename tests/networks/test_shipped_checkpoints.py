"""The networks that come with the book are what their cards say, to the last clip."""

import pytest

from analysis_lib.datasets.catalogue import load_dataset
from analysis_lib.files import DATA
from analysis_lib.networks.checkpoints import CHECKPOINTS, load_checkpoint
from analysis_lib.networks.training.epochs import Recipe
from analysis_lib.networks.training.fit import evaluate
from analysis_lib.networks.training.queue import read_queue
from analysis_lib.networks.training.recipes import read_recipe

NAMES = sorted(path.stem for path in CHECKPOINTS.glob("*.json"))


@pytest.fixture(params=NAMES)
def shipped(request):
    """Return the checkpoint and its dataset; skip where the recordings are not on this machine."""
    if request.param.startswith("nw-ucla"):
        request.getfixturevalue("real_data_root")
    data = load_dataset(load_checkpoint(request.param).card["dataset"])
    return load_checkpoint(request.param, data), data


def test_the_editions_have_networks():
    assert {"synthetic", "nw-ucla", "nw-ucla-known"} <= set(NAMES)


def test_the_cards_accuracy_is_computed_again_from_the_weights(shipped):
    checkpoint, data = shipped
    test = data.split(checkpoint.card["test_split"])
    found = evaluate(checkpoint.model, test, checkpoint.preprocessing)
    assert found["n"] == checkpoint.card["n_test"]
    # one clip may tip over between processors
    assert found["accuracy"] == pytest.approx(checkpoint.card["test_accuracy"], abs=1.01 / found["n"])


def test_the_network_was_trained_on_these_very_data(shipped):
    checkpoint, data = shipped
    if data.name == "synthetic":
        assert checkpoint.card["n_train"] == len(data.split("train"))
    else:
        assert checkpoint.card["dataset_fingerprint"] == data.fingerprint


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_recipe_is_the_one_that_was_used(name):
    jobs = {job.name: job for job in read_queue(DATA / "queue.json")}
    plan, card = jobs[name].plan() if name in jobs else read_recipe(name), load_checkpoint(name).card
    assert Recipe(**card["recipe"]) == plan.recipe
    assert card["preprocessing"] == plan.preprocessing.to_dict()
    assert card["arguments"] == plan.arguments


def test_the_real_network_reaches_ninety_per_cent():
    card = load_checkpoint("nw-ucla").card
    assert card["arguments"]["width"] == 1.0
    assert card["test_accuracy"] >= 0.90
