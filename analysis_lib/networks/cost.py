"""What a network costs: multiplications of a clip, counted, and time, measured."""

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from analysis_lib.networks.hooks import evaluating


@torch.no_grad()
def multiplications(model: nn.Module, shape: Sequence[int]) -> int:
    """Return the multiply-accumulate operations that one clip of shape (C, T, V, M) takes.

    Counted are convolutions and products of matrices, attention and graphs that a clip gives itself
    included; element-wise operations, such as activations and shifts, are not.

    Examples
    --------
    >>> net = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Flatten(), nn.Linear(8 * 10 * 5, 2))
    >>> multiplications(net, (3, 10, 5))  # 3 x 8 at 50 places, then 400 x 2
    2000
    """
    with evaluating(model), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, *shape))
    return counter.get_total_flops() // 2  # a multiplication and an addition are one operation here


@torch.no_grad()
def seconds_a_clip(model: nn.Module, x: np.ndarray, repeats: int = 3) -> float:
    """Return the time that scoring one clip of (N, C, T, V, M) takes in a batch of N: the least of some repeats."""
    batch, times = torch.from_numpy(x), []
    with evaluating(model):
        for _ in range(repeats + 1):  # the first pass warms up
            start = time.perf_counter()
            model(batch)
            times.append(time.perf_counter() - start)
    return min(times[1:]) / len(x)
