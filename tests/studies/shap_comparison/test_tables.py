"""What the chapter measures of a small network of four branches, and by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.errors import UserError
from analysis_lib.explain.features import background
from analysis_lib.explain.joint_shapley import JointShapley
from analysis_lib.explain.once import Once
from analysis_lib.explain.plain_baselines import ByLot
from analysis_lib.explain.registry import TITLES, chosen_methods
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.multi_branch import MultiBranchGCN
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.studies.shap_comparison import checking, comparing, judging, perturbing, staging

STICK = Skeleton(
    "stick", ("head", "hip", "hand", "foot"), ((0, 1), (2, 1), (3, 1)), 1, {"top": (0, 1), "limbs": (2, 3)}
)
METHODS = ("gradcam", "deeplift", "expected-gradients", "shapley", "shapley-in-time", "by-lot")


def dataset():
    """Return six clips of three actions, of a joint each."""
    rng = np.random.default_rng(0)
    labels = np.tile([0, 1, 2], 2)
    clips = [0.1 * rng.normal(size=(1, 14, 4, 3)) + 1.5 * np.eye(4)[c][:, None] for c in labels]
    return SkeletonDataset("toy", STICK, clips, labels, ("nod", "wave", "kick"), splits={"train": np.arange(6)})


def network(model):
    return Checkpoint("toy", model.eval(), model.layer_names, Preprocessing(frames=16, steps=()), {})


@pytest.fixture(scope="module")
def branches():
    torch.manual_seed(0)
    model = MultiBranchGCN(STICK, 3, width=0.0625)
    for name, parameter in model.named_parameters():  # as if it had learnt: the edges, and scores of some size
        if name.endswith("edge"):
            parameter.data += 0.3 * torch.rand_like(parameter)
        if name == "fc.weight":
            parameter.data *= 40
    return network(model)


@pytest.fixture(scope="module")
def compared(branches):
    """Return the background, the methods and what they said."""
    others = background(dataset(), branches.preprocessing, 2)
    methods = chosen_methods(METHODS, branches, others, 2)
    return others, methods, comparing.compare(branches, dataset(), methods, "true", n_slices=2)


def test_every_method_explains_the_same_clips_and_none_twice(compared):
    _, methods, found = compared
    assert list(found.found) == list(methods) == [TITLES[name] for name in METHODS]
    assert all((one.targets == found.data.labels).all() for one in found.found.values())
    asked = []

    class Counting(ByLot):
        def __call__(self, network, x, lengths, target):
            asked.append(len(x))
            return super().__call__(network, x, lengths, target)

    once, of = Once(Counting()), (found.network, found.x[:3], found.lengths[:3], found.targets[:3])
    first, again = once(*of), once(*of)
    np.testing.assert_array_equal(first.maps[0], again.maps[0])
    once(*of[:3], 1 - of[3].clip(0, 1))  # another class is another map
    assert asked == [1] * 6


def test_a_method_that_cannot_explain_is_told(branches):
    class Refusing:
        def __call__(self, network, x, lengths, target):
            raise UserError("not this network")

    found = comparing.compare(branches, dataset(), {"no": Refusing(), "by lot": ByLot()})
    assert found.missing == {"no": "not this network"}
    assert list(found.found) == ["by lot"]
    with pytest.raises(UserError, match="no method can explain toy: not this network"):
        comparing.compare(branches, dataset(), {"no": Refusing()})
    for n in (0, -3):
        with pytest.raises(UserError, match=f"at least one clip is needed, got {n}"):
            found.few(n)


def test_gains_by_hand():
    curves = pd.DataFrame(
        [("m", "deletion", 0, 0, 1.0), ("m", "deletion", 2, 0, 0.0), ("m", "insertion", 0, 0, 0.0)]
        + [("m", "insertion", 2, 0, 1.0), ("random", "deletion", 0, 0, 1.0), ("random", "deletion", 2, 0, 0.6)]
        + [("random", "insertion", 0, 0, 0.0), ("random", "insertion", 2, 0, 0.4)],
        columns=["method", "test", "joints", "clip", "probability"],
    )
    found = perturbing.masking_gains(curves).set_index("test")["gain"]
    assert found.to_dict() == pytest.approx({"deletion": 0.8 - 0.5, "insertion": 0.5 - 0.2})


def test_curves_begin_with_the_clip_and_end_without_it(compared):
    _, _, found = compared
    for table in (perturbing.masking_table(found, 1), perturbing.window_table(found, 1)):
        ends = table[table["test"] == "deletion"].sort_values("joints").groupby(["method", "clip"])["probability"]
        whole, gone = ends.first().unstack("clip"), ends.last().unstack("clip")
        assert np.ptp(whole.to_numpy(), axis=0).max() == np.ptp(gone.to_numpy(), axis=0).max() == 0
        assert whole.iloc[0].sub(gone.iloc[0]).abs().max() > 0.01


def test_in_short_windows_only_their_frames_are_masked(compared, monkeypatch):
    _, _, found = compared
    seen = []
    record = lambda *args, **known: seen.append(args[4]) or np.zeros((6, len(args[5])))  # noqa: E731
    monkeypatch.setattr(perturbing, "masking_curve", record)
    perturbing.window_table(found, 1)
    ranks = seen[0]  # (N, T, V): two windows of four joints
    assert ranks.shape == (6, 16, 4)
    for clip in ranks:
        assert len(np.unique(clip[:8], axis=0)) == len(np.unique(clip[8:], axis=0)) == 1
        assert sorted([*clip[0], *clip[8]]) == list(range(8))


def test_all_yardsticks_of_all_methods(compared):
    _, methods, found = compared
    edges = perturbing.edge_tables(found, 4, ("released", "scale"), n_seeds=2) | {"edges, removed": None}
    truth = np.eye(4, dtype=bool)[found.data.labels]
    of = (found, methods, perturbing.masking_table(found, 1), perturbing.window_table(found, 1), edges, truth, 1)
    scores = judging.score_table(*of, {"randomised": judging.forgotten(found.network), "other seed": found.network})
    summary = judging.summary_table(scores)
    known = set(judging.YARDSTICKS) - {"edges, removed"}
    assert set(summary["yardstick"]) == known
    assert summary.groupby("yardstick")["method"].nunique().eq(len(METHODS)).all()
    mean = summary.set_index(["yardstick", "method"])["mean"]
    assert mean["other seed"].tolist() == pytest.approx([1] * len(METHODS))  # it is the same network
    assert mean["randomised", "by lot"] == pytest.approx(1)
    assert mean["randomised", "GradCAM"] < 1
    assert mean["deletion", "joint Shapley"] == pytest.approx(mean["deletion", "Shapley in time"])
    assert not scores.loc[scores["yardstick"] == "deletion", "clip"].isin(np.flatnonzero(found.own)).any()
    assert set(judging.ratio_table(scores).columns) == {"method", "RIS", "ROS", "RRS"}
    differences = judging.difference_table(scores)
    assert "sparseness" not in set(differences["yardstick"])  # neither way is better
    pgu = differences[(differences["yardstick"] == "PGU") & (differences["one"] == "GradCAM")].iloc[0]
    assert pgu["mean"] == pytest.approx(mean["PGU", pgu["other"]] - mean["PGU", "GradCAM"])  # less is better


def test_where_all_masked_clips_are_the_class_masking_has_no_say(compared):
    _, methods, found = compared
    blind = replace(found, own=np.ones(6, bool))
    scores = judging.score_table(
        blind, methods, perturbing.masking_table(found, 1), perturbing.window_table(found, 1), {}, n_few=1
    )
    assert not set(scores["yardstick"]) & {"deletion", "insertion", "short windows", "infidelity"}
    assert "stability" in set(scores["yardstick"])


def scored(**by_yardstick):
    """Return scores of three methods on four clips, the same in all."""
    rows = [
        (name, f"method {i}", clip, value)
        for name, values in by_yardstick.items()
        for i, value in enumerate(values)
        for clip in range(4)
    ]
    return pd.DataFrame(rows, columns=["yardstick", "method", "clip", "value"])


def test_orders_are_compared_the_better_way_round():
    scores = scored(
        deletion=(3, 2, 1), insertion=(30, 20, 10), PGU=(1, 2, 3), infidelity=(3, 2, 1), sparseness=(1, 2, 3)
    )
    found = judging.order_table(scores).set_index(["one", "other"])["rho"]
    assert found["deletion", "insertion"] == pytest.approx(1)
    assert found["deletion", "PGU"] == pytest.approx(1)
    assert found["deletion", "infidelity"] == pytest.approx(-1)
    assert found["all", "all"] == pytest.approx(0)
    assert len(found) == 6 + 1
    assert judging.order_table(scored(deletion=(3, 2, 1))).empty


def test_the_paper_s_table_of_layers(compared):
    _, _, found = compared
    table = staging.stage_table(found, 4, 20).set_index(["stage", "stream"])
    assert len(table) == 3 * 5 + 2
    assert table.loc[("main attention", ""), "rho"] == pytest.approx(1)
    assert table.loc[("main attention", ""), "by_joint"] == pytest.approx(1)
    assert (table["none_low"].dropna() <= table["none_high"].dropna()).all()
    assert staging.active_table(found)[["TCN", "attention"]].stack().between(0.2, 1).all()


def test_streams_add_up_to_the_score(compared):
    others, _, found = compared
    table = staging.stream_table(found, others, 3)
    exact = table[table["method"] == "exact Shapley"].pivot(index="clip", columns="stream", values="value")
    np.testing.assert_allclose(exact.abs().sum(axis=1), 1)
    assert list(table["stream"].unique()) == ["J", "V", "B", "A"]
    assert set(table["method"]) == {"exact Shapley", "DeepLIFT-SHAP", "expected gradients"}
    whose = np.repeat(np.arange(4)[:, None], 4, axis=1)
    some = found.few(3)[:1]
    one = JointShapley(others, whose, "streams", 0).values(found.network, found.x[some], found.targets[some])
    values = one.values[0, :, found.targets[some[0]]]
    np.testing.assert_allclose(exact.iloc[0][["J", "V", "B", "A"]], values / np.abs(values).sum(), atol=1e-5)


def test_what_must_be_exact_is(compared):
    others, _, found = compared
    gaps = checking.gap_table(found, others, 2)
    assert set(gaps["at"]) == {"streams", "coordinates"}
    table = checking.exactness_table(found, others, gaps).set_index("what")["value"]
    assert table["two halves of the background against the whole"] < 1e-4
    assert table["coalitions of 8 players over those of 4"] == 16
    assert table["gap of joint Shapley, at coordinates"] < 1e-3
    linter = checking.linter_table(found.network, found.x)
    assert set(linter["at"]) == {"streams", "coordinates"}
    assert linter["why"].str.contains("product").any()  # joint attention


def test_what_is_asked_of_nothing(compared):
    others, _, found = compared
    table = comparing.stillness_table(found, others)
    assert len(table) == 5 * 6
    own = table[table["used"]].eval("explained == named").to_numpy()
    np.testing.assert_array_equal(own, found.own)
    assert table[table["baseline"] == "average"]["named"].nunique() == 1  # all clips are the same pose


def test_costs_are_measured_of_what_there_is(compared):
    others, _, found = compared
    costs = checking.cost_table(found, others, 1)
    assert costs.groupby("method")["size"].apply(list).to_dict() == {
        "GradCAM": [1],
        "DeepLIFT-SHAP": [5, 10, 20, 2],
        "joint Shapley": [2, 4],
    }
    assert comparing.seconds_table(found)["seconds"].gt(0).all()
    without = replace(found, missing={"DeepLIFT-SHAP": "a reason"})
    assert "DeepLIFT-SHAP" not in set(checking.cost_table(without, others, 1)["method"])


def test_a_network_without_branches_or_edges_lacks_some_tables():
    torch.manual_seed(0)
    net = network(STGCN(STICK, 3, width=0.0625))
    others = background(dataset(), net.preprocessing, 2)
    methods = chosen_methods(("gradcam", "deeplift"), net, others)
    found = comparing.compare(net, dataset(), methods, "predicted")
    assert set(checking.gap_table(found, others)["at"]) == {"coordinates"}
    assert staging.stage_table(found) is staging.active_table(found) is staging.stream_table(found, others, 2) is None
    assert comparing.known_truth(found.data) is None
    assert comparing.clip_table(found)["class"].tolist() == ["nod", "wave", "kick"] * 2


def test_clips_that_are_named_rightly():
    model = MultiBranchGCN(STICK, 3, width=0.0625)
    model.fc.weight.data.zero_()
    model.fc.bias.data = torch.tensor([0.0, 1.0, 0.0])
    some = comparing.sample(dataset(), network(model), 2)
    assert some.labels.tolist() == [1, 1]
    assert len(comparing.sample(dataset().take([0, 1, 2]), network(model), 2)) == 3  # one of them rightly


def test_a_network_of_another_seed_is_its_like():
    network = SimpleNamespace(name="mine", preprocessing="p", layers=("a",))
    alike, other = (SimpleNamespace(name="x", preprocessing="p", layers=layers) for layers in (("a",), ("b",)))
    assert judging.trained_twins([], network) == {}
    assert judging.trained_twins([alike, other], network) == {"other seed": alike}  # the first alone
    with pytest.raises(UserError, match="'x' has other layers than 'mine'"):
        judging.trained_twins([other], network)
