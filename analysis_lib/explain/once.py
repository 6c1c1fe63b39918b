"""An explanation is kept, so that methods and yardsticks that ask for it again need not wait for it."""

import numpy as np

from analysis_lib.explain.method import Maps, Method
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.results.digest import array_digest


class Once:
    """A method that explains the same clip of the same network once, however often it is asked.

    The method should say of a clip what it says of it alone, whichever clips come together.
    """

    def __init__(self, method: Method):
        self.method, self.known = method, {}

    def __call__(self, network: Checkpoint, x: np.ndarray, lengths: np.ndarray, target: str | np.ndarray) -> Maps:
        """Return the maps of a few clips (`analysis_lib.explain.method.Method`)."""
        each = [target] * len(x) if isinstance(target, str) else [int(c) for c in target]
        keys = [(id(network.model), array_digest(clip), c) for clip, c in zip(x, each, strict=True)]
        new = {key: i for i, key in enumerate(keys) if key not in self.known}
        if new:
            index = np.array(list(new.values()))
            found = self.method(network, x[index], lengths[index], target if isinstance(target, str) else target[index])
            for i, key in enumerate(new):  # with the model, as one that is held keeps its id
                self.known[key] = network.model, found.take([i])
        return Maps.joined([self.known[key][1] for key in keys])
