r"""What a multi-branch network looks at: places, movement, bones and acceleration of the joints, differentiably.

References
----------
Song, Zhang, Shan & Wang (2022), EfficientGCN: three branches; Tempel, Ihlen, Adde & Strümke (2024), AutoGCN,
released code: the fourth, and the factor 1/2.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from scipy.signal import butter, sosfiltfilt
from torch import Tensor

from analysis_lib.errors import UserError

#: places, velocity, bones, acceleration
STREAMS = ("J", "V", "B", "A")
#: added to the length of a bone, so that one without length has a direction: none
EPSILON = 1e-4
#: order and cut-off (of the Nyquist frequency) of the low-pass before the acceleration
ORDER, CUTOFF = 8, 0.5


def streams(x: Tensor, parents: Sequence[int], reference: int = 1) -> Tensor:
    r"""Return the four streams of clips, each of twice as many channels, (N, C, T, V, M) -> (N, 4, 2C, T, V, M).

    ======  ===================================  ==========================================================
    stream  first half of the channels           second half
    ======  ===================================  ==========================================================
    J       :math:`x_v`                          :math:`x_v - x_{\text{reference}}`
    V       :math:`x_{t+1} - x_t`                :math:`(x_{t+2} - x_t) / 2`
    B       :math:`b = x_v - x_{parent(v)}`      :math:`\arccos\big(b_c / (\lVert b \rVert + 10^{-4})\big)`
    A       the same of the first half of V,     the same of its second half, smoothed
            smoothed (`smoother`)
    ======  ===================================  ==========================================================

    V and A are zero in the last two frames of a body, and where a frame that they need is empty (all
    zeros): the end of a clip in padding is no movement. A bone without length has the angle
    :math:`\pi/2`, in padding too, as published.

    Parameters
    ----------
    x : Tensor, shape (N, C, T, V, M)
    parents : sequence of int, length V
        Of a root: itself (`analysis_lib.skeletons.skeleton.Skeleton.parents`).
    reference : int
        The published code takes joint 1 whatever the layout: the middle of the spine with the Kinects.

    Raises
    ------
    UserError
        If there is no such reference, or another number of joints than parents.

    Examples
    --------
    >>> x = torch.tensor([0.0, 1.0, 4.0, 9.0]).add(1).view(1, 1, 4, 1, 1)
    >>> streams(x, parents=[0], reference=0)[0, 1, :, :, 0, 0]  # V: over one frame, over two
    tensor([[1., 3., 0., 0.],
            [2., 4., 0., 0.]])
    """
    n_joints = x.shape[3]
    if len(parents) != n_joints or not 0 <= reference < n_joints:
        raise UserError(
            f"streams of {len(parents)} joints with reference {reference} were asked for; the clips have {n_joints}"
        )
    seen = x.detach().ne(0).any(dim=3, keepdim=True).any(dim=1, keepdim=True)  # (N, 1, T, 1, M)
    moving = torch.zeros_like(seen)
    moving[:, :, :-2] = seen[:, :, :-2] & seen[:, :, 1:-1] & seen[:, :, 2:]
    velocity = torch.cat([_ahead(x, 1), _ahead(x, 2) / 2], dim=1) * moving
    bone = x - x[:, :, :, list(parents)]
    length = torch.linalg.vector_norm(bone, dim=1, keepdim=True)
    angle = torch.arccos((bone / (length + EPSILON)).clamp(-1 + 1e-6, 1 - 1e-6))
    smooth = torch.einsum("tu,ncuvm->nctvm", smoother(x.shape[2]).to(x), velocity)
    one, two = smooth.chunk(2, dim=1)
    acceleration = torch.cat([_ahead(one, 1), _ahead(two, 2) / 2], dim=1) * moving
    place = torch.cat([x, x - x[:, :, :, [reference]]], dim=1)
    return torch.stack([place, velocity, torch.cat([bone, angle], dim=1), acceleration], dim=1)


def _ahead(x: Tensor, n: int) -> Tensor:
    """Return by how much frames n later differ; the last ones differ from nothing."""
    return torch.cat([x[:, :, n:] - x[:, :, :-n], x[:, :, :n] * 0], dim=2)[:, :, : x.shape[2]]


@lru_cache(maxsize=16)
def smoother(n_frames: int) -> Tensor:
    """Return the zero-phase low-pass (Butterworth, forth and back) as a matrix over frames, float64 (T, T).

    The filter begins beyond the ends of a clip, on its odd reflection; of a clip too short for the usual
    27 frames of that, it takes as many as there are.

    Examples
    --------
    >>> (smoother(40) @ torch.ones(40, dtype=torch.float64)).allclose(torch.ones(40, dtype=torch.float64))
    True
    """
    sections = butter(ORDER, CUTOFF, output="sos")
    return torch.from_numpy(sosfiltfilt(sections, np.eye(n_frames), axis=0, padlen=min(27, n_frames - 1)).copy())
