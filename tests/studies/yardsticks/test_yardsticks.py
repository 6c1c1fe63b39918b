"""The study of yardsticks: its tables on a small network, its verdicts by hand, what it says and draws."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sentences import answered, check, check_all

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.geometry.intrinsic_dimension import two_nn_dimension
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.networks.untrained import untrained_twins
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.statistics.estimates import Verdict
from analysis_lib.studies.yardsticks import figures, words
from analysis_lib.studies.yardsticks.findings import Alignment, alignment, findings
from analysis_lib.studies.yardsticks.tables import (
    CONTROLLED,
    PROBE,
    VARIATION,
    YARDSTICKS,
    agreement_table,
    alignment_table,
    change_table,
    class_table,
    readings,
    yardstick_table,
)
from analysis_lib.warping.distances import windowed_dtw
from analysis_lib.warping.options import Warping

STICK = Skeleton("stick", ("a", "b", "c"), edges=((1, 0), (2, 1)))


@pytest.fixture(scope="module")
def read():
    """Return 36 clips of three easy actions by four people, and what is read of a network and of two draws."""
    rng = np.random.default_rng(0)
    labels, people = np.tile([0, 1, 2], 12), np.repeat(range(4), 9)
    clips = [0.3 * rng.normal(size=(1, 9, 3, 3)) + 2 * np.eye(3)[c] for c in labels]
    data = SkeletonDataset("toy", STICK, clips, labels, ("wave", "kick", "jump"), subjects=people)
    torch.manual_seed(0)
    model = STGCN(STICK, 3, width=0.0625).eval()
    network = Checkpoint("toy", model, model.layer_names, Preprocessing(frames=16, steps=()), {})
    twins = untrained_twins(network, data, 2)
    return data, readings(network, data, 5), [readings(twin, data, 5) for twin in twins]


def test_each_yardstick_of_easy_actions_is_good_and_its_control_is_not(read):
    _, trained, untrained = read
    table = yardstick_table(trained, untrained)
    assert len(table) == 3 * 11 * len(YARDSTICKS)
    first = table.query("network == 'trained' and layer == 0").set_index("yardstick")
    assert first.loc[[VARIATION, "error of k-NN", PROBE], "value"].max() < 0.15
    assert first.loc["label overlap", "value"] > 0.85
    assert first.loc[list(CONTROLLED), "control"].min() > 0.4
    assert first["control"].notna().sum() == 2
    assert (table["low"] <= table["value"]).mean() > 0.95
    input_of = table.query("layer == 0").groupby("yardstick")["value"].nunique()
    assert (input_of == 1).all()  # the network has no say in it


def test_the_dimension_is_that_of_lengths_which_cosine_distances_are_the_squares_of(read):
    data, trained, _ = read
    x = np.stack([clip[0].transpose(0, 2, 1).reshape(9, 9) for clip in data.sequences])
    frames = x[:, np.linspace(0, 8, 16).astype(int)]
    lengths = np.sqrt(windowed_dtw(frames, np.full(36, 16), Warping()))
    assert trained.values[0, -1] == pytest.approx(two_nn_dimension(lengths), rel=1e-3)


def test_changes_are_those_of_the_table(read):
    _, trained, untrained = read
    table, changes = yardstick_table(trained, untrained), change_table(trained, untrained)
    mean = table.groupby(["network", "yardstick", "layer"])["value"].mean()
    for row in changes.itertuples():
        first, last = (mean[row.network, row.yardstick, layer] for layer in (1, 10))
        assert (row.first, row.last, row.change) == pytest.approx((first, last, last - first))
    assert changes.groupby("network")["draws"].first().to_dict() == {"trained": 1, "untrained": 2}


def test_a_network_agrees_with_itself_and_with_its_classes(read):
    data, trained, untrained = read
    table = alignment_table(trained, {"untrained": untrained})
    itself = table[table["with"] == "itself"].pivot(index="layer", columns="other", values="cka").to_numpy()
    np.testing.assert_allclose(np.diag(itself), 1)
    np.testing.assert_allclose(itself, itself.T)
    at_input = table.query("`with` == 'untrained' and layer == 0")
    assert at_input["cka"].tolist() == pytest.approx([1, 1])
    classes = class_table(trained, data)
    means = classes.groupby("layer")[[VARIATION, PROBE]].mean().to_numpy()
    np.testing.assert_allclose(means, trained.values[:, [0, YARDSTICKS.index(PROBE)]])


def test_agreement_is_the_rank_correlation_over_layers(read):
    _, trained, _ = read
    found = agreement_table(trained).set_index("yardstick")
    layers = pd.DataFrame(trained.values[1:], columns=YARDSTICKS)
    expected = layers.corr(method="spearman")[VARIATION]
    told = found["rho"].notna()
    assert told.any()
    assert found["rho"][told].to_dict() == pytest.approx(expected[found.index][told].to_dict())
    assert found[["low", "high"]].abs().max(axis=None) <= 1


def test_a_yardstick_that_is_the_same_at_most_layers_puts_them_in_no_order(read):
    _, trained, _ = read
    values = trained.values.copy()
    values[1:, YARDSTICKS.index(PROBE)] = [0, 0, 0, 0, 0.1, 0, 0, 0, 0, 0]
    found = agreement_table(replace(trained, values=values)).set_index("yardstick")
    assert found.loc[PROBE, ["rho", "low", "high"]].isna().all()
    assert found.loc["intrinsic dimension", "rho"] < 1


def agreements(rho, low, high):
    rows = [(name, 0.5, 0.1, 0.9, 10) for name in YARDSTICKS[1:] if name != PROBE]
    return pd.DataFrame([(PROBE, rho, low, high, 10), *rows], columns=["yardstick", "rho", "low", "high", "layers"])


def changes(**by_network):
    """Return a table of changes, of label variation and the probe by network, each (value, low, high)."""
    rows = [
        (network, 2, name, *change)
        for network, pair in by_network.items()
        for name, change in zip((VARIATION, PROBE), pair, strict=True)
    ]
    return pd.DataFrame(rows, columns=["network", "draws", "yardstick", "change", "low", "high"])


UP, DOWN, ANY = (0.1, 0.05, 0.15), (-0.2, -0.3, -0.1), (0.02, -0.1, 0.14)
NEAR, FAR, BETWEEN = (0.97, 0.93, 1.0), (0.3, -0.1, 0.6), (0.89, 0.64, 1.0)
TIED = (np.nan, np.nan, np.nan)
CASES = [
    ("opposed", BETWEEN, {"untrained": (UP, DOWN)}, Verdict.HOLDS),
    ("another order", FAR, {"untrained": (DOWN, DOWN)}, Verdict.HOLDS),
    ("the same", NEAR, {"untrained": (DOWN, DOWN)}, Verdict.FAILS),
    ("undecided", NEAR, {"untrained": (ANY, DOWN)}, Verdict.UNDECIDED),
    ("no untrained network", NEAR, {}, Verdict.UNDECIDED),
    ("no order", TIED, {"untrained": (ANY, DOWN)}, Verdict.UNDECIDED),
    ("two layers", None, {"untrained": (UP, ANY)}, Verdict.UNDECIDED),
]


@pytest.mark.parametrize(("case", "rho", "untrained", "own"), CASES, ids=[case for case, *_ in CASES])
def test_verdicts_and_words(said, case, rho, untrained, own):
    agreement = agreements(*rho) if rho else agreements(*NEAR)[:0]
    found = findings(agreement, changes(trained=(DOWN, DOWN), **untrained))
    assert found.own == own
    texts = words.answer(found), words.numbers(found), words.agreement(found)
    check_all(*texts)
    said(case, "\n\n".join([answered(words, found), *texts[1:]]))


def aligned(**cka):
    """Return a table of alignment at the input and as many layers as there are numbers, one draw a row of them."""
    rows = [
        (what.replace("_", " "), draw, layer, layer, value)
        for what, draws in cka.items()
        for draw, values in enumerate(draws)
        for layer, value in enumerate([1, *values])
    ]
    return pd.DataFrame(rows, columns=["with", "draw", "layer", "other", "cka"])


def test_alignment_is_the_mean_over_networks_without_the_input():
    found = alignment(aligned(itself=[(0, 0)], untrained=[(0.6, 0.2, 0.4), (0.8, 0.4, 0.6)]))
    assert found == {"untrained": Alignment((0.7, pytest.approx(0.3), 0.5), 0.7, 0.5, pytest.approx(0.3), 2)}
    assert words.alignment({}) == ""


@pytest.mark.parametrize(
    ("case", "seeds"), [("other seeds, more alike", [(0.9, 0.8)]), ("not at one layer", [(0.9, 0.1)]), ("no seeds", [])]
)
def test_words_of_the_alignment(said, case, seeds):
    text = words.alignment(alignment(aligned(untrained=[(0.7, 0.3)], another_seed=seeds)))
    check(text)
    said(f"alignment: {case}", text)


@pytest.mark.usefixtures("drawn_whole")
def test_figures(read):
    data, trained, untrained = read
    table = yardstick_table(trained, untrained)
    grid = figures.plot_yardsticks(table, {"others": table}).axes
    assert [axes.get_title("left") for axes in grid] == list(YARDSTICKS)
    square, lines, *_ = figures.plot_alignment(
        alignment_table(trained, {"untrained": untrained, "another seed": [trained]})
    ).axes
    assert square.get_images()[0].get_array().shape == (11, 11)
    assert len(lines.get_lines()) == 3
    first, last = figures.plot_classes(class_table(trained, data)).axes
    assert [axes.get_title("left") for axes in (first, last)] == ["layer 1", "layer 10"]
    assert [line.get_label() for line in first.lines][-1] == "both the same"
