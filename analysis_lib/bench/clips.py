"""Generated embeddings, for sizes that no recorded data set has."""

from pathlib import Path

import numpy as np

N_CLASSES = 60


def moving_clips(
    n_clips: int,
    n_frames: int = 13,
    n_features: int = 256,
    latent: int = 6,
    within: float = 0.4,
    scatter: float = 0.0,
    file: Path | None = None,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return clips whose frames move through a plane of few dimensions, as layers' outputs do, and their classes.

    .. math:: x_{it} = \mathrm{ReLU}(W z_{it} + \eta_{it}), \qquad
              z_{it} = a_c + t\, b_c + u_i + \varepsilon_{it}

    with a class :math:`c` of 60 drawn for each clip, :math:`t` from 0 to 1, and normal :math:`a`, :math:`b`,
    :math:`u` and :math:`\varepsilon` of standard deviation 1, 1, ``within`` and 0.1, in ``latent``
    dimensions, and :math:`\eta` of ``scatter``, in all. A clip does not depend on how many others there are.

    Returns
    -------
    clips : float32 ndarray, shape (n_clips, n_frames, n_features)
        Memory-mapped if a ``file`` is named.
    classes : int ndarray, shape (n_clips,)

    Examples
    --------
    >>> bool((moving_clips(3)[0] == moving_clips(5)[0][:3]).all())
    True
    """
    shared, own = np.random.default_rng(seed).spawn(2)
    mixing = shared.standard_normal((latent, n_features), np.float32)
    start, way = shared.standard_normal((2, N_CLASSES, 1, latent), np.float32)
    time = np.linspace(0, 1, n_frames, dtype=np.float32)[:, None]
    shape, classes = (n_clips, n_frames, n_features), np.empty(n_clips, int)
    clips = np.lib.format.open_memmap(file, "w+", np.float32, shape) if file else np.empty(shape, np.float32)
    for i in range(n_clips):
        c = classes[i] = own.integers(N_CLASSES)
        place = start[c] + time * way[c] + within * own.standard_normal(latent, np.float32)
        place += 0.1 * own.standard_normal(place.shape, np.float32)
        frames = place @ mixing
        if scatter:
            frames += scatter * own.standard_normal(frames.shape, np.float32)
        np.maximum(frames, 0, out=clips[i])
    return clips, classes
