"""What a claim of a paper comes down to: one number, read off tables that chapters recorded.

A measure is a function of tidy tables, and of the arguments that ``data/claims`` gives it, that returns an
`analysis_lib.statistics.estimates.Estimate`; a `UserError` says in a few words why these tables cannot tell. `cell`
reads any table; the others belong to the study that made the table: ``analysis_lib/studies/NAME/measures.py``.
"""

from collections.abc import Callable, Mapping
from inspect import isfunction
from math import nan

import pandas as pd

from analysis_lib.errors import UserError
from analysis_lib.statistics.estimates import Estimate
from analysis_lib.studies.ablations import measures as ablations
from analysis_lib.studies.architectures import measures as architectures
from analysis_lib.studies.claims import curves
from analysis_lib.studies.data import measures as data
from analysis_lib.studies.gradcam import measures as gradcam
from analysis_lib.studies.nnk_vs_knn import measures as nnk_vs_knn
from analysis_lib.studies.noise import measures as noise
from analysis_lib.studies.performance import measures as performance
from analysis_lib.studies.shap_comparison import measures as shap_comparison
from analysis_lib.studies.smoothness import measures as smoothness
from analysis_lib.studies.spectrum import measures as spectrum
from analysis_lib.studies.transfer import measures as transfer

STUDIES = {
    "ablations": ablations,
    "architectures": architectures,
    "claims": curves,
    "data": data,
    "gradcam": gradcam,
    "nnk_vs_knn": nnk_vs_knn,
    "noise": noise,
    "performance": performance,
    "shap_comparison": shap_comparison,
    "smoothness": smoothness,
    "spectrum": spectrum,
    "transfer": transfer,
}


def measures_of(study: str) -> dict[str, Callable[..., Estimate]]:
    """Return by name what a study's tables can be read by.

    >>> sorted(measures_of("spectrum"))
    ['cell', 'eigenvalue_gap', 'passed_energy', 'top_energy', 'unturned_pairs']
    """
    room = STUDIES.get(study)
    own = [f for f in vars(room).values() if isfunction(f) and f.__module__ == room.__name__] if room else []
    return {f.__name__: f for f in (cell, *own) if not f.__name__.startswith("_")}


def cell(
    table: pd.DataFrame, column: str, where: Mapping = {}, low: str = "", high: str = "", clips: str = ""
) -> Estimate:
    """Return one number of the one row that has the values ``where``.

    Parameters
    ----------
    table : DataFrame
    column, low, high, clips : str
        Columns of the value, its interval, and the number of clips.
    where : mapping of str to value
        Columns and what they must hold.

    Raises
    ------
    UserError
        If there is no such row, or more than one, or no such column.

    Examples
    --------
    >>> table = pd.DataFrame({"edges": ["a", "b"], "bones": [24, 19]})
    >>> cell(table, "bones", {"edges": "a"}).value
    24.0
    """
    if strange := [name for name in (*where, *filter(None, (column, low, high, clips))) if name not in table]:
        raise UserError(f"the table has no column '{strange[0]}'")
    rows = table
    for name, value in where.items():
        rows = rows[rows[name] == value]
    if len(rows) != 1:
        wanted = ", ".join(f"{name} = {value}" for name, value in where.items()) or "anything"
        raise UserError(f"{len(rows)} rows with {wanted}, not one" if len(rows) else f"no row with {wanted}")
    row = rows.iloc[0]
    ends = (float(row[end]) if end else nan for end in (low, high))
    return Estimate(float(row[column]), *ends, int(row[clips]) if clips else 0)
