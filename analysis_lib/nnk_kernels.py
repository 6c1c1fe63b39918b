"""Compiled loops of NNK: nearest candidates, and non-negative least squares over them.

The solver is the active-set method of Lawson and Hanson on the normal equations. The Cholesky
factor of the passive set grows by a row when a candidate enters, and is rebuilt only from the first
candidate that leaves.
"""

import numba
import numpy as np

OPTIMAL = 1e-10  # a gradient below it does not bring a candidate in


@numba.njit(nogil=True, cache=True)
def insert_nearest(start, stop, kernel, found):
    """Insert each node into a short sorted list; only a larger similarity moves ahead."""
    k = found.shape[1]
    best = np.empty(k)
    for i in range(start, stop):
        held = 0
        for j in range(len(kernel)):
            value = kernel[i, j]
            if j == i or (held == k and value <= best[k - 1]):
                continue
            place = min(held, k - 1)
            while place > 0 and best[place - 1] < value:
                best[place], found[i, place] = best[place - 1], found[i, place - 1]
                place -= 1
            best[place], found[i, place] = value, j
            held = min(held + 1, k)


@numba.njit(nogil=True, cache=True)
def factor_row(gram, chosen, r, factor):
    """Write row r of the Cholesky factor of the chosen part of ``gram``; return its pivot."""
    for c in range(r + 1):
        rest = gram[chosen[r], chosen[c]]
        for e in range(c):
            rest -= factor[r, e] * factor[c, e]
        if c < r:
            factor[r, c] = rest / factor[c, c]
        else:
            factor[r, r] = np.sqrt(max(rest, 1e-15))
    return rest


@numba.njit(nogil=True, cache=True)
def check_positive(start, stop, kernel, neighbours, floor, positive):
    """Try the Cholesky factor of each candidate set's kernel less ``floor``."""
    k = neighbours.shape[1]
    gram, factor, chosen = np.empty((k, k)), np.empty((k, k)), np.arange(k)
    for i in range(start, stop):
        for a in range(k):
            for b in range(k):
                gram[a, b] = kernel[neighbours[i, a], neighbours[i, b]]
            gram[a, a] -= floor
        positive[i] = True
        for r in range(k):
            if factor_row(gram, chosen, r, factor) <= 0:
                positive[i] = False
                break


@numba.njit(nogil=True, cache=True)
def _solve_chosen(factor, target, chosen, p, half, found):
    """Solve for the p chosen candidates by forward and back substitution."""
    for r in range(p):
        rest = target[chosen[r]]
        for c in range(r):
            rest -= factor[r, c] * half[c]
        half[r] = rest / factor[r, r]
    for r in range(p - 1, -1, -1):
        rest = half[r]
        for c in range(r + 1, p):
            rest -= factor[c, r] * found[c]
        found[r] = rest / factor[r, r]


@numba.njit(nogil=True, cache=True)
def _retreat(theta, found, chosen, p, passive):
    """Move theta towards ``found`` until a weight is zero, and drop it.

    Returns how many remain, and the first position that changed.
    """
    step = 1.0
    for r in range(p):
        if found[r] <= 0:
            step = min(step, theta[chosen[r]] / (theta[chosen[r]] - found[r]))
    kept, first = 0, p
    for r in range(p):
        j = chosen[r]
        theta[j] += step * (found[r] - theta[j])
        if found[r] <= 0 and theta[j] <= 1e-15:
            theta[j] = 0
            passive[j] = False
            first = min(first, r)
        else:
            chosen[kept] = j
            kept += 1
    return kept, first


@numba.njit(nogil=True, cache=True)
def _solve(gram, target, theta, gradient, passive, chosen, factor, half, found):
    """Minimise theta' gram theta / 2 - theta' target over theta >= 0; leave the gradient at it."""
    k, p = len(target), 0
    theta[:] = 0
    passive[:] = False
    gradient[:] = target  # of the maximisation: target - gram theta
    for _ in range(10 * k + 10):
        entering, best = -1, OPTIMAL
        for j in range(k):
            if not passive[j] and gradient[j] > best:
                entering, best = j, gradient[j]
        if entering < 0:
            break
        chosen[p] = entering
        passive[entering] = True
        factor_row(gram, chosen, p, factor)
        p += 1
        _solve_chosen(factor, target, chosen, p, half, found)
        while p and found[:p].min() <= 0:
            p, first = _retreat(theta, found, chosen, p, passive)
            for r in range(first, p):
                factor_row(gram, chosen, r, factor)
            _solve_chosen(factor, target, chosen, p, half, found)
        for r in range(p):
            theta[chosen[r]] = found[r]
        for j in range(k):
            gradient[j] = target[j]
            for r in range(p):
                gradient[j] -= gram[j, chosen[r]] * theta[chosen[r]]


@numba.njit(nogil=True, cache=True)
def solve_nodes(start, stop, kernel, neighbours, ridge, tol, weights, error, duplicate, violation):
    """Fill weights, error, duplicate and the violation of optimality of nodes start..stop."""
    k = neighbours.shape[1]
    gram, factor = np.empty((k, k)), np.empty((k, k))
    target, theta, gradient = np.empty(k), np.empty(k), np.empty(k)
    half, found = np.empty(k), np.empty(k)
    chosen, passive = np.empty(k, np.int64), np.empty(k, np.bool_)
    for i in range(start, stop):
        for a in range(k):
            target[a] = kernel[i, neighbours[i, a]]
            for b in range(k):
                gram[a, b] = kernel[neighbours[i, a], neighbours[i, b]]
            gram[a, a] += ridge[i]
        if target.max() > 1 - tol:
            duplicate[i] = True
            for a in range(k):
                weights[i, a] = target[a] if target[a] > 1 - tol else 0.0
            continue
        _solve(gram, target, theta, gradient, passive, chosen, factor, half, found)
        error[i] = kernel[i, i]
        for a in range(k):
            slack = abs(gradient[a]) if theta[a] > 0 else max(gradient[a], 0.0)
            violation[i] = max(violation[i], slack, -theta[a])
            # gram theta = target - gradient, and the ridge is no part of the kernel
            error[i] -= theta[a] * (target[a] + gradient[a] + ridge[i] * theta[a])
            weights[i, a] = theta[a] if theta[a] >= tol else 0.0
