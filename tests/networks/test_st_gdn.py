"""ST-GDN: inverse roots beside eigenvectors, whitening by its law, kinds of layers by their parts."""

import pytest
import torch

from analysis_lib.errors import UserError
from analysis_lib.networks.agcn import AGCN
from analysis_lib.networks.st_gdn import STGDN, Whitening, inverse_root
from analysis_lib.skeletons.layouts import layout


def spread(condition, n=25):
    """Return a matrix of that condition number, and its true inverse root."""
    q, _ = torch.linalg.qr(torch.randn(n, n, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    values = torch.logspace(0, -torch.tensor(float(condition)).log10().item(), n, dtype=torch.float64)
    return q @ torch.diag(values) @ q.T, q @ torch.diag(values**-0.5) @ q.T


@pytest.mark.parametrize(
    ("condition", "iterations", "error"),
    [(10, 5, 0.024), (100, 5, 0.334), (1e4, 5, 0.892), (10, 10, 0), (100, 10, 0), (1e4, 10, 0.409)],
)
def test_how_close_the_iterations_come(condition, iterations, error):
    c, truth = spread(condition)
    for scale in (1, 50):  # the scale of C does not matter
        found = inverse_root(scale * c, iterations) * scale**0.5
        assert float((found - truth).norm() / truth.norm()) == pytest.approx(error, abs=1e-3)


def test_the_iteration_as_printed_diverges():
    c, truth = spread(10)
    few, more = (inverse_root(6 * c, k, normalised=False).norm() / truth.norm() for k in (3, 5))
    assert few > 100
    assert more > 1e6
    assert inverse_root(torch.tensor([[5.0]]), 1, normalised=False).item() == -1


@pytest.mark.parametrize("axis", [2, 3])
def test_whitened_variables_are_centred_and_uncorrelated(axis):
    x = torch.randn(40, 6, 5, 4, generator=torch.Generator().manual_seed(1)).movedim(3, axis)
    x = (x.movedim(axis, -1) @ (torch.eye(4) + 0.3) + torch.arange(4)).movedim(-1, axis)
    layer = Whitening(4, axis, eps=0, iterations=20, momentum=1.0)
    white = layer(x)
    samples = white.movedim(axis, -1).reshape(-1, 4)
    torch.testing.assert_close(samples.mean(0), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(samples.T @ samples / len(samples), torch.eye(4), atol=1e-3, rtol=0)
    torch.testing.assert_close(layer.eval()(x), white)  # with momentum 1, this batch is all that is known


def test_matrices_are_not_multiplied_in_half_precision():
    x = torch.randn(8, 4, 6, 5, generator=torch.Generator().manual_seed(2))
    whole = Whitening(5, 3)(x)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(Whitening(5, 3)(x), whole)


def test_without_whitening_it_is_the_small_agcn():
    torch.manual_seed(0)
    plain = STGDN(layout("kinect-20"), 4, width=0.125, kinds=("plain",) * 7).eval()
    agcn = AGCN(layout("kinect-20"), 4, width=0.125, depth=7).eval()
    agcn.load_state_dict({k.replace(".graph.0.", ".graph."): v for k, v in plain.state_dict().items()}, strict=True)
    x = torch.randn(2, 3, 13, 20, 1)
    torch.testing.assert_close(plain(x), agcn(x))


def test_where_the_published_network_whitens():
    model = STGDN(layout("ntu-25"), 60, frames=300)
    whitenings = {k: (m.n, m.axis) for k, m in model.named_modules() if isinstance(m, Whitening)}
    joints = {f"l{i}.graph.1.0": (25, 3) for i in range(1, 5)} | {"l5.graph.0.0": (25, 3), "l7.graph.0.0": (25, 3)}
    assert whitenings == joints | {"l6.time.0": (75, 2), "l7.time.0": (75, 2)}


def test_the_graph_may_be_the_clips_own_alone():
    model = STGDN(layout("ntu-25"), 60, dynamic_only=True)
    assert not any(k.endswith((".A", ".B")) for k in model.state_dict())


def test_another_number_of_frames_is_named():
    with pytest.raises(UserError, match="whitens 13 frames, got 15; build the network for them"):
        STGDN(layout("kinect-20"), 4, width=0.125, frames=52).eval()(torch.zeros(1, 3, 60, 20, 1))
