"""What was found is kept, so that methods and yardsticks that ask for it again need not wait for it."""

from collections.abc import Callable, Hashable, Iterable, Sequence

import numpy as np

from analysis_lib.explain.method import Maps, Method
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.results.digest import array_digest

_BY_LAYER = ("maps", "lengths")


class Once:
    """A method that explains the same clip of the same network once, however often it is asked, and each by itself."""

    def __init__(self, method: Method):
        self.method, self.known = method, {}

    def __call__(self, network: Checkpoint, x: np.ndarray, lengths: np.ndarray, target: str | np.ndarray) -> Maps:
        """Return the maps of a few clips (`analysis_lib.explain.method.Method`)."""
        targets = [target] * len(x) if isinstance(target, str) else [np.atleast_1d(c) for c in target]
        each = [self._one(network, x[i : i + 1], lengths[i : i + 1], c) for i, c in enumerate(targets)]
        maps, frames = (tuple(map(np.concatenate, zip(*(getattr(m, k) for m in each), strict=True))) for k in _BY_LAYER)
        scores, classes = (np.concatenate([getattr(m, k) for m in each]) for k in ("scores", "targets"))
        gaps = {name: np.concatenate([m.gaps[name] for m in each]) for name in each[0].gaps}
        return Maps(each[0].layers, maps, frames, scores, classes, gaps, each[0].mixed)

    def _one(self, network: Checkpoint, x: np.ndarray, lengths: np.ndarray, target: str | np.ndarray) -> Maps:
        key = id(network.model), array_digest(x), str(target)
        if key not in self.known:  # with the model, as one that is held keeps its id
            self.known[key] = network.model, self.method(network, x, lengths, target)
        return self.known[key][1]


def answered(questions: Sequence[Hashable], answer: Callable[[list[int]], Iterable], known: dict) -> list:
    """Return the answer to each question; each is asked once.

    Parameters
    ----------
    questions : sequence
    answer : callable
        Positions of questions to their answers.
    known : dict
        Answers that need not be asked for; the new ones are added.

    Examples
    --------
    >>> answered("abab", lambda index: [f"{i}th" for i in index], {"a": "known"})
    ['known', '1th', 'known', '1th']
    """
    new: dict[Hashable, int] = {}
    for i, question in enumerate(questions):
        if question not in known:
            new.setdefault(question, i)
    if new:
        known.update(zip(new, answer([*new.values()]), strict=True))
    return [known[question] for question in questions]
