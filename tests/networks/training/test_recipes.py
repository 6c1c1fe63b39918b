"""Recipes: every shipped one is whole; training by name gives a checkpoint that loads."""

import json
from dataclasses import replace

import numpy as np
import pytest

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.errors import UserError
from analysis_lib.files import DATA
from analysis_lib.loading import read_json
from analysis_lib.networks.checkpoints import load_checkpoint
from analysis_lib.networks.training.fit import evaluate
from analysis_lib.networks.training.queue import read_queue
from analysis_lib.networks.training.recipes import RECIPES, read_recipe, train_checkpoint
from analysis_lib.skeletons.skeleton import Skeleton


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.json")), ids=lambda p: p.stem)
def test_shipped_recipes_are_whole(path):
    plan = read_recipe(path.stem)
    assert plan.recipe.epochs > 0
    assert plan.train_split != plan.test_split


def test_a_recipe_that_is_not_there_is_no_default():
    with pytest.raises(UserError, match="unknown recipe 'nw-ucal'; did you mean 'nw-ucla'"):
        read_recipe("nw-ucal")


def test_a_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(UserError, match="no recipe at"):
        read_recipe(str(tmp_path / "mine.json"))
    (tmp_path / "mine.json").write_text('{"recipe": {}}')
    with pytest.raises(UserError, match=r"mine\.json lacks 'architecture'"):
        read_recipe(str(tmp_path / "mine.json"))


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_read(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*file/out: Not a directory"):
        train_checkpoint("no such dataset", tmp_path / "file" / "out")


def test_overrides_replace_single_entries():
    plan, other = (
        read_recipe("default", change)
        for change in ({}, {"arguments": {"width": 1.0}, "recipe": {"steps": [5]}, "test_split": "xview_test"})
    )
    assert other.arguments == {**plan.arguments, "width": 1.0}
    assert (other.recipe.steps, other.recipe.epochs, other.test_split) == ((5,), plan.recipe.epochs, "xview_test")
    for wrong, message in (
        ({"recipes": {}}, "unknown entry 'recipes'; did you mean 'recipe'"),
        ({"recipe": {"lrr": 1}}, "unknown entry of recipe 'lrr'; did you mean 'lr'"),
        ({"recipe": {"schedule": "stairs"}}, "'recipe.schedule': unknown choice 'stairs'"),
        ({"recipe": {"epochs": 0}}, "'recipe.epochs' must be 1 to 100000, got 0"),
        ({"recipe": 3}, "'recipe' must be an object"),
        ({"preprocessing": {"frames": 10**9}}, "'preprocessing.frames' must be 1 to 10000"),
        ({"arguments": {"width": float("nan")}}, "'arguments.width' must be .*, got nan"),
    ):
        with pytest.raises(UserError, match=message):
            read_recipe("default", wrong)


def test_training_by_name_gives_a_checkpoint_with_its_accuracy(rng, tmp_path):
    stick = Skeleton("stick", ("foot", "knee", "hip"), ((0, 1), (1, 2)))
    labels = np.tile([0, 1], 12)
    clips = [rng.normal(size=(1, 10, 3, 3)) + [[[[0, 2 * c, 0]]]] * np.arange(3)[:, None] for c in labels]
    data = SkeletonDataset(
        "toy", stick, clips, labels, ("low", "high"), splits={"train": range(16), "test": range(16, 24)}
    )
    data.save(tmp_path / "toy.npz")
    recipe = json.loads((RECIPES / "default.json").read_text())
    recipe["arguments"]["width"] = 0.125
    recipe["preprocessing"]["frames"] = 12
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    lines = []
    path = train_checkpoint(
        str(tmp_path / "toy.npz"),
        tmp_path / "out",
        epochs=2,
        progress=False,
        recipe=str(tmp_path / "recipe.json"),
        report=lines.append,
    )
    checkpoint = load_checkpoint(str(path), data)
    found = evaluate(checkpoint.model, data.split("test"), checkpoint.preprocessing)
    assert found["accuracy"] == checkpoint.card["test_accuracy"]
    assert checkpoint.card["dataset_fingerprint"] == data.fingerprint
    assert not list((tmp_path / "out").glob("*.state.pt"))
    assert lines[0].startswith("epoch 1/2: loss")
    assert lines[-1].startswith("test accuracy")


def test_the_default_recipe_serves_a_few_clips(rng, tmp_path):
    """One step an epoch learns nothing, and its batch statistics are those of weights that have gone."""
    stick = Skeleton("stick", ("foot", "knee", "hip"), ((0, 1), (1, 2)))
    labels = np.tile([0, 1], 12)
    clips = [0.1 * rng.normal(size=(1, 10, 3, 3)) + [[[[0, v, 0] for v in range(3)]]] for _ in labels]
    for x, c in zip(clips, labels, strict=True):
        x[..., 2, 0] += c * np.sin(np.arange(10))
    data = SkeletonDataset("toy", stick, clips, labels, splits={"train": range(16), "test": range(16, 24)})
    data.save(tmp_path / "toy.npz")
    change = {"arguments": {"width": 0.125}, "preprocessing": {"frames": 12}}
    path = train_checkpoint(str(tmp_path / "toy.npz"), tmp_path, epochs=15, seed=2, progress=False, overrides=change)
    network = load_checkpoint(str(path), data)
    assert evaluate(network.model, data, network.preprocessing)["accuracy"] > 0.9


def test_the_recipe_of_nw_ucla_is_the_one_that_names_more_of_people_held_out():
    jobs = {job.name: job for job in read_queue(DATA / "recipe_choice.json")}
    known = read_json(DATA / "published" / "recipe_choice.json")
    assert [row["name"] for row in known] == list(jobs)
    held = {}
    for row in known:
        if row["held_accuracy"] is not None:
            held.setdefault(row["name"].rpartition("-")[0], []).append(row["held_accuracy"])
    best = max(held, key=lambda kind: np.mean(held[kind]))
    plan, tried = read_recipe("nw-ucla"), jobs[f"{best}-0"].plan()
    assert tried.recipe.holdout_people
    alike = replace(tried.recipe, holdout=0, holdout_people=False, patience=plan.recipe.patience)
    assert replace(tried, recipe=alike) == plan
