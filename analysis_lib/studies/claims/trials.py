"""Measures of claims on importance maps, noise and transfer (see `analysis_lib.studies.claims.measures`)."""

from collections.abc import Callable, Sequence

import pandas as pd

from analysis_lib.statistics import wilson_interval
from analysis_lib.studies.claims.measures import Measured, UnmeasuredError

#: rise from one layer to the next up to which a curve still counts as steady
STEADY = 0.02
#: strongest kind of noise: peak signal-to-noise ratio in decibels, of which graphs are recorded
PSNR = 20.0


def early_strength(table: pd.DataFrame, late: int = 3) -> Measured:
    """Return the mean importance of a place in the early layers over that in the last ``late``.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.explain.attributions.layer_table`.
    """
    if len(table) <= late:
        raise UnmeasuredError(f"a network of {len(table)} layers")
    return Measured(float(table["mean"].iloc[:-late].mean() / table["mean"].iloc[-late:].mean()))


def part_share(table: pd.DataFrame, names: Sequence[str], parts: Sequence[str], late: int = 3) -> Measured:
    """Return the importance on parts of the body in the last layers, over that of an even map.

    Of several parts the one with the most counts: of two arms, the one that throws.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.explain.attributions.part_table`.
    names : sequence of str
        What the action is called, in one dataset or another.
    parts : sequence of str
    """
    rows = _late(_called(table, names), late)
    rows = rows[rows["part"].isin(parts)]
    if rows.empty:
        raise UnmeasuredError(f"no part of the body called {' or '.join(parts)}")
    shares = rows.groupby("part")[["share", "joints"]].mean()
    return Measured(float((shares["share"] / shares["joints"]).max()), clips=_clips(rows))


def later_slices(table: pd.DataFrame, names: Sequence[str], late: int = 3) -> Measured:
    """Return an action's mean importance after the first slice of time, over that in the first.

    In the last ``late`` layers, from `analysis_lib.explain.attributions.importance_table`.
    """
    rows = _late(_called(table, names), late)
    first = rows["slice"] == 1
    means = [rows[part]["importance"].mean() for part in (~first, first)]
    if means[1] == 0:
        raise UnmeasuredError("the first slice has no importance at all")
    return Measured(float(means[0] / means[1]), clips=_clips(rows))


def least_joint(table: pd.DataFrame, names: Sequence[str], late: int = 3) -> Measured:
    """Return the importance of an action's least important joint over the mean of all joints.

    After the first slice of time, in the last ``late`` layers, from
    `analysis_lib.explain.attributions.importance_table`.
    """
    rows = _late(_called(table, names), late)
    joints = rows[rows["slice"] > 1].groupby("joint")["importance"].mean()
    if not joints.any():
        raise UnmeasuredError("the maps are empty")
    return Measured(float(joints.min() / joints.mean()), clips=_clips(rows))


def noisy_change(table: pd.DataFrame, psnr: float = PSNR) -> Measured:
    """Return how much noise changes label variation: mean over actions and layers, no sign.

    Parameters
    ----------
    table : DataFrame
        From `analysis_lib.studies.noise.tables.noise_smoothness`.
    psnr : float
        Level in decibels, on the clips of the chosen actions.
    """
    return Measured(float(_disturbed(table, psnr)["change"].abs().mean()))


def steady_change(table: pd.DataFrame, psnr: float = PSNR) -> Measured:
    """Return the largest change that noise makes to a steady curve, with its interval, no sign.

    Steady is an action whose label variation without noise rises by no more than `STEADY` from one
    layer to the next.
    """
    steady = [name for name, curve in _clean(table).items() if curve.diff().max() <= STEADY]
    rows = _disturbed(table, psnr)
    rows = rows[rows["name"].isin(steady)]
    if rows.empty:
        raise UnmeasuredError("no action with a steady curve")
    row = rows.loc[rows["change"].abs().idxmax()]
    ends = sorted(row[["change_low", "change_high"]] * (1 if row["change"] >= 0 else -1))
    return Measured(float(abs(row["change"])), *map(float, ends))


