"""Means and spreads of batches, which batch norms and the book's whitening keep in buffers ``running_...``."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from analysis_lib.networks.hooks import evaluating


def _statistics(module: nn.Module) -> list[Tensor]:
    """Return the statistics that a module itself keeps."""
    return [value for name, value in module.named_buffers(recurse=False) if name.startswith("running_")]


def has_met_clips(model: nn.Module) -> bool | None:
    """Return whether any statistics of a network are other than it was built with; None where it keeps none.

    Examples
    --------
    >>> norm = nn.BatchNorm1d(2)
    >>> has_met_clips(nn.Linear(2, 2)), has_met_clips(norm)
    (None, False)
    >>> _ = norm(torch.eye(2))
    >>> has_met_clips(norm)
    True
    """
    kept = [value for module in model.modules() for value in _statistics(module)]
    return any(not _is_new(value) for value in kept) if kept else None


def _is_new(value: Tensor) -> bool:
    """Return whether statistics are a mean of 0, or a spread of 1."""
    start = torch.eye(*value.shape) if value.ndim == 2 else torch.ones_like(value)
    return not value.any() or torch.equal(value, start.to(value))


@torch.no_grad()
def recalibrate(model: nn.Module, batches: Iterable[Tensor]) -> None:
    r"""Give a network, in place, the batch statistics of some clips: the mean of those of the batches.

    Modules with buffers ``running_...`` and a ``momentum`` learn them: batch norms, and the book's whitening. The
    k-th batch has the weight 1 / k,

    .. math:: \mu_k = \mu_{k-1} + (x_k - \mu_{k-1}) / k

    so that what was there before is gone after the first. Dropout stays off, as where the statistics are used.

    Parameters
    ----------
    batches : iterable of Tensor, each of shape (N, C, T, V, M)
        Of clips in an order that mixes the classes: the spread within a batch is what is taken.

    Examples
    --------
    >>> norm = nn.BatchNorm1d(1)
    >>> recalibrate(norm, [torch.tensor([[1.0], [3.0]]), torch.tensor([[5.0], [9.0]])])
    >>> norm.running_mean.item(), norm.running_var.item()
    (4.5, 5.0)
    """
    taught = [module for module in model.modules() if hasattr(module, "momentum") and _statistics(module)]
    momenta = [module.momentum for module in taught]
    try:
        with evaluating(model):
            for module in taught:
                module.training = True
            for k, batch in enumerate(batches, start=1):
                for module in taught:
                    module.momentum = 1 / k
                model(batch)
    finally:
        for module, momentum in zip(taught, momenta, strict=True):
            module.momentum = momentum
