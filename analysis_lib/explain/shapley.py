"""Shapley values of any game: exact for few players, by paired permutations for more.

References
----------
Shapley (1953); Castro, Gómez & Tejada (2009), sampling permutations; Mitchell, Cooper, Frank & Holmes (2022),
each permutation with its reverse.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from analysis_lib.errors import UserError

#: beyond this, 2^P coalitions are too many
MOST_PLAYERS = 12
#: draws before the first look at the standard errors
FIRST_DRAWS = 8


def exact_shapley(value: Callable[[np.ndarray], np.ndarray], n_players: int) -> np.ndarray:
    r"""Return the Shapley value of every player, from all coalitions.

    .. math:: \phi_i = \sum_{S \not\ni i} \frac{|S|!\,(P - |S| - 1)!}{P!} \big(v(S \cup i) - v(S)\big)

    Parameters
    ----------
    value : callable
        Coalitions, bool of shape (k, P), to values, shape (k, ...).
    n_players : int
        P, at most 12.

    Returns
    -------
    float64 ndarray, shape (P, ...)

    Examples
    --------
    >>> exact_shapley(lambda s: s[:, 0] * s[:, 1] + 2.0 * s[:, 2], 3)
    array([0.5, 0.5, 2. ])
    """
    if not 1 <= n_players <= MOST_PLAYERS:
        raise UserError(
            f"exact Shapley values take 2^P coalitions: 1 to {MOST_PLAYERS} players, got {n_players}; sample them"
        )
    number = np.arange(2**n_players)
    coalitions = (number[:, None] >> np.arange(n_players)) & 1 > 0
    values = np.asarray(value(coalitions), np.float64)
    size = coalitions.sum(axis=1)
    shares = np.exp(gammaln(size + 1) + gammaln(n_players - np.minimum(size, n_players - 1)) - gammaln(n_players + 1))
    without = [number[~coalitions[:, i]] for i in range(n_players)]
    gains = [np.tensordot(shares[s], values[s | 1 << i] - values[s], axes=1) for i, s in enumerate(without)]
    return np.stack(gains)


@dataclass(frozen=True)
class Sampled:
    """Shapley values by sampling.

    Attributes
    ----------
    values, errors : float64 ndarray, shape (P, ...)
        Means over draws, and their standard errors.
    draws : int
        Pairs of permutations.
    """

    values: np.ndarray
    errors: np.ndarray
    draws: int


def sampled_shapley(
    value: Callable[[np.ndarray, int], np.ndarray],
    n_players: int,
    n_draws: int,
    rng: np.random.Generator,
    tolerance: float = 0.0,
    watched: object = ...,
) -> Sampled:
    """Return Shapley values from permutations, each with its reverse.

    Every draw adds up to what all players have together, so the mean does.

    Parameters
    ----------
    value : callable
        Coalitions, bool of shape (k, P), and the number of the draw (which may stand for a background clip),
        to values, shape (k, ...).
    n_draws : int
        At most so many pairs, at least 2; each takes 2 (P - 1) values, and those of none and of all.
    tolerance : float
        Stop when all standard errors are at most this share of the largest absolute value; 0: never.
    watched : index
        Of the axes after the players', what the tolerance looks at.

    Examples
    --------
    >>> found = sampled_shapley(lambda s, draw: s @ [1.0, 2.0, 3.0], 3, 4, np.random.default_rng(0))
    >>> found.values.tolist(), found.errors.tolist(), found.draws
    ([1.0, 2.0, 3.0], [0.0, 0.0, 0.0], 4)
    """
    if n_players < 1 or n_draws < 2:
        raise UserError(f"sampling takes a player and 2 draws at least, got {n_players} players and {n_draws} draws")
    draws = []
    for i in range(n_draws):
        draws.append(_pair(value, i, rng.permutation(n_players)))
        if tolerance > 0 and len(draws) >= FIRST_DRAWS:
            mean, error = _summary(draws)
            if error[:, watched].max() <= tolerance * np.abs(mean[:, watched]).max():
                break
    return Sampled(*_summary(draws), len(draws))


def _pair(value: Callable, draw: int, order: np.ndarray) -> np.ndarray:
    """Return what each player adds, in one order and the reverse of it: their mean, shape (P, ...)."""
    rank = order.argsort()
    n = len(order)
    sizes = np.arange(1, n)[:, None]
    none, everyone = np.zeros((1, n), bool), np.ones((1, n), bool)
    forth, back = rank < sizes, rank >= n - sizes
    values = np.asarray(value(np.concatenate([none, forth, everyone, back]), draw), np.float64)
    up = np.diff(values[: n + 1], axis=0)
    down = np.diff(np.concatenate([values[:1], values[n + 1 :], values[n : n + 1]]), axis=0)
    return (up[rank] + down[n - 1 - rank]) / 2


def _summary(draws: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    stacked = np.stack(draws)
    return stacked.mean(axis=0), stacked.std(axis=0, ddof=1) / np.sqrt(len(stacked))
