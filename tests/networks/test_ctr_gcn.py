"""CTR-GCN: its graph convolution is the sum of the definition, term by term; time in four branches."""

import pytest
import torch

from analysis_lib.networks.ctr_gcn import MultiScaleTime, RefinedGraphConv


def test_refined_graph_convolution_in_loops():
    torch.manual_seed(0)
    conv = RefinedGraphConv(2, 3, torch.rand(2, 4, 4), embedding=5)
    torch.nn.init.constant_(conv.alpha, 0.7)
    x = torch.randn(2, 2, 6, 4)
    mean = x.mean(2, keepdim=True)
    psi, phi = (part(mean).unflatten(1, (2, 5))[:, :, :, 0] for part in (conv.psi, conv.phi))
    value = conv.conv(x).unflatten(1, (2, 3))
    weight, bias = conv.xi.weight[:, :, 0, 0].view(2, 3, 5), conv.xi.bias.view(2, 3)
    by_hand = torch.zeros(2, 3, 6, 4)
    for n in range(2):
        for k in range(2):
            for v in range(4):
                for w in range(4):
                    refined = weight[k] @ torch.tanh(psi[n, k, :, v] - phi[n, k, :, w]) + bias[k]
                    by_hand[n, :, :, w] += (conv.A[k, v, w] + 0.7 * refined)[:, None] * value[n, k, :, :, v]
    torch.testing.assert_close(conv(x), by_hand)


@pytest.mark.parametrize(("channels", "widths"), [(16, [4, 4, 4, 4]), (10, [2, 2, 2, 4])])
def test_the_branches_share_the_channels(channels, widths):
    unit = MultiScaleTime(channels, stride=2)
    x = torch.zeros(1, channels, 7, 3)
    assert [branch(x).shape[1:] for branch in unit.branches] == [(w, 4, 3) for w in widths]
