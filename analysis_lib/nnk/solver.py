"""Compiled loops of NNK: nearest nodes, similarities of candidates, the ridge, and the weights.

A kernel is given by its rows: row i is ``values[limits[i] : limits[i + 1]]``, in the columns
``columns[limits[i] : limits[i + 1]]``, or in all columns where ``columns`` is None.

Rows of small matrices are padded to whole vectors, and loops run over these: what stands beyond the
matrix is written to, but does not count. The smallest eigenvalue has code of its own: with
``np.linalg.eigvalsh``, nodes that need a ridge take 2 to 10 times as long (10 to 50 candidates).
"""

import numba
import numpy as np

from analysis_lib.compiled import compiled

OPTIMAL = 1e-13  # a gradient below it does not bring a candidate in
SOUND = 1e-5  # similarities may differ by it from their mirror image, and from 1 on the diagonal
VECTOR = 8  # float64 numbers

in_order = compiled(error_model="numpy")
# sums may be taken in any order, so that loops run in vectors
reordered = compiled(error_model="numpy", fastmath={"reassoc", "contract"})
pasted = numba.njit(inline="always")  # a call would cost more than the work inside


@in_order
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


@in_order
def _fetch(values, columns, limits, i, j):
    """Return entry (i, j): if it is not stored NaN, or 1 on the diagonal."""
    if columns is None:
        return np.float64(values[limits[i] + j])
    row = columns[limits[i] : limits[i + 1]]
    place = np.searchsorted(row, j)
    if place < len(row) and row[place] == j:
        return np.float64(values[limits[i] + place])
    return 1.0 if i == j else np.nan


@in_order
def _gather(values, columns, limits, i, members, system):
    """Write the similarities of node i's candidates, and below them its own to them.

    Returns the first pair that is no similarity, or (-1, -1). Candidates are compared one way, and
    fill the lower triangle; a node and its candidates are compared both ways.
    """
    k = len(members)
    for a in range(k):
        row = members[a]
        for b in range(a + 1):
            system[a, b] = _fetch(values, columns, limits, row, members[b])
        system[k, a] = _fetch(values, columns, limits, i, row)
        if not abs(system[k, a] - _fetch(values, columns, limits, row, i)) <= SOUND:
            return i, np.int64(row)
        for b in range(a):
            if not np.isfinite(system[a, b]):
                return np.int64(row), np.int64(members[b])
    system[k, k] = _fetch(values, columns, limits, i, i)
    if not abs(system[k, k] - 1) <= SOUND:
        return i, i
    return -1, -1


