"""Tables of the spectrum: means and intervals by hand, the paper's cut, filters, and distances."""

import itertools

import numpy as np
import pandas as pd
import pytest

from analysis_lib.errors import DataError, UserError
from analysis_lib.skeletons.layouts import layout
from analysis_lib.skeletons.spectrum import DEGREES, SIGNALS, Spectrum, clip_energies, graph_spectrum, with_edge_list
from analysis_lib.studies.spectrum.tables import (
    class_energy,
    distance_table,
    filter_table,
    mean_energy,
    top_frequencies,
    top_share,
    variant_table,
)

NTU = layout("ntu-25")


def test_a_still_clip_has_a_zero_row_and_counts_for_nothing(rng):
    sequences = [rng.normal(size=(1, 5, 4, 3)), np.ones((1, 1, 4, 3)), rng.normal(size=(1, 5, 4, 3))]
    energies = clip_energies(sequences, np.eye(4), "velocity")
    assert energies.sum(axis=1) == pytest.approx([1, 0, 1])
    table = class_energy(energies, np.array([0, 0, 0]), ["x"], ["all"], np.arange(4.0), 20)
    assert (table["clips"] == 2).all()
    assert mean_energy(table) == pytest.approx(energies[[0, 2]].mean(axis=0))
    with pytest.raises(DataError, match=r"^no clip has any velocity energy: no joint is seen"):
        clip_energies(sequences[1:2], np.eye(4), "velocity")


@pytest.fixture
def table():
    """Return two classes of group a (.2 and .6 at k = 1), one of group b, one without clips."""
    first = np.array([0.1, 0.3, 0.6, 0.9])
    energies = np.stack([first, 1 - first], axis=1)
    return class_energy(
        energies,
        np.array([0, 0, 1, 2]),
        ["x", "y", "z", "w"],
        ["a", "a", "b", "b"],
        np.array([0.5, 1.0]),
        n_bootstrap=400,
    )


def test_class_and_group_means_by_hand(table):
    one = table[table["k"] == 1].set_index(["level", "group", "class"])
    assert one["energy"].to_dict() == pytest.approx(
        {
            ("group", "a", ""): 0.4,
            ("group", "b", ""): 0.9,
            ("class", "a", "x"): 0.2,
            ("class", "a", "y"): 0.6,
            ("class", "b", "z"): 0.9,
        }
    )
    assert one["clips"].tolist() == [3, 1, 2, 1, 1]
    assert mean_energy(table) == pytest.approx([1.7 / 3, 1.3 / 3])


def test_intervals_hold_the_mean_and_vanish_for_a_class_of_one(table):
    assert (table["low"] <= table["energy"] + 1e-12).all()
    assert (table["high"] >= table["energy"] - 1e-12).all()
    two = table[(table["class"] == "x") & (table["k"] == 1)].iloc[0]
    assert (two["low"], two["high"]) == pytest.approx((0.1, 0.3))  # of .1, .2 and .3
    alone = table[table["class"] == "y"]
    assert np.allclose(alone["low"], alone["high"])


def test_the_interval_of_a_mean_is_the_normal_one(rng):
    energies = rng.dirichlet(np.ones(3), size=2000)
    table = class_energy(energies, np.zeros(2000, int), ["x"], ["all"], np.arange(3.0), 2000)
    width = (table["high"] - table["low"])[table["level"] == "class"].to_numpy()
    assert width == pytest.approx(2 * 1.96 * energies.std(axis=0) / np.sqrt(2000), rel=0.1)


def test_equal_seeds_give_equal_tables(rng):
    given_ = (rng.dirichlet(np.ones(3), size=9), np.arange(9) % 3, list("xyz"), list("aab"), np.arange(3.0), 50)
    pd.testing.assert_frame_equal(class_energy(*given_), class_energy(*given_))
    assert not class_energy(*given_).equals(class_energy(*given_, seed=1))


def test_tables_refuse_what_does_not_fit():
    with pytest.raises(UserError, match=r"^energies must be \(clips, frequencies\) = \(2, 3\), got"):
        class_energy(np.ones((3, 2)), [0, 0], ["x"], ["a"], np.arange(3.0))
    with pytest.raises(UserError, match=r"^top must lie in 1\.\.2, got 3$"):
        top_share(np.ones(2), Spectrum(np.arange(2.0), np.eye(2)), 3)


def test_the_cut_of_the_paper_passes_through_an_eigenspace():
    """Frequency 17 is one of three with eigenvalue 1, so nine of 25 is not a sharp set."""
    spectrum, energy = graph_spectrum(with_edge_list(NTU)), np.full(25, 1 / 25)
    assert top_share(energy, spectrum, 9) == pytest.approx((9 / 25, 8 / 25, 11 / 25))
    assert top_share(energy, spectrum, 8) == pytest.approx((8 / 25,) * 3)
    assert top_share(energy, spectrum, 25) == pytest.approx((1, 1, 1))
    assert [top_frequencies(v) for v in (1, 18, 20, 25, 29)] == [1, 6, 7, 9, 10]


def test_the_energy_that_a_power_covers_only_shrinks():
    eigenvalues = graph_spectrum(with_edge_list(NTU)).eigenvalues
    table = filter_table(eigenvalues, np.full(25, 0.04), range(1, 11))
    shares = table.groupby("power")["share"].first().to_numpy()
    assert (np.diff(shares) <= 1e-12).all()
    # (lambda / 1.619)^p > 1/2: above .81 at once, above 1.51 at the tenth power
    assert shares[[0, -1]] == pytest.approx([12 / 25, 5 / 25])
    assert len(table) == 250


def test_smooth_motion_is_concentrated_under_every_variant(rng):
    """A body that moves as a whole, a little shaken: all energy is at the smooth end."""
    frames = np.cumsum(rng.normal(size=(1, 30, 1, 3)), axis=1) + 0.02 * rng.normal(size=(1, 30, 25, 3))
    variants = variant_table([frames], np.array([0]), NTU, 9)
    assert list(zip(variants["degree"], variants["signal"], strict=True)) == list(itertools.product(DEGREES, SIGNALS))
    for row in variants.itertuples():
        spectrum = graph_spectrum(NTU, row.degree)
        energy = clip_energies([frames], spectrum.eigenvectors, row.signal)[0]
        assert (row.share, row.low, row.high) == top_share(energy, spectrum, 9)
    assert (variants["share"] > 0.9).all()
    assert (variants["low"] <= variants["share"]).all()
    assert (variants["share"] <= variants["high"]).all()


def test_distances_of_the_paper():
    """The paper says 10: the graph has 12 (11 with tips on the hand); hand to foot is 10."""
    table = distance_table(NTU, layout("kinect-20"), layout("openpose-18"), NTU)
    assert table["diameter"].tolist() == [12, 11, 10, 8]
    assert table["bones"].tolist() == [24, 24, 19, 17]
    assert table["hand to foot"].iloc[:3].tolist() == [10, 10, 10]
    assert table["hand to foot"].isna().tolist() == [False, False, False, True]
    assert table["between"].iloc[0] == "left foot to left hand tip"
