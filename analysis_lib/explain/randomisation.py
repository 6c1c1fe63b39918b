"""Networks that forget layer by layer, from the scores down: the sanity check of explanations.

An explanation that stays the same when the weights are drawn anew explains the input, not the
network.

References
----------
Adebayo, Gilmer, Muelly, Goodfellow, Hardt & Kim (2018), Sanity checks for saliency maps: cascading
randomisation.
"""

from collections.abc import Iterator

from torch import nn

from analysis_lib.networks.untrained import randomised


def cascade(model: nn.Module, steps: dict[str, tuple[str, ...]], seed: int) -> Iterator[tuple[str, nn.Module]]:
    """Yield (step, copy of the network that has forgotten this step and all before it)."""
    for step, modules in steps.items():
        model = randomised(model, modules, seed)
        yield step, model
