"""What is found, said and drawn of the comparison of explanations, from tables made by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentences import answered, check_all

from analysis_lib.errors import UserError
from analysis_lib.statistics.estimates import Verdict
from analysis_lib.studies.shap_comparison import figures, measures, words
from analysis_lib.studies.shap_comparison.findings import findings, paired
from analysis_lib.studies.shap_comparison.judging import YARDSTICKS, difference_table, order_table, summary_table

METHODS = ("GradCAM", "DeepLIFT-SHAP", "joint Shapley", "by lot")
SECONDS = {"GradCAM": 0.01, "DeepLIFT-SHAP": 0.4, "joint Shapley": 2.0, "by lot": 0.001}


def tables(values, spread=0.05, clips=8, untold=(), edges=True, faults=3, level=False):
    """Return the tables of a page: by yardstick, the mean value of each method, with a little noise by clip."""
    rng = np.random.default_rng(0)
    rows = [
        (name, method, clip, mean + spread * rng.normal())
        for name, means in values.items()
        for method, mean in zip(METHODS, means, strict=True)
        for clip in range(clips)
    ]
    scores = pd.DataFrame(rows, columns=["yardstick", "method", "clip", "value"])
    if level:  # of joints Shapley values in time say what Shapley values say; here DeepLIFT stands for them
        mine = scores.loc[scores["method"] == "joint Shapley", "value"].to_numpy()
        scores.loc[scores["method"] == "DeepLIFT-SHAP", "value"] = mine
    cost = [("released", "GradCAM", "random", 0.1), ("released", "DeepLIFT-SHAP", "random", 0.04)]
    cost += [("released", "GradCAM", "DeepLIFT-SHAP", 0.06), ("remove", "GradCAM", "DeepLIFT-SHAP", -0.02)]
    of = [(how, "important", "probability", m, a, clips, x, x - 0.03, x + 0.03) for how, m, a, x in cost]
    names = ["how", "side", "of", "method", "against", "clips", "mean", "low", "high"]
    named = ["kick" if i in untold else "wave" for i in range(clips)]
    still = {"clip": range(clips), "explained": "kick", "named": named, "probability": 0.25}
    seconds = [("GradCAM", "one", 1, 0.01), ("DeepLIFT-SHAP", "background", 5, 0.12)]
    seconds += [("DeepLIFT-SHAP", "background", 20, 0.5), ("joint Shapley", "players", 5, 0.3)]
    timed = [(*row[:3], i, row[3] * (1 + i / 10)) for row in seconds for i in range(3)]
    made = {
        "table": summary_table(scores),
        "differences": difference_table(scores),
        "orders": order_table(scores),
        "agreement": pd.DataFrame(
            [("GradCAM", "DeepLIFT-SHAP", clips, 0.2, 0.05, 0.35, 0.1)],
            columns=["one", "other", "clips", "tau", "low", "high", "rho"],
        ),
        "gaps": pd.DataFrame(
            [("DeepLIFT-SHAP", "streams", 0, 0.04), ("joint Shapley", "coordinates", 0, 1e-7)],
            columns=["method", "at", "clip", "gap"],
        ),
        "linter": pd.DataFrame(
            [("streams", "main.*.attention", "mul", "a product", faults)][: bool(faults)],
            columns=["at", "module", "operation", "why", "times"],
        ),
        "costs": pd.DataFrame(timed, columns=["method", "what", "size", "repeat", "seconds"]),
        "stillness": pd.concat(
            [pd.DataFrame({"baseline": how, "used": how == "average", **still}) for how in ("average", "background")]
        ),
    }
    made["clips"] = pd.DataFrame({"clip": range(clips), "class": "kick", "right": True})
    return made | ({"edges": pd.DataFrame(of, columns=names)} if edges else {})


SPLIT = {"truth": (0.6, 0.8, 0.9, 0.5), "deletion": (0.3, 0.1, 0.2, 0.0), "PGU": (0.1, 0.3, 0.2, 0.4)}
CASES = {
    "split": (tables(SPLIT), {}),
    "one leads all": (tables({"truth": (0.6, 0.8, 0.9, 0.5), "deletion": (0.1, 0.2, 0.4, 0.0)}), {}),
    "two are level": (tables(SPLIT, level=True), {}),
    "two lead all": (tables({"truth": (0.6, 0.8, 0.9, 0.5), "deletion": (0.1, 0.2, 0.4, 0.0)}, level=True), {}),
    "lot does as well": (tables({k: (*v[:3], v[2]) for k, v in SPLIT.items()}), {}),
    "nobody knows the truth": (tables({k: v for k, v in SPLIT.items() if k != "truth"}, faults=0), {}),
    "nothing can be told apart": (tables(SPLIT, spread=5, untold=range(3)), {}),
    "without edges, and a method": (tables(SPLIT, edges=False), {"integrated gradients": "a module is called 2 times"}),
    "masking cannot tell": (tables({"truth": SPLIT["truth"]}, untold=range(8)), {}),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_said(said, case):
    made, missing = CASES[case]
    found = findings(made, missing)
    texts = [words.numbers(found), words.missing(found), words.truth(found), words.edges(found), words.linter(found)]
    texts += [words.stillness(found, made["stillness"]), words.agreement(found), words.orders(found)]
    texts += [words.costs(found, made["costs"])]
    check_all(words.answer(found), *filter(None, texts))
    said(case, "\n\n".join([answered(words, found), *filter(None, texts), words.questions(found, SECONDS).to_csv()]))


def test_leads_by_hand():
    found = findings(CASES["split"][0])
    assert {name: lead.method for name, lead in found.leads.items()} == {
        "truth": "joint Shapley",
        "deletion": "GradCAM",
        "PGU": "GradCAM",
    }
    assert found.first == {"GradCAM": 2, "joint Shapley": 1}
    assert found.nearer == Verdict.HOLDS
    assert found.favours_gradcam == Verdict.HOLDS
    assert found.differ == Verdict.HOLDS
    assert all(lead.alone and not lead.naive for lead in found.leads.values())
    assert found.ratio.value == pytest.approx(50)
    blurred = findings(CASES["nothing can be told apart"][0])
    assert all(set(lead.near) | set(lead.naive) for lead in blurred.leads.values())
    assert blurred.untold == ("kick",)
    assert blurred.told == 5


def test_a_control_never_leads_and_is_told():
    found = findings(tables({"stability": (0.5, 0.6, 0.7, 1.0)}))
    assert found.leads["stability"].method == "joint Shapley"
    assert found.leads["stability"].naive == ("by lot",)
    assert (found.leads["stability"].leads, found.first) == ((), {})
    assert "do as well" in words.answer(found)


def test_where_networks_are_compared_a_map_without_one_is_no_rival():
    found = findings(tables({"other seed": (0.5, 0.6, 0.7, 1.0), "randomised": (0.5, 0.4, 0.3, 1.0)}))
    assert [lead.leads for lead in found.leads.values()] == [("joint Shapley",)] * 2
    assert "do as well" not in words.answer(found)
    assert "By randomised and other seed maps of networks alone are compared." in words.numbers(found)


def test_clips_are_counted_by_yardstick():
    many = findings(tables({"deletion": (0.5, 0.6, 0.7, 0.1)}))
    few = findings(tables({"other seed": (0.5, 0.6, 0.7, 1.0)}, clips=3))
    assert "on 3 to 8 clips" in words.answer(replace(many, leads={**many.leads, **few.leads}))


def test_who_has_the_same_values_leads_too():
    found = findings(CASES["two are level"][0])
    assert found.leads["truth"].leads == ("DeepLIFT-SHAP", "joint Shapley")
    assert found.leads["truth"].near == ()
    assert found.first == {"GradCAM": 2, "DeepLIFT-SHAP": 1, "joint Shapley": 1}


@pytest.mark.parametrize("lot", [-0.01, 0.1])
def test_edges_cost_more_if_all_three_parts_hold(lot):
    made = tables(SPLIT)
    of_shap = (made["edges"]["against"] == "random") & (made["edges"]["method"] == "DeepLIFT-SHAP")
    made["edges"].loc[of_shap, ["mean", "low", "high"]] = lot, lot - 0.001, lot + 0.001
    assert findings(made).favours_gradcam == (Verdict.HOLDS if lot > 0 else Verdict.FAILS)


def test_a_difference_turns_round():
    table = tables(SPLIT)["differences"]
    one, other = paired(table, "truth", "GradCAM", "DeepLIFT-SHAP"), paired(table, "truth", "DeepLIFT-SHAP", "GradCAM")
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))
    assert one.low < one.value < one.high
    assert paired(table, "truth", "GradCAM", "nobody") is None


STAGES = pd.DataFrame(
    [("in", "J", 0.1, 0.0, 0.2, -0.1, 0.1, 0.2, 0.4, 8), ("in", "sum", -0.3, -0.4, -0.2, -0.1, 0.1, 0.0, 0.4, 8)]
    + [("main TCN", "", 0.24, 0.1, 0.4, -0.1, 0.1, 0.3, 0.5, 8), ("main attention", "", 1, 1, 1, -0.1, 0.1, 1, 0.2, 8)],
    columns=["stage", "stream", "rho", "low", "high", "none_low", "none_high", "by_joint", "active", "clips"],
)
STREAMS = pd.DataFrame(
    [(clip, "exact Shapley", stream, 0.25) for clip in range(3) for stream in "JVBA"],
    columns=["clip", "method", "stream", "value"],
)


def test_layers_and_streams(said):
    texts = [words.stages(STAGES), words.stages(STAGES.assign(rho=np.nan)), words.streams(STREAMS)]
    texts += [words.stages(None), words.streams(None)]
    texts.append(words.active(pd.DataFrame({"TCN": [0.5, 0.5], "attention": [0.25, 0.25]})))
    texts.append(words.spread(pd.DataFrame({"method": ["a", "b"], "spread": [0.3, 0.2], "low": 0.1, "high": 0.4})))
    check_all("Whatever.", *texts)
    assert words.active(None) == ""
    table = words.ratios(pd.DataFrame({"method": ["a"], "RIS": [1.234e-4], "ROS": [21.9], "RRS": [np.nan]}))
    assert table.loc["a"].tolist() == ["0.00012", "22", "not defined"]
    said("layers and streams", "\n\n".join(texts))


@settings(max_examples=20)
@given(
    st.lists(st.sampled_from([name for name, sign in YARDSTICKS.items() if sign]), min_size=1, max_size=5, unique=True),
    st.lists(st.floats(-1, 1), min_size=20, max_size=20),
    st.floats(0, 2),
    st.integers(1, 4),
)
def test_sentences_are_whole_whatever_was_found(yardsticks, values, spread, clips):
    means = {name: values[4 * i : 4 * i + 4] for i, name in enumerate(yardsticks)}
    made = tables(means, spread, clips)
    found = findings(made)
    texts = [words.numbers(found), words.truth(found), words.edges(found), words.linter(found), words.orders(found)]
    texts += [words.stillness(found, made["stillness"]), words.agreement(found), words.costs(found, made["costs"])]
    answer = words.answer(found)
    check_all(answer, *texts)
    as_well = sum(bool(lead.naive) for lead in found.leads.values())
    assert (as_well > 0) == ("do as well" in answer)
    assert ("leads" in answer or "comes first" in answer or "come first" in answer) == (as_well < len(found.leads))
    assert ("design best" in answer) == bool(found.leads.get("truth") and found.leads["truth"].leads)
    assert len(words.questions(found, SECONDS)) == len(yardsticks) + 2


def test_measures():
    made = tables(SPLIT)
    assert measures.lead(made["differences"], "truth", "DeepLIFT-SHAP", "GradCAM").value == pytest.approx(0.2, abs=0.1)
    cost = measures.edge_cost(made["edges"], "GradCAM", "DeepLIFT-SHAP", "released", "important", "probability")
    assert (cost.value, cost.low, cost.clips) == (0.06, 0.03, 8)
    assert measures.rank_agreement(made["agreement"], "DeepLIFT-SHAP", "GradCAM").value == 0.2
    assert measures.times_as_long(made["costs"]).value == pytest.approx(50)
    branch = measures.branch_agreement(STAGES)
    assert (branch.value, branch.low, branch.high) == (0.3, 0.2, 0.4)
    active = measures.more_active(pd.DataFrame({"TCN": [0.5, 0.5], "attention": [0.25, 0.25]}))
    assert (active.value, active.low, active.high) == (0.25, 0.25, 0.25)
    spread = pd.DataFrame({"method": ["a", "b"], "clips": 4, "spread": [3.0, 2], "low": [2.0, 1], "high": [4.0, 2]})
    assert measures.wider(spread, "a", "b") == measures.Estimate(1.5, 1.0, 4.0, 4)


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (lambda: measures.lead(tables(SPLIT)["differences"], "truth", "a", "b"), "a and b were not compared by truth"),
        (lambda: measures.rank_agreement(tables(SPLIT)["agreement"], "a", "b"), "the rankings of a and b"),
        (lambda: measures.branch_agreement(STAGES[2:]), "no branch has a map"),
        (lambda: measures.times_as_long(tables(SPLIT)["costs"][:3]), "GradCAM and SHAP were not both timed"),
    ],
)
def test_measures_of_what_is_not_there(measure, message):
    with pytest.raises(UserError, match=message):
        measure()


def curves(methods, **columns):
    rows = [(m, k, clip, 1 - k / 8) for m in (*methods, "random") for k in (0, 2, 4) for clip in range(3)]
    return pd.DataFrame(rows, columns=["method", "joints", "clip", "probability"]).assign(**columns)


@pytest.mark.usefixtures("drawn_whole")
def test_figures():
    made = tables(SPLIT | {"sparseness": (0.2, 0.3, 0.4, 0.1)})
    assert len(figures.plot_yardsticks(made["table"], findings(made).leads).axes) == 4
    masking = pd.concat([curves(METHODS, test=test) for test in ("deletion", "insertion")])
    edges = pd.concat([curves(METHODS, side=side) for side in ("important", "unimportant")])
    grid = figures.plot_curves(masking, {"edges, released": edges}).axes
    assert [axes.get_title("left").partition(":")[0] for axes in grid] == ["edges, released"] * 2 + ["joints"] * 2
    assert len(figures.plot_curves(masking, {}).axes) == 2
    truth = made["table"].query("yardstick == 'truth'").assign(layer=1, layer_name="last")
    figures.plot_truth(truth)
    values = pd.DataFrame(
        [(c, m, j, (c + i) / 9) for c in range(4) for m in METHODS for i, j in enumerate(("hand", "foot", "head"))],
        columns=["clip", "method", "joint", "value"],
    )
    figures.plot_rankings(values, made["agreement"])
    assert len(figures.plot_orders(made["orders"]).axes[0].texts) == 3
    assert len(figures.plot_stages(STAGES).axes[0].get_xticklabels()) == 3
    figures.plot_costs(pd.Series(SECONDS, name="seconds").rename_axis("method").reset_index(), made["costs"])


def test_verdicts_wait_for_what_they_need():
    found = findings(CASES["without edges, and a method"][0])
    assert replace(found, tau=None, one_order=None, truth_lead=None).agreed == Verdict.UNTESTED
    assert found.favours_gradcam == Verdict.UNTESTED


def test_the_network_that_is_explained_has_a_name():
    card = {"architecture": "multi-branch", "test_accuracy": 0.9375}
    assert words.network("net", card, 6).replace("\u202f", " ") == (
        "Explained is the Multi-branch GCN *net* of 6 layers, which names 94 % of its test clips rightly."
    )
    assert words.network("nets.py:mine", {}, 1) == "Explained is the network *nets.py:mine* of 1 layer."


def test_by_yardsticks_that_compare_networks_maps_without_one_are_not_drawn():
    made = tables({"deletion": (0.3, 0.2, 0.2, 0.1), "other seed": (0.3, 0.2, 0.2, 1.0)})
    figure = figures.plot_yardsticks(made["table"], findings(made, {}).leads)
    marks = {
        axes.get_title("left"): sum(line.get_marker() not in ("None", "") for line in axes.lines)
        for axes in figure.axes
    }
    assert marks == {"deletion": 4, "other seed": 3}
