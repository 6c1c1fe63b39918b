"""Gains of parts by hand and beside scipy, focal joints counted, actions told apart by their discordant clips."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import t, ttest_ind

from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.datasets.synthetic.make import synthetic
from analysis_lib.errors import UserError
from analysis_lib.files import DATA
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.registry import build
from analysis_lib.networks.training.queue import Result, read_queue, write_results
from analysis_lib.studies.ablations import tables
from analysis_lib.studies.ablations.measures import gain

FRAMES = 24


def runs(architecture="fg-stformer", **variants):
    rows = [
        {"architecture": architecture, "variant": k, "seed": i, "parameters": 9, "clips": 480, "accuracy": a}
        for k, of in variants.items()
        for i, a in enumerate(of)
    ]
    return pd.DataFrame(rows)


def test_the_gain_of_a_part_is_that_of_a_t_test():
    one, other = [0.70, 0.72, 0.74], [0.60, 0.63, 0.61]
    (row,) = tables.part_table(runs(focal=one, basic=other)).itertuples()
    truth = ttest_ind(one, other).confidence_interval()
    assert (row.value, row.low, row.high) == pytest.approx((np.mean(one) - np.mean(other), *truth))
    assert (row.part, row.published) == ("focal joints, not all", 0.005)


def test_the_scatter_is_pooled_and_intervals_hold_together():
    given = {"focal": [0.7, 0.8], "basic": [0.6, 0.6], "focal-parts": [0.9, 0.8], "full": [0.9]}
    table = tables.part_table(runs(**given)).set_index("part")
    assert list(table.index) == ["focal joints, not all", "parts of the body", "attention between joints and parts"]
    assert table["sd"].tolist() == pytest.approx([np.sqrt(0.01 / 3)] * 3)  # four squares of .05, three degrees
    half = t.ppf(1 - 0.025 / 3, 3) * np.sqrt(0.01 / 3) * np.sqrt(1 + 1 / 2)
    assert table["high"].iloc[2] - table["value"].iloc[2] == pytest.approx(half)
    assert gain(table.reset_index(), "parts of the body").value == pytest.approx(0.1)
    with pytest.raises(UserError, match="no variants with and without a tail have been trained"):
        gain(table.reset_index(), "a tail")


def test_one_training_each_has_no_interval_and_other_variants_no_rows():
    (row,) = tables.part_table(runs(focal=[0.7], basic=[0.6], other=[0.1])).itertuples()
    assert (row.value, np.isnan(row.low), np.isnan(row.high)) == (pytest.approx(0.1), True, True)
    assert tables.part_table(runs("st-gdn", focal=[0.7], basic=[0.6])).empty


def test_every_comparison_is_of_variants_that_the_queue_trains(tmp_path):
    made = []
    for job in read_queue(DATA / "ablations.json"):
        plan = job.plan()
        told = (plan.architecture, plan.arguments, job.seed, 30, 9, 480, 0.5, "", "", "")
        made.append(Result(job.name, "synthetic", "", *told))
    write_results(tmp_path / "found.json", [])
    with pytest.raises(UserError, match="has no results; stgbook train"):
        tables.run_table(tmp_path / "found.json")
    write_results(tmp_path / "found.json", made)
    found = tables.run_table(tmp_path / "found.json")
    assert len(tables.part_table(found)) == len(tables.COMPARISONS)
    assert set(tables.variant_table(found)["seeds"]) == {3}
    assert len({c.part for c in tables.COMPARISONS}) == len(tables.COMPARISONS)  # claims find them by name


def test_variants_are_told_with_wilson_s_interval():
    (row,) = tables.variant_table(runs(full=[0.5, 0.7])).itertuples()
    assert (row.seeds, row.accuracy, row.least, row.most) == (2, pytest.approx(0.6), 0.5, 0.7)
    assert (row.low, row.high) == pytest.approx((0.5555, 0.6429), abs=1e-3)


@pytest.fixture(scope="module")
def data():
    whole = synthetic(subjects=3, takes=1, views=(0, 90))
    return whole.take(np.flatnonzero(whole.labels < 3))


def network(name, data, **arguments):
    torch.manual_seed(0)
    model = build(name, data.skeleton, len(data.class_names), 3, width=0.125, **arguments).eval()
    return Checkpoint(f"my {name}", model, model.layer_names, Preprocessing(FRAMES), {"architecture": name})


def test_focal_joints_are_counted(data):
    table = tables.focal_table(network("fg-stformer", data, focal=4), data)
    shares = table.groupby("class", sort=False)["share"].sum()
    assert shares.to_dict() == pytest.approx(dict.fromkeys(data.class_names[:3], 4))
    assert table["score"].between(0, 1).all()
    assert table.groupby("class")["frames"].first().gt(0).all()


def test_what_is_drawn_of_one_clip(data):
    wave = data.class_names[2]
    poses, links = tables.look_tables(network("fg-stformer", data, focal=4), data, [wave])
    assert (len(poses), poses["focal"].sum(), set(poses["class"])) == (25, 4, {wave})
    chosen, rest = (poses[poses["focal"] == focal]["score"] for focal in (True, False))
    assert chosen.min() >= rest.max()
    assert len(links) == 25 * 10
    assert set(links.groupby("joint")["weight"].sum().round(5)) <= {0.0, 1.0}


def test_actions_are_told_apart_by_the_clips_that_networks_differ_in(data, monkeypatch):
    many = data.take(np.repeat(np.arange(len(data)), 20))
    right = np.ones(len(many), bool)
    wrong = many.labels == 1  # the other network knows none of one action
    named = iter([np.where(right, many.labels, 9), np.where(wrong, 9, many.labels)])
    monkeypatch.setattr(tables, "evaluate", lambda *_: {"predicted": next(named)})
    one = network("stgcn", data)
    table = tables.class_accuracy_table(one, replace(one, name="b"), many)
    assert table["value"].tolist() == [0, 1, 0]
    assert (table["low"] > 0).tolist() == [False, True, False]
    assert table["one"].tolist() == [1, 1, 1]
    n = int(wrong.sum())
    assert table["low"][1] == pytest.approx(2 * (0.025 / 3) ** (1 / n) - 1)  # Clopper and Pearson's bound of n of n


def test_joints_in_the_plane(data):
    few = data.take([0, 1, 2])
    networks = [network(name, few) for name in ("stgcn", "fg-stformer", "stgcn", "agcn")]
    table = tables.node_table(networks, few)
    assert table.groupby("network", sort=False).size().to_dict() == {"my stgcn": 75, "my agcn": 75}
    assert np.isfinite(table[["x", "y"]]).all(axis=None)
    assert table["separation"].gt(0).all()
    assert table["silhouette"].between(-1, 1).all()
    with pytest.raises(UserError, match="none of ST-GCN, 2s-AGCN and ST-GDN is trained on these data"):
        tables.node_table(networks[1:2], few)
    with pytest.raises(UserError, match="no CTR-GCN is trained on these data"):
        tables.first_of(networks, "ctr-gcn")


def test_trainings_on_other_clips_are_no_evidence_for_a_dataset():
    trained = runs(full=[0.5]).assign(dataset="here")
    parts = pd.DataFrame({"part": ["all"]})
    mine, theirs = (tables.learnt_from(place, trained, parts=parts) for place in ("here", "there"))
    assert [len(table) for table in mine.values()] == [1, 1]
    assert {name: list(table) for name, table in theirs.items()} == {"runs": list(trained), "parts": ["part"]}
    assert all(table.empty for table in theirs.values())
    with pytest.raises(UserError, match="no variants with and without all"):
        gain(theirs["parts"], "all")
