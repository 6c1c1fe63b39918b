"""The spectrum against the published eigenvalues, a naive triple loop, and the laws of a basis."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analysis_lib.errors import DataError, UserError
from analysis_lib.skeletons.layouts import LAYOUTS, layout
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.skeletons.spectrum import (
    DEGREES,
    SIGNALS,
    body_signal,
    clip_energies,
    graph_spectrum,
    polynomial_response,
    with_edge_list,
)

#: of the eigenbasis that was published with the geometry paper
PAPER = np.fromstring(
    "-0.532 -0.455 -0.432 -0.368 -0.338 -0.159 -0.091 -0.051 0.189 0.230 0.406 0.549 0.677 0.896 1 1 1 "
    "1.192 1.234 1.292 1.552 1.607 1.616 1.617 1.619",
    sep=" ",
)
#: the usual normalisation, with the edges of ST-GCN
USUAL = np.fromstring(
    "-0.374 -0.304 -0.273 -0.238 -0.217 -0.106 -0.088 -0.055 0.089 0.144 0.203 0.216 0.350 0.506 0.532 "
    "0.620 0.647 0.812 0.815 0.824 0.934 0.953 0.979 0.983 1",
    sep=" ",
)

NTU = layout("ntu-25")
STAR = Skeleton("star", ("hub", "a", "b", "c"), ((1, 0), (2, 0), (3, 0)))

clips = arrays(
    float,
    st.tuples(*(st.integers(1, 3) for _ in range(2)), st.just(4), st.integers(2, 3)),
    elements=st.floats(-5, 5, allow_subnormal=False).map(lambda v: round(v, 3)),
)


@pytest.mark.parametrize(
    ("degree", "edges", "expected"),
    [
        ("no_self", "auto", PAPER),
        ("no_self", "ntu-tips-on-hand", PAPER),
        ("with_self", "ntu-stgcn", USUAL),
        ("with_self", "", USUAL),
    ],
)
def test_eigenvalues_of_the_paper(degree, edges, expected):
    assert graph_spectrum(with_edge_list(NTU, edges), degree).eigenvalues == pytest.approx(expected, abs=5.1e-4)


def test_the_other_edge_list_has_another_spectrum():
    assert np.abs(graph_spectrum(NTU).eigenvalues - PAPER).max() > 0.01


@pytest.mark.parametrize("skeleton", LAYOUTS.values(), ids=lambda s: s.name)
@pytest.mark.parametrize("degree", DEGREES)
def test_the_basis_diagonalises_the_matrix_that_is_written_out_here(skeleton, degree):
    n = skeleton.n_joints
    matrix = np.eye(n)
    for a, b in skeleton.edges:
        matrix[a, b] = matrix[b, a] = 1
    d = matrix.sum(0) - (degree == "no_self")
    for i, j in itertools.product(range(n), repeat=2):
        matrix[i, j] /= np.sqrt(d[i] * d[j])
    spectrum = graph_spectrum(skeleton, degree)
    u = spectrum.eigenvectors
    assert np.allclose(u.T @ u, np.eye(n), atol=1e-10)
    assert np.allclose(u * spectrum.eigenvalues @ u.T, matrix, atol=1e-10)
    assert (np.diff(spectrum.eigenvalues) >= 0).all()
    largest = u[np.abs(u).argmax(axis=0), range(n)]
    assert (u.max(axis=0) >= np.abs(largest) - 1e-9).all()


@pytest.mark.parametrize("skeleton", LAYOUTS.values(), ids=lambda s: s.name)
def test_with_self_loops_the_spectrum_lies_within_one(skeleton):
    values = graph_spectrum(skeleton, "with_self").eigenvalues
    assert values.max() == pytest.approx(1)
    assert values.min() > -1


def test_a_star_by_hand_and_its_eigenspace():
    """Leaves as one give [[1/3, 1], [1, 1]], (2 +- sqrt 10) / 3; their differences 1, twice."""
    spectrum = graph_spectrum(STAR)
    root = np.sqrt(10)
    assert spectrum.eigenvalues == pytest.approx([(2 - root) / 3, 1, 1, (2 + root) / 3], abs=1e-12)
    assert spectrum.eigenspaces.tolist() == [0, 1, 1, 2]
    top, pair = spectrum.eigenvectors[:, 3], spectrum.eigenvectors[:, 1:3]
    assert top[1:] / top[0] == pytest.approx(np.full(3, (1 + root) / 3 / np.sqrt(3)))
    assert top[0] > 0
    leaves = np.diag([0, 1.0, 1, 1]) - np.pad(np.full((3, 3), 1 / 3), (1, 0))
    assert np.allclose(pair @ pair.T, leaves)
    # the first leaf leads the first vector, and is left out of the second
    assert np.allclose(pair[:, 0], np.sqrt([0, 2 / 3, 1 / 6, 1 / 6]) * [0, 1, -1, -1])
    assert np.allclose(pair[:, 1], np.sqrt([0, 0, 1 / 2, 1 / 2]) * [0, 0, 1, -1])


def test_the_basis_of_an_eigenspace_does_not_hang_on_the_solver(monkeypatch):
    before = graph_spectrum(with_edge_list(NTU))
    solve = np.linalg.eigh

    def turned(matrix):
        values, vectors = solve(matrix)
        vectors[:, 14:17] = vectors[:, 14:17] @ np.linalg.qr(np.vander([1.0, 2, 3]))[0]
        return values, -vectors

    monkeypatch.setattr(np.linalg, "eigh", turned)
    after = graph_spectrum(with_edge_list(NTU))
    assert np.allclose(before.eigenvectors, after.eigenvectors, atol=1e-9)


def test_a_joint_without_bones():
    lonely = Skeleton("lonely", ("a", "b", "c"), ((0, 1),))
    assert graph_spectrum(lonely, "no_self").eigenvalues == pytest.approx([0, 0, 2], abs=1e-12)
    assert graph_spectrum(lonely, "with_self").eigenvalues == pytest.approx([0, 1, 1], abs=1e-12)


def test_edge_lists_by_name():
    kinect = layout("kinect-20")
    assert with_edge_list(kinect) is with_edge_list(kinect, "") is kinect
    assert with_edge_list(NTU).edges == NTU.variants["ntu-tips-on-hand"]
    # a dataset that was saved and read again still has the paper's edges
    assert with_edge_list(Skeleton.from_dict(NTU.to_dict())).edges == with_edge_list(NTU).edges
    with pytest.raises(UserError, match="unknown edge list of 'kinect-20' 'ntu-stgcn'; choices: n"):
        with_edge_list(kinect, "ntu-stgcn")


@given(clips, st.sampled_from(SIGNALS))
def test_parseval(x, signal):
    """Energies in the basis add up to the energy of the signal, whatever the basis."""
    moved = body_signal(x, signal)
    basis = graph_spectrum(STAR).eigenvectors
    if not moved.any():
        with pytest.raises(DataError, match=f"no clip has any {signal} energy"):
            clip_energies([x], basis, signal)
        return
    (shares,) = clip_energies([x], basis, signal)
    assert shares.sum() == pytest.approx(1)
    assert (shares >= 0).all()
    norm = (moved**2).sum()
    for k in range(4):
        naive = sum(
            (basis[:, k] @ moved[m, t, :, c]) ** 2
            for m, t, c in itertools.product(*map(range, (*moved.shape[:2], x.shape[-1])))
        )
        assert shares[k] == pytest.approx(naive / norm, abs=1e-9)


@given(clips, st.floats(0.1, 10), st.integers(1, 3))
def test_shares_do_not_hang_on_units_or_on_repeated_clips(x, scale, times):
    basis = graph_spectrum(STAR).eigenvectors
    if x.any():
        once, again = clip_energies([x, np.tile(x * scale, (1, times, 1, 1))], basis, "raw")
        assert again == pytest.approx(once, abs=1e-9)


def test_a_basis_vector_has_all_its_energy_at_its_own_frequency():
    basis = graph_spectrum(with_edge_list(NTU)).eigenvectors
    for k in (0, 15, 24):
        clip = np.multiply.outer([1.0, -2], basis[:, k])[None, :, :, None]
        assert clip_energies([clip], basis, "raw")[0] == pytest.approx(np.eye(25)[k], abs=1e-12)


def test_signals_by_hand():
    x = np.array([[[[1.0, 1], [2, 2]], [[4, 4], [5, 6]]]])  # one body, two frames, two joints
    assert body_signal(x, "raw").tolist() == x.tolist()
    assert body_signal(x, "velocity").tolist() == [[[[3, 3], [3, 4]]]]
    assert body_signal(x).tolist() == [[[[-1, -1], [0, 0]], [[2, 2], [3, 4]]]]
    assert body_signal(x, origin=0).tolist() == [[[[0, 0], [1, 1]], [[3, 3], [4, 5]]]]


def test_joints_that_are_not_seen_carry_no_signal(rng):
    x = rng.normal(size=(2, 6, 4, 3))
    x[1, :2] = x[1, 4:] = 0  # the second body comes late and leaves early
    x[0, 3, 2] = 0
    centred, velocity = body_signal(x), body_signal(x, "velocity")
    assert not centred[1, [0, 1, 4, 5]].any()
    assert not centred[1, 2, 1].any()  # its origin is its first frame on the scene
    assert not centred[0, 3, 2].any()
    assert np.allclose(centred[0, 5], x[0, 5] - x[0, 0, 1])
    assert not velocity[1, [0, 1, 3, 4]].any()
    assert velocity[1, 2].any()
    assert not velocity[0, 2:4, 2].any()
    basis = graph_spectrum(STAR).eigenvectors
    absent = np.concatenate([x[:1], np.zeros_like(x[:1])])
    assert np.array_equal(*clip_energies([absent, x[:1]], basis))


def test_inputs_are_left_alone(rng):
    x = rng.normal(size=(1, 3, 4, 3)).astype(np.float32)
    before = x.copy()
    x.flags.writeable = False
    basis = graph_spectrum(STAR).eigenvectors
    for signal in SIGNALS:
        assert clip_energies([x], basis, signal).dtype == np.float64
    assert np.array_equal(x, before)


def test_choices_that_do_not_exist():
    basis, x = np.eye(4), np.ones((1, 2, 4, 3))
    with pytest.raises(UserError, match=r"^unknown degree 'noself'; did you mean 'no_self'"):
        graph_spectrum(STAR, "noself")
    with pytest.raises(UserError, match=r"^unknown signal 'still'; choices: centred, raw, velo"):
        clip_energies([x], basis, "still")
    with pytest.raises(UserError, match=r"^joint 4 cannot be the origin: joints are 0\.\.3$"):
        clip_energies([x], basis, origin=4)
    with pytest.raises(UserError) as error:
        clip_energies([x], np.eye(5))
    assert str(error.value) == (
        "expected a clip (M, T, V, C) and a basis (V, V), got (1, 2, 4, 3) and (5, 5); are they of one skeleton?"
    )
    with pytest.raises(UserError, match=r"^powers must be non-negative and at least one, got"):
        polynomial_response(np.ones(2), [])


def test_powers_are_filters_that_narrow():
    eigenvalues = graph_spectrum(with_edge_list(NTU)).eigenvalues
    response = polynomial_response(eigenvalues, range(1, 11))
    assert response[:, -1] == pytest.approx(np.ones(10))
    assert response[2] == pytest.approx(response[0] ** 3)
    assert response[0, 0] == pytest.approx(-0.532 / 1.619, abs=1e-3)
