"""Generated embeddings, for sizes that no recorded data set has."""

import numpy as np

N_CLASSES, LATENT = 60, 6


def moving_clips(n_clips: int, n_frames: int = 13, n_features: int = 256, seed: int = 0) -> np.ndarray:
    r"""Return clips whose frames move through a plane of few dimensions, as layers' outputs do.

    .. math:: x_{it} = \mathrm{ReLU}(W z_{it}), \qquad
              z_{it} = a_c + t\, b_c + u_i + \varepsilon_{it}

    with a class :math:`c` of 60 drawn for each clip, 6 dimensions of :math:`z`, :math:`t` from 0 to
    1, and normal :math:`a`, :math:`b`, :math:`u` and :math:`\varepsilon` of standard deviation 1,
    1, 0.4 and 0.1. A clip does not depend on how many others there are.

    Parameters
    ----------
    n_clips, n_frames, n_features : int
    seed : int

    Returns
    -------
    float32 ndarray, shape (n_clips, n_frames, n_features)

    Examples
    --------
    >>> bool((moving_clips(3) == moving_clips(5)[:3]).all())
    True
    """
    shared, own = np.random.default_rng(seed).spawn(2)
    mixing = shared.standard_normal((LATENT, n_features), np.float32)
    start, way = shared.standard_normal((2, N_CLASSES, 1, LATENT), np.float32)
    time = np.linspace(0, 1, n_frames, dtype=np.float32)[:, None]
    clips = np.empty((n_clips, n_frames, n_features), np.float32)
    for clip in clips:
        c = own.integers(N_CLASSES)
        place = start[c] + time * way[c] + 0.4 * own.standard_normal(LATENT, np.float32)
        place += 0.1 * own.standard_normal(place.shape, np.float32)
        np.maximum(place @ mixing, 0, out=clip)
    return clips
