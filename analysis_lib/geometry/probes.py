"""Linear probes: how well a linear map reads the class off a layer, of people that it was not fitted to."""

import numpy as np
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from analysis_lib.errors import UserError

#: strengths of the ridge that are tried, in units of standardised features
RIDGES = np.logspace(0, 6, 7)


def probe_errors(x: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Return which clips a linear probe names wrongly that was fitted to the other folds.

    Features are standardised; the probe is the ridge regression of the class indicators, whose strength is chosen
    within the clips that it is fitted to. Each fold has a probe of its own, which never saw it.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        One vector a clip.
    labels : int ndarray, shape (n,)
        Shuffled over the clips they are the control task: what a probe then still reads off is a leak.
    folds : int ndarray, shape (n,)
        Clips that share this number are left out together: those of one person, so that nobody's way
        of doing an action is known.

    Returns
    -------
    float64 ndarray, shape (n,)
        1 where the class is wrong, else 0.

    Raises
    ------
    UserError
        If there is one fold, or without one there are no two classes.

    References
    ----------
    Alain & Bengio (2016), linear classifier probes; Hewitt & Liang (2019), control tasks.

    Examples
    --------
    >>> x = np.array([[0.0], [1], [0.1], [0.9], [0.2], [0.8]])
    >>> probe_errors(x, np.array([0, 1, 0, 1, 0, 1]), np.array([1, 1, 2, 2, 3, 3])).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    x, labels, folds = np.asarray(x, float), np.asarray(labels), np.asarray(folds)
    wrong = np.ones(len(labels))
    for fold in np.unique(folds):
        left = folds == fold
        if len(np.unique(labels[~left])) < 2:
            raise UserError(f"without fold {fold} a probe has no two classes to tell apart; take more people, or clips")
        probe = make_pipeline(StandardScaler(), RidgeClassifierCV(RIDGES)).fit(x[~left], labels[~left])
        wrong[left] = probe.predict(x[left]) != labels[left]
    return wrong
