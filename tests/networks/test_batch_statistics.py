"""Statistics of batches: which a network keeps, whether it has met any, and how it is given others."""

import numpy as np
import pytest
import torch
from torch import nn

from analysis_lib.networks.batch_statistics import has_met_clips, recalibrate
from analysis_lib.networks.st_gdn import Whitening


def test_statistics_are_the_mean_over_batches_with_dropout_off_whatever_was_there(rng):
    net = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.9), nn.BatchNorm1d(2, momentum=None)).train()
    net[2].running_mean.fill_(100.0)
    batches = [torch.from_numpy(rng.normal(size=(8, 3)).astype(np.float32)) for _ in range(5)]
    recalibrate(net, batches)
    with torch.no_grad():
        outputs = [net[0](batch) for batch in batches]
    torch.testing.assert_close(net[2].running_mean, torch.stack([x.mean(0) for x in outputs]).mean(0))
    torch.testing.assert_close(net[2].running_var, torch.stack([x.var(0) for x in outputs]).mean(0))
    assert net[2].momentum is None
    assert all(module.training for module in net.modules())


@pytest.mark.parametrize(
    "layer", [nn.BatchNorm2d(3), nn.InstanceNorm2d(3, track_running_stats=True), Whitening(3, axis=3)]
)
def test_a_layer_that_keeps_statistics_has_met_clips_after_the_first(layer, rng):
    assert has_met_clips(layer) is False
    layer.train()(torch.from_numpy(1 + rng.normal(size=(4, 3, 5, 3)).astype(np.float32)))
    assert has_met_clips(layer)


def test_a_network_that_keeps_none_cannot_tell():
    assert has_met_clips(nn.BatchNorm2d(3, track_running_stats=False)) is None
