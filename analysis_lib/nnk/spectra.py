"""Compiled: is a small symmetric matrix positive definite, and what is its smallest eigenvalue?

Loops run over rows padded to whole vectors (see `analysis_lib.nnk.solver`).
"""

import numba
import numpy as np

VECTOR = 8  # float64 numbers

settings = {"nogil": True, "cache": True, "error_model": "numpy"}
compiled = numba.njit(**settings)
# sums may be taken in any order, so that loops run in vectors
reordered = numba.njit(**settings, fastmath={"reassoc", "contract"})


@reordered
def is_above(matrix, k, floor, work, inverse):
    """Are all eigenvalues of ``matrix[:k, :k]`` above ``floor``: is each pivot of it positive?

    Elimination from the last row up, four rows at a time, in the lower triangle.
    """
    for r in range(k):
        for c in range((r // VECTOR + 1) * VECTOR):
            work[r, c] = matrix[r, c]
        work[r, r] -= floor
    for end in range(k, 0, -4):
        p = max(0, end - 4)
        for q in range(end - 1, p - 1, -1):
            if not work[q, q] > 0:
                return False
            inverse[q] = 1 / work[q, q]
            for r in range(p, q):
                f = work[q, r] * inverse[q]
                for c in range((r // VECTOR + 1) * VECTOR):
                    work[r, c] -= f * work[q, c]
        if p == 0:
            break
        d, e, f, g = inverse[p], inverse[p + 1], inverse[p + 2], inverse[p + 3]
        for r in range(p):
            s, t, u, v = d * work[p, r], e * work[p + 1, r], f * work[p + 2, r], g * work[p + 3, r]
            for c in range((r // VECTOR + 1) * VECTOR):
                work[r, c] -= (s * work[p, c] + t * work[p + 1, c]) + (u * work[p + 2, c] + v * work[p + 3, c])
    return True


@reordered
def tridiagonalise(matrix, k, vectors, diagonal, squares):
    """Reduce ``matrix[:k, :k]`` by Householder's reflections, from the last row up.

    Leaves the diagonal, and the squares of what is beside it. The update that a reflection causes
    is made in the same pass as the product with the next one.
    """
    normal, image = vectors[0], vectors[1]  # of the reflection that is still to be applied
    next_normal, next_image = vectors[2], vectors[3]
    vectors[:] = 0
    for j in range(k - 1, -1, -1):
        width = (j // VECTOR + 1) * VECTOR
        f, g, square = normal[j], image[j], 0.0
        for c in range(width):
            matrix[j, c] -= f * image[c] + g * normal[c]
        for c in range(j):
            next_normal[c] = matrix[j, c]
            square += matrix[j, c] ** 2
        next_normal[j:width] = 0
        diagonal[j], squares[j], scale, product = matrix[j, j], square, 0.0, 0.0
        if square > 0:
            next_normal[j - 1] += np.copysign(np.sqrt(square), matrix[j, j - 1])
            scale = 2 / (square - matrix[j, j - 1] ** 2 + next_normal[j - 1] ** 2)
        for r in range(j):
            f, g, total = normal[r], image[r], 0.0
            for c in range(width):
                value = matrix[r, c] - (f * image[c] + g * normal[c])
                matrix[r, c] = value
                total += value * next_normal[c]
            next_image[r] = scale * total
            product += next_image[r] * next_normal[r]
        for r in range(j):
            next_image[r] -= scale / 2 * product * next_normal[r]
        normal, image, next_normal, next_image = next_normal, next_image, normal, image


@reordered
def smallest_eigenvalue(diagonal, squares, k):
    """Return the smallest eigenvalue of a tridiagonal matrix (see `tridiagonalise`).

    Laguerre's iteration on the characteristic polynomial, from a point below all of its roots: it
    rises to the first root, with cubic order. The point is sought from just below zero downwards.
    """
    size, beside = 0.0, 0.0
    for r in range(k - 1, -1, -1):
        after = np.sqrt(squares[r])
        size = max(size, abs(diagonal[r]) + beside + after)
        beside = after
    x, rising = -size / 4096, False
    for _ in range(100):
        ratio, first, second, slope, curve = 0.0, 0.0, 0.0, 0.0, 0.0
        for r in range(k - 1, -1, -1):  # first and second derivative of each pivot, by the pivot
            pivot = diagonal[r] - x - ratio
            if pivot <= 0:
                break
            inverse = 1 / pivot
            second = ratio * (second - 2 * first * first) * inverse
            first = (ratio * first - 1) * inverse
            ratio = squares[r] * inverse
            slope -= first
            curve += first * first - second
        if pivot <= 0 and rising:  # at the root, but for rounding
            break
        if pivot <= 0:
            x *= 4
            continue
        step = k / (slope + np.sqrt(max(0.0, (k - 1) * (k * curve - slope * slope))))
        x, rising = x + step, True
        if step < 1e-15 * size:
            break
    return x
