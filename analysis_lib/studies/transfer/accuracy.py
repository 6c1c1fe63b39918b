"""What networks that were fine-tuned say in the end, with intervals over test clips."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis_lib.statistics import mean_interval


def final_table(predictions: pd.DataFrame, n_bootstrap: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Return the accuracy that each case ends with: mean of the seeds, its interval, their range.

    Parameters
    ----------
    predictions : DataFrame
        From `transfer_table`.
    n_bootstrap : int
        Test clips drawn anew, the same for all cases, behind the 95 % percentile interval of the
        mean over seeds.

    Returns
    -------
    DataFrame
        Columns case, cut, clips_per_class, seeds, clips, accuracy, low, high, seeds_low, seeds_high.
    """
    rows = []
    for keys, right in right_by_clip(predictions):
        seeds = (
            predictions_of(predictions, keys)
            .groupby("seed")[["label", "predicted"]]
            .apply(lambda p: (p["label"] == p["predicted"]).mean())
        )
        found = mean_interval(right, seed, n_bootstrap)
        rows.append(
            keys
            | {
                "seeds": len(seeds),
                "clips": len(right),
                "accuracy": found["mean"],
                "low": found["low"],
                "high": found["high"],
                "seeds_low": seeds.min(),
                "seeds_high": seeds.max(),
            }
        )
    return pd.DataFrame(rows)


def right_by_clip(predictions: pd.DataFrame) -> Iterator[tuple[dict, np.ndarray]]:
    """Yield (case, share of the seeds that name each test clip rightly, shape (n_test,))."""
    names = ["case", "cut", "clips_per_class"]
    for keys, part in predictions.groupby(names, sort=False):
        right = (part["label"] == part["predicted"]).groupby(part["clip"]).mean()
        yield dict(zip(names, keys, strict=True)), right.to_numpy(float)


def predictions_of(predictions: pd.DataFrame, keys: dict) -> pd.DataFrame:
    """Return the rows of one case."""
    return predictions[np.logical_and.reduce([predictions[k] == v for k, v in keys.items()])]