@in_order
def _whole_vectors(n, width):
    """Return zeros, shape (n, width), that begin where a vector may be loaded in one piece."""
    space = np.zeros(n * width + VECTOR)
    first = -(space.ctypes.data // 8) % VECTOR
    return space[first : first + n * width].reshape(n, width)


@pasted
def _subtract(rows, target, source, factors, first, last):
    """Take ``factors[r] * source[r]`` for r in first..last from one of the rows, four at a time."""
    width, whole = rows.shape[1], first + (last - first) // 4 * 4
    for r in range(first, whole, 4):
        s, t, u, v = factors[r], factors[r + 1], factors[r + 2], factors[r + 3]
        for c in range(width):
            rows[target, c] -= (s * source[r, c] + t * source[r + 1, c]) + (u * source[r + 2, c] + v * source[r + 3, c])
    for r in range(whole, last):
        s = factors[r]
        for c in range(width):
            rows[target, c] -= s * source[r, c]


@pasted
def _copy(rows, target, source, r):
    """Copy row r of the source to one of the rows."""
    for c in range(rows.shape[1]):
        rows[target, c] = source[r, c]


@pasted
def _enter(system, rows, chosen, p, factors, inverse, parts):
    """Eliminate the p-th chosen candidate: append its row, and take it from the last one."""
    k, j = len(chosen), chosen[p]
    for c in range(j + 1, k):  # only the lower triangle was gathered
        system[j, c] = system[c, j]
    _copy(rows, p, system, j)
    for r in range(p):
        factors[r] = rows[r, j] * inverse[r]
    _subtract(rows, p, rows, factors, 0, p)
    inverse[p] = 1 / max(rows[p, j], 1e-15)
    parts[p] = rows[k, j] * inverse[p]
    _subtract(rows, k, rows, parts, p, p + 1)


@in_order
def _advance(theta, found, chosen, p, passive):
    """Move theta towards ``found`` until a weight is zero, and drop it.

    Returns how many remain, and the first position that changed.
    """
    step, blocking = 1.0, -1
    for r in range(p):
        j = chosen[r]
        if found[j] <= 0:
            reach = theta[j] / (theta[j] - found[j]) if theta[j] > 0 else 0.0
            if reach <= step:
                step, blocking = reach, j
    kept, first = 0, p
    for r in range(p):
        j = chosen[r]
        theta[j] = (1 - step) * theta[j] + step * found[j]
        if j == blocking or (found[j] <= 0 and theta[j] <= 1e-15):
            theta[j], passive[j] = 0, False
            first = min(first, r)
        else:
            chosen[kept] = j
            kept += 1
    return kept, first


@reordered
def _solve(system, rows, theta, chosen, passive, factors, inverse, parts):
    """Minimise theta' K theta / 2 - theta' b over theta >= 0; leave b - K theta in the last row.

    The system is [K, -I; b', 0]. Eliminating the chosen candidates from its last row leaves there
    the gradient b - K theta, and below -I the theta that is optimal if any sign may be.
    """
    k, p, width = len(theta), 0, rows.shape[1] // 2
    gradient, found = rows[k], rows[k, width:]
    theta[:], passive[:] = 0, False
    _copy(rows, k, system, k)
    for _ in range(10 * k + 10):
        entering, best = -1, OPTIMAL
        for j in range(k):
            if gradient[j] > best and not passive[j]:
                entering, best = j, gradient[j]
        if entering < 0:
            break
        chosen[p], passive[entering] = entering, True
        _enter(system, rows, chosen, p, factors, inverse, parts)
        p += 1
        while True:
            kept, first = _advance(theta, found, chosen, p, passive)
            if kept == p:
                break
            p = kept
            _copy(rows, k, system, k)
            _subtract(rows, k, rows, parts, 0, first)
            for r in range(first, p):
                _enter(system, rows, chosen, r, factors, inverse, parts)
    _copy(rows, k, system, k)  # anew, so that what is checked does not rest on the elimination
    for r in range(p):
        j = chosen[r]
        for c in range(width):
            gradient[c] -= theta[j] * system[j, c]


@in_order
def solve_nodes(
    start, stop, values, columns, limits, neighbours, floor, tol, weights, error, ridge, duplicate, violation
):
    """Fill weights, error, ridge, duplicate and the violation of optimality of nodes start..stop.

    Returns the first pair that is no similarity, or (-1, -1).
    """
    k = neighbours.shape[1]
    width = (k // VECTOR + 1) * VECTOR
    system, rows = _whole_vectors(k + 1, 2 * width), _whole_vectors(k + 1, 2 * width)
    vectors, theta, parts, inverse = _whole_vectors(4, width), np.empty(k), np.empty(k), np.empty(k)
    members, chosen, passive = np.empty(k, np.uint32), np.empty(k, np.int64), np.empty(k, np.bool_)
    for a in range(k):
        system[a, width + a] = -1
    target, gradient = system[k, :k], rows[k]
    for i in range(start, stop):
        members[:] = neighbours[i]
        one, other = _gather(values, columns, limits, i, members, system)
        if one >= 0:
            return one, other
        if not is_above(system, k, floor, rows, inverse):
            for a in range(k):
                rows[a, : a + 1] = rows[: a + 1, a] = system[a, : a + 1]
            tridiagonalise(rows, k, vectors, parts, inverse)
            ridge[i] = max(0.0, floor - smallest_eigenvalue(parts, inverse, k))
        if target.max() > 1 - tol:
            duplicate[i] = True
            for a in range(k):
                weights[i, a] = target[a] if target[a] > 1 - tol else 0.0
            continue
        for a in range(k):
            system[a, a] += ridge[i]
        _solve(system, rows, theta, chosen, passive, vectors[0], inverse, parts)
        error[i] = system[k, k]
        for a in range(k):
            slack = abs(gradient[a]) if theta[a] > 0 else max(gradient[a], 0.0)
            violation[i] = max(violation[i], slack, -theta[a])
            # K theta = target - gradient, and the ridge is no part of the kernel
            error[i] -= theta[a] * (target[a] + gradient[a] + ridge[i] * theta[a])
            weights[i, a] = theta[a] if theta[a] >= tol else 0.0
    return -1, -1
