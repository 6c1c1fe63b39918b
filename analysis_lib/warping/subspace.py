"""Frames in a few dimensions, whose distances never exceed the true ones."""

import numpy as np

SAMPLE = 768  # frames from which the subspace is found


def frame_subspace(frames: np.ndarray, n_dims: int) -> np.ndarray:
    """Return an orthonormal basis (D, n_dims) near the leading singular vectors of frames (f, D).

    From the Gram matrix of the frames, as they are fewer than their features.
    """
    leading = np.linalg.eigh(frames @ frames.T)[1][:, ::-1][:, :n_dims]
    return np.linalg.qr(frames.T @ leading)[0]


def projected(
    x: np.ndarray, lengths: np.ndarray, n_dims: int, origin: np.ndarray | None = None, seed: int = 0, chunk: int = 64
) -> np.ndarray:
    r"""Return the frames of clips in a subspace, with the length of what lies outside of it.

    .. math:: a \mapsto (P^\top a,\ \|a - P P^\top a\|), \qquad
              \|P^\top (a - b)\|^2 + (\|a_\perp\| - \|b_\perp\|)^2 \le \|a - b\|^2

    Parameters
    ----------
    x : float ndarray or memmap, shape (n, T, D)
    lengths : int ndarray, shape (n,)
        Valid frames; the others become 0.
    n_dims : int
        Dimensions of the subspace, fewer than D.
    origin : ndarray, shape (D,), optional
        Subtracted first. Without it frames are scaled to length 1, so that the cosine distance
        :math:`\|a - b\|^2 / 2` is bounded.
    seed : int
        Of the sample of frames whose leading directions span the subspace.
    chunk : int
        Clips at a time.

    Returns
    -------
    float32 ndarray, shape (n, T, n_dims + 1)

    Examples
    --------
    >>> x = np.random.default_rng(0).random((2, 3, 9))
    >>> y = projected(x, np.array([3, 3]), 4)
    >>> np.linalg.norm(y, axis=2).round(3).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    n, n_frames, _ = x.shape
    rng = np.random.default_rng(seed)
    clips = rng.integers(0, n, SAMPLE)
    drawn = np.stack([x[i, rng.integers(0, lengths[i])] for i in clips])
    basis = frame_subspace(_brought_in(drawn, origin), n_dims).astype(np.float32)
    found = np.zeros((n, n_frames, n_dims + 1), np.float32)
    for start in range(0, n, chunk):
        valid = np.arange(n_frames) < lengths[start : start + chunk, None]
        frames = _brought_in(x[start : start + chunk][valid], origin)
        inside = frames @ basis
        outside = np.square(frames).sum(axis=1) - np.square(inside).sum(axis=1)
        parts = [inside, np.sqrt(np.maximum(outside, 0))[:, None]]
        found[start : start + chunk][valid] = np.concatenate(parts, axis=1)
    return found


def _brought_in(frames: np.ndarray, origin: np.ndarray | None) -> np.ndarray:
    """Return frames relative to an origin, or scaled to length 1."""
    if origin is not None:
        return frames - origin
    norms = np.linalg.norm(frames, axis=1, keepdims=True)
    return np.divide(frames, norms, out=np.zeros_like(frames), where=norms > 0)


def similar_together(points: np.ndarray, leaf: int) -> np.ndarray:
    """Return an order of points, shape (n, d), in which runs of ``leaf`` are near each other.

    The points are halved along their widest direction, and each half again.
    """
    order, waiting = [], [np.arange(len(points))]
    while waiting:
        part = waiting.pop()
        if len(part) <= leaf:
            order.append(part)
            continue
        centred = points[part] - points[part].mean(axis=0)
        direction = centred[np.square(centred).sum(axis=1).argmax()].copy()
        for _ in range(5):  # power iteration
            direction = (centred @ direction) @ centred
            direction /= np.linalg.norm(direction) or 1.0
        part = part[np.argsort(centred @ direction, kind="stable")]
        half = -(-len(part) // (2 * leaf)) * leaf
        waiting += [part[half:], part[:half]]
    return np.concatenate(order)
