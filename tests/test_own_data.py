"""A person's own small dataset goes through every chapter with its defaults, and what it lacks is said."""

import re
import sys
from types import ModuleType

import numpy as np
import pytest
from notebooks import run_cells

from analysis_lib.chapters.session import Session
from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.skeletons.skeleton import Skeleton

ARM = Skeleton("arm", ("shoulder", "elbow", "hand"), edges=((1, 0), (2, 1)))
CHAPTERS = (
    "data",
    "spectrum",
    "smoothness",
    "nnk_vs_knn",
    "yardsticks",
    "gradcam",
    "shap_comparison",
    "noise",
    "transfer",
    "explore",
    "architectures",
)
#: for speed alone
QUICK = {"epochs": 1, "n_seeds": 1, "n_bootstrap": 20, "check_per_class": 1}


def arms(n, channels, unit=1.0):
    """Return clips of an arm that reaches or waves, of 12 to 20 frames."""
    rng = np.random.default_rng(0)
    clips = []
    for i in range(n):
        t = np.linspace(0, 1, rng.integers(12, 20))[:, None]
        x = 0.01 * rng.normal(size=(1, len(t), 3, channels))
        x[0, :, 1:, 1] += np.array([-0.3, -0.6]) if i % 2 else np.array([0.3, 0.6])
        x[0, :, 1:, 0] += np.array([0.1, 0.3]) * (np.sin(25 * t) if i % 2 else t)
        clips.append(unit * x)
    return clips


@pytest.fixture(scope="module")
def network():
    """The name of a factory that draws a small network by lot."""
    module = ModuleType("own_nets")
    module.small = lambda data: STGCN(data.skeleton, len(data.class_names), len(data.channels), width=0.06)
    module.seven = lambda data: STGCN(data.skeleton, 7, len(data.channels), width=0.06)
    sys.modules["own_nets"] = module
    yield "own_nets:small"
    del sys.modules["own_nets"]


@pytest.fixture(scope="module", params=[3, 2], ids=["3-D", "2-D"])
def own(request, tmp_path_factory):
    """The path of a dataset of two actions and three joints: of people; or of pictures, without splits."""
    path = tmp_path_factory.mktemp("own") / "mine.npz"
    n, known = 20, request.param == 3
    given = {"splits": {"train": range(0, 12), "test": range(12, n)}, "subjects": np.arange(n) % 4} if known else {}
    clips = arms(n, request.param, unit=1.0 if known else 300.0)
    clips[3][0, 2:5, 2] = np.nan
    SkeletonDataset("mine", ARM, clips, np.arange(n) % 2, ("reach", "wave"), **given).save(path)
    return path


@pytest.fixture
def page(monkeypatch):
    """What is said on the page, sentence by sentence."""
    said = []

    def heard(shows):
        def shown(self, *given):
            made = shows(self, *given)
            said.extend([] if made is None else [made.data])
            return made

        return shown

    for name in ("say", "answer"):
        monkeypatch.setattr(Session, name, heard(getattr(Session, name)))
    return said


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_runs_with_its_defaults(own, network, page, chapter):
    run_cells(chapter, dataset=str(own), model=network, models=[network], **QUICK)
    text = "\n".join(page)
    assert ("missing here" in text) == (chapter == "architectures")  # which compares with what others published
    assert not re.search(r"\bnan\b", text)
    assert ", recorded" not in text
    assert ("was never trained" in text) == (chapter != "spectrum")
    if chapter in ("smoothness", "nnk_vs_knn", "yardsticks", "noise", "transfer", "explore"):
        assert "Some actions of mine have fewer clips than `n_per_class = 10`, and all are taken: reach" in text
    if chapter == "data":
        assert "share of frames: hand" in text


@pytest.mark.parametrize(("edition", "why"), [("mine", ""), ("synthetic", "are of 'synthetic', and these clips of")])
def test_open_choices_are_tried_on_the_data_of_the_edition(own, network, page, edition, why):
    run_cells("claims", dataset=str(own), model=network, edition=edition)
    text = "\n".join(page)
    assert ("missing here" in text) == bool(why)
    assert why in text


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("synthetic", "model 'synthetic' was trained on the 25 joints of 'ntu-25', but dataset 'mine' has the 3 of"),
        ("own_nets:seven", "the network tells 7 classes apart, and dataset 'mine' has 2"),
    ],
)
def test_the_data_are_described_without_a_network_that_fits(own, network, page, model, why):
    run_cells("data", dataset=str(own), model=model)
    text = "\n".join(page)
    assert f"*The network is missing here: {why}" in text
    assert "there is no network to compare it with" in text
    assert "share of frames: hand" in text


def test_a_part_that_cannot_be_had_does_not_take_the_chapter_with_it(network, page, tmp_path):
    """Where a clip has one candidate, mutual neighbours alone may leave a class without any edge."""
    data = SkeletonDataset("mine", ARM, arms(24, 3), np.arange(24) % 2, ("reach", "wave"))
    data.save(tmp_path / "few.npz")
    run_cells("nnk_vs_knn", dataset=str(tmp_path / "few.npz"), model=network, **QUICK, shown_neighbors=1)
    text = "\n".join(page)
    assert "The comparison of ways to symmetrise is missing here: " in text
    assert "every third clip of each action, or the second of two, is tested" in text
