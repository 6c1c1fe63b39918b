"""What can be checked before and beside the maps: what makes DeepLIFT inexact, gaps, costs, exact values."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from analysis_lib.explain.deeplift import DeepLiftShap
from analysis_lib.explain.features import explained, place_of
from analysis_lib.explain.gradcam import GradCAM
from analysis_lib.explain.joint_shapley import JointShapley, players
from analysis_lib.explain.linter import inexact
from analysis_lib.explain.method import Method
from analysis_lib.explain.registry import TITLES
from analysis_lib.explain.shapley import MOST_PLAYERS, exact_shapley
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.statistics.intervals import mean_interval
from analysis_lib.studies.shap_comparison.comparing import Comparison


def linter_table(network: Checkpoint, x: np.ndarray) -> pd.DataFrame:
    """Return what makes DeepLIFT inexact (`analysis_lib.explain.linter.inexact`), by the place that it stops at.

    Returns
    -------
    DataFrame
        Columns at, module, operation, why, times (modules of one kind count together: digits in names are ``*``).
    """
    tables = []
    for at in dict.fromkeys([place_of(network.model), "coordinates"]):
        scores = explained(network.model, at)
        faults = inexact(scores, scores.of(x[:1]))
        module = faults["module"].str.removeprefix("model").str.removeprefix(".").replace("", "the network itself")
        tables.append(faults.assign(at=at, module=module.str.replace(r"(?<=\.)(\d+|[JVBA])(?=\.|$)", "*", regex=True)))
    columns = ["at", "module", "operation", "why"]
    return pd.concat(tables).groupby(columns, sort=False).size().rename("times").reset_index()


def gap_table(comparison: Comparison, others: np.ndarray, n_clips: int = 4) -> pd.DataFrame:
    """Return how far each clip's attributions are from adding up, relative to what they should add up to.

    Returns
    -------
    DataFrame
        Columns method, at, clip, gap. Of DeepLIFT also a few clips at the coordinates, if it stopped at streams.
    """
    place, rows = place_of(comparison.network.model), []
    for title, found in comparison.found.items():
        if "additivity" in found.gaps:
            at = "coordinates" if "draws" in found.gaps else place
            rows += [(title, at, i, gap) for i, gap in enumerate(found.gaps["additivity"])]
    if place != "coordinates" and TITLES["deeplift"] in comparison.found:
        some = comparison.few(n_clips)
        again = DeepLiftShap(others)(
            comparison.network, comparison.x[some], comparison.lengths[some], comparison.targets[some]
        )
        rows += [
            (TITLES["deeplift"], "coordinates", i, gap) for i, gap in zip(some, again.gaps["additivity"], strict=True)
        ]
    return pd.DataFrame(rows, columns=["method", "at", "clip", "gap"])


def cost_table(comparison: Comparison, others: np.ndarray, repeats: int = 2) -> pd.DataFrame:
    """Return the time of one clip, by method and by what it grows with.

    Parameters
    ----------
    others : float32 ndarray, shape (B, C, T, V, M)
        At least as many background clips as are timed; fewer are repeated.

    Returns
    -------
    DataFrame
        Columns method, what (``"one"``, or what grows: background, classes, players), size, repeat, seconds.
    """
    network = comparison.network
    last, place = replace(network, layers=network.layers[-1:]), place_of(network.model)
    x, lengths, target = comparison.x[:1], comparison.lengths[:1], comparison.targets[:1]
    background = np.resize(np.arange(len(others)), 20)
    parts = players(comparison.data.skeleton, "parts")
    single = np.arange(x.shape[3])[None]
    jobs: list[tuple[str, str, int, Callable]] = [("gradcam", "one", 1, partial(GradCAM(), last, x, lengths, target))]
    for n in (5, 10, 20):
        method = DeepLiftShap(others[background[:n]], place)
        jobs.append(("deeplift", "background", n, partial(method, network, x, lengths, target)))
    jobs.append(
        ("deeplift", "classes", 2, partial(_twice, DeepLiftShap(others[background[:5]], place), network, x, lengths))
    )
    for whose in (parts, single):
        method = JointShapley(others, whose, n_draws=2)
        jobs.append(("shapley", "players", int(whose.max()) + 1, partial(method, network, x, lengths, target)))
    rows = []
    for title, what, size, job in jobs:
        if TITLES[title] not in comparison.missing:
            for i in range(repeats):
                start = time.perf_counter()
                job()
                rows.append((TITLES[title], what, size, i, time.perf_counter() - start))
    return pd.DataFrame(rows, columns=["method", "what", "size", "repeat", "seconds"])


def _twice(method: Method, network: Checkpoint, x: np.ndarray, lengths: np.ndarray) -> None:
    for target in (0, 1):
        method(network, x, lengths, np.array([target]))


def exactness_table(comparison: Comparison, others: np.ndarray, gaps: pd.DataFrame) -> pd.DataFrame:
    """Return what can be checked to the digit: chunks of a background, sampling against all coalitions, sums.

    Returns
    -------
    DataFrame
        Columns what, value, low, high; rows that the network does not allow are left out.
    """
    network, x, lengths, target = comparison.network, comparison.x[:1], comparison.lengths[:1], comparison.targets[:1]
    rows = []
    if TITLES["deeplift"] in comparison.found:
        whole, *parts = (
            DeepLiftShap(some, place_of(network.model))(network, x, lengths, target).maps[-1]
            for some in (others, *np.array_split(others[: len(others) // 2 * 2], 2))
        )
        if len(others) % 2 == 0:
            off = np.abs(whole - np.mean(parts, axis=0)).max() / np.abs(whole).max()
            rows.append(("two halves of the background against the whole", float(off)))
    whose = players(comparison.data.skeleton, "parts")
    if whose.max() < MOST_PLAYERS:
        draws = (0, 2 * len(others))
        exact, sampled = (JointShapley(others, whose, n_draws=n).values(network, x, target) for n in draws)
        off = np.abs(exact.values - sampled.values)[0, :, target[0]]
        errors = np.maximum(sampled.errors[0, :, target[0]], 1e-12)
        rows.append(("largest error of sampling, in standard errors", float((off / errors).max())))
    asked = [_coalitions(n) for n in (4, 8)]
    rows.append(("coalitions of 8 players over those of 4", asked[1] / asked[0]))
    table = pd.DataFrame(rows, columns=["what", "value"]).assign(low=np.nan, high=np.nan)
    means = [
        {"what": f"gap of {method}, at {at}"} | mean_interval(of["gap"].to_numpy())
        for (method, at), of in gaps.groupby(["method", "at"], sort=False)
    ]
    return pd.concat([table, pd.DataFrame(means).rename(columns={"mean": "value"})], ignore_index=True)


def _coalitions(n_players: int) -> int:
    """Return how many coalitions exact Shapley values ask for."""
    asked = []

    def value(coalitions: np.ndarray) -> np.ndarray:
        asked.append(len(coalitions))
        return coalitions.sum(axis=1)

    exact_shapley(value, n_players)
    return sum(asked)
