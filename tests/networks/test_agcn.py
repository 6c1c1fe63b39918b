"""2s-AGCN: its graph convolution is the sum of the definition, term by term."""

import pytest
import torch

from analysis_lib.networks.units import AdaptiveGraphConv


@pytest.mark.parametrize("bones", [True, False])
def test_adaptive_graph_convolution_in_loops(bones):
    torch.manual_seed(0)
    conv = AdaptiveGraphConv(2, 8, torch.rand(3, 4, 4) if bones else None)
    x = torch.randn(2, 2, 5, 4)
    theta, phi, value = (part(x).unflatten(1, (conv.n_subsets, -1)) for part in (conv.theta, conv.phi, conv.conv.conv))
    by_hand = torch.zeros(2, 8, 5, 4)
    for n in range(2):
        for k in range(conv.n_subsets):
            for w in range(4):
                alike = torch.stack([(theta[n, k, :, :, v] * phi[n, k, :, :, w]).mean() for v in range(4)])
                graph = torch.softmax(alike, 0) + (conv.A[k, :, w] + conv.B[k, :, w] if bones else 0)
                by_hand[n, :, :, w] += sum(graph[v] * value[n, k, :, :, v] for v in range(4))
    torch.testing.assert_close(conv(x), by_hand)