def noisy_rise(table: pd.DataFrame, name: str, psnr: float = PSNR) -> Measured:
    """Return the largest rise from one layer to the next of an action's curve with noise."""
    rows = _disturbed(table, psnr)
    curve = rows[rows["name"] == name].set_index("layer")["q"]
    if curve.empty:
        raise UnmeasuredError(f"no noise was put on '{name}'")
    return Measured(float(curve.diff().max()))


def case_accuracy(table: pd.DataFrame, case: str, of: str = "") -> Measured:
    """Return the accuracy of a way to transfer after its last epoch, on all clips of training.

    Parameters
    ----------
    table : DataFrame
        Columns case, clips_per_class, seed, epoch (0: before), accuracy, n_test.
    case : str
    of : str, optional
        Another case, of whose accuracy it is to be the share.

    Returns
    -------
    Measured
        Mean of the seeds. The interval is Wilson's for the clips of the test split; of a share, it
        is the least and the greatest of the seeds.
    """
    found, n = _last(table, case)
    if of:
        ratios = found / _last(table, of)[0]
        return Measured(float(ratios.mean()), float(ratios.min()), float(ratios.max()), n)
    mean = float(found.mean())
    return Measured(mean, *wilson_interval(mean * n, n), n)


def head_start(table: pd.DataFrame, cases: Sequence[str], of: str) -> Measured:
    """Return by how much some cases are above another, mean of all epochs; the least of them.

    The interval is the least and the greatest of the seeds.
    """
    mine = _full(table[table["case"].isin([*cases, of]) & (table["epoch"] > 0)])
    curves = mine.groupby(["case", "seed"])["accuracy"].mean().unstack("case")
    if missing := {*cases, of} - set(curves):
        raise UnmeasuredError(f"no case '{min(missing)}'")
    ahead = curves[list(cases)].sub(curves[of], axis=0)
    least = ahead[ahead.mean().idxmin()]
    return Measured(float(least.mean()), float(least.min()), float(least.max()), int(mine["n_test"].iloc[0]))


def _called(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the rows of the action that has one of the names."""
    rows = table[table["class"].isin(names)]
    if rows.empty:
        raise UnmeasuredError(f"no action '{names[0]}'")
    return rows


def _late(table: pd.DataFrame, late: int) -> pd.DataFrame:
    return table[table["layer"] > table["layer"].max() - late]


def _clips(rows: pd.DataFrame) -> int:
    return int(rows["clips"].iloc[0])


def _disturbed(table: pd.DataFrame, psnr: float) -> pd.DataFrame:
    """Return the rows of the layers where the chosen actions had noise of that level."""
    rows = table[(table["noisy"] == "chosen") & (table["psnr"] == psnr) & (table["layer"] > 0)]
    if rows.empty:
        raise UnmeasuredError(f"no graph with noise of {psnr:g} dB")
    return rows


def _clean(table: pd.DataFrame) -> pd.DataFrame:
    """Return label variation without noise by layer (rows) and action (columns)."""
    rows = table[(table["noisy"] == "none") & (table["layer"] > 0)]
    return rows.pivot(index="layer", columns="name", values="q")


def _full(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the largest number of clips of training."""
    return table[table["clips_per_class"] == table["clips_per_class"].max()]


def _last(table: pd.DataFrame, case: str) -> tuple[pd.Series, int]:
    """Return a case's accuracy after its last epoch by seed, and the number of test clips."""
    rows = _full(table[table["case"] == case])
    if rows.empty:
        raise UnmeasuredError(f"no case '{case}'")
    rows = rows[rows["epoch"] == rows["epoch"].max()].set_index("seed")
    return rows["accuracy"], int(rows["n_test"].iloc[0])


MEASURES: tuple[Callable[..., Measured], ...] = (
    early_strength,
    part_share,
    later_slices,
    least_joint,
    noisy_change,
    steady_change,
    noisy_rise,
    case_accuracy,
    head_start,
)
