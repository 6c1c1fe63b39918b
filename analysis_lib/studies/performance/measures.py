"""What claims on run time come down to; tables are those of `analysis_lib.studies.performance.tables`."""

import pandas as pd

from analysis_lib.errors import UserError
from analysis_lib.statistics.estimates import Estimate


def nnk_overhead(nnk: pd.DataFrame, growth: pd.DataFrame) -> Estimate:
    """Return the time of NNK's weights over that of all distances, of the most clips that both were measured with.

    ``nnk`` has one number of candidates.
    """
    ours = nnk[(nnk["method"] == "nnk_weights") & (nnk["kernel"] == "windowed DTW")].set_index("nodes")["seconds"]
    search = growth[growth["method"] == "windowed_dtw"].set_index("clips")["seconds"]
    shared = ours.index.intersection(search.index)
    if shared.empty:
        raise UserError("the two were not measured with equally many clips")
    return Estimate(float(ours[shared.max()] / search[shared.max()]))
