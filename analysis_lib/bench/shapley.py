"""Shapley values of joints to the same standard error, beside captum's sampling and shap's explainers.

All play the same game: a joint outside a coalition moves as in one other clip. How far a method is off is the spread
of its values over runs with other seeds, and its variance falls as one over the evaluations; so its time is multiplied
by its variance over ours.
"""

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module

import numpy as np
import pandas as pd

from analysis_lib.bench.rounds import in_turns

OURS = "JointShapley"
#: every so many frames of a clip; pairs of permutations of a run
STRIDE, PAIRS = 4, 4
#: by name of a peer, the library that it is of
PEERS = {"captum, sampling": "captum", "shap, permutation": "shap", "shap, kernel": "shap"}


def why_missing() -> dict[str, str]:
    """Return why a peer, or all of this part, cannot be measured."""
    reasons = {}
    for name, library in {OURS: "torch", **PEERS}.items():
        try:
            with warnings.catch_warnings(action="ignore"):  # of their plots
                import_module(library)
        except ImportError as error:
            reasons[name] = f"{error}; in the book's environment, with pip install {library}"
    return reasons


def bench_values(missing: Mapping[str, str] = {}, n_clips: int = 2, pairs: int = PAIRS, rounds: int = 3) -> list[dict]:
    """Return the seconds and the spread of each method's values, for the explained class and for all.

    Returns
    -------
    list of dict
        For ``explained`` (one class, all classes): ``clips``, ``joints``, ``classes``, ``evaluations`` of a clip, and
        ``methods``: for each ``name``, ``how``, ``seconds``, ``error`` (standard deviation of a value over runs, root
        mean square) and ``passes``, the runs that it takes for these classes.
    """
    from analysis_lib.datasets.catalogue import load_dataset
    from analysis_lib.explain.features import background
    from analysis_lib.networks.checkpoints import load_network

    data = load_dataset("synthetic")
    network = load_network("synthetic", data)
    x, other = (
        np.ascontiguousarray(background(data.split(split), network.preprocessing, n)[:, :, ::STRIDE])
        for split, n in (("test", n_clips), ("train", 1))
    )
    return compared(network, x, other, missing, pairs, rounds)


def compared(network, x: np.ndarray, other: np.ndarray, missing: Mapping[str, str], pairs: int, rounds: int):
    """Return the records of `bench_values` for clips (N, C, T, V, M) and one other clip (1, C, T, V, M)."""
    from analysis_lib.explain.features import all_scores, explained

    scores = explained(network.model, "coordinates")
    targets = all_scores(scores, scores.of(x)).argmax(axis=1)
    found: dict[str, list[np.ndarray]] = {}
    calls = {
        name: (how, call) for name, how, call in _methods(network, x, other, targets, pairs) if name not in missing
    }

    def kept(name: str, call: Callable) -> None:
        runs = found.setdefault(name, [])
        runs.append(call(len(runs)))

    timed = {name: partial(kept, name, call) for name, (_, call) in calls.items()}
    seconds = in_turns({OURS: timed.pop(OURS)}, timed, rounds)
    records = []
    n_classes = found[OURS][0].shape[2]
    for what in ("one class", "all classes"):
        methods = []
        for name, (how, _) in calls.items():
            runs = np.stack(found[name])  # (runs, N, V, classes, or 1 for the explained class alone)
            alone = runs.shape[-1] == 1
            if what == "one class" and not alone:
                runs = np.take_along_axis(runs, targets[None, :, None, None], axis=3)
            error = float(np.sqrt(runs.var(axis=0, ddof=1).mean()))
            passes = n_classes if alone and what == "all classes" else 1
            methods.append({"name": name, "how": how, "seconds": seconds[name], "error": error, "passes": passes})
        sizes = {"clips": len(x), "joints": x.shape[3], "classes": n_classes, "evaluations": 2 * pairs * x.shape[3]}
        records.append({"explained": what, **sizes, "methods": methods})
    return records


def _methods(network, x, other, targets, pairs: int):
    """Yield name, settings, and a call of a seed that returns values (N, V, classes), of each method."""
    import torch

    from analysis_lib.explain.features import all_scores, explained
    from analysis_lib.explain.joint_shapley import JointShapley

    n_joints = x.shape[3]
    yield (
        OURS,
        f"{pairs} pairs of permutations",
        lambda seed: JointShapley(other, n_draws=pairs, seed=seed).values(network, x, targets).values,
    )
    scores = explained(network.model, "coordinates")
    clips, instead = scores.of(x), scores.of(other)[0]

    def game(clip):
        """Return the function of coalitions (k, V) to scores (k, classes)."""

        def value(coalitions):
            masks = torch.from_numpy(np.asarray(coalitions) > 0.5)[:, None, None, None, :, None]
            return all_scores(scores, torch.where(masks, clip, instead))

        return value

    def sampled(seed):
        from captum.attr import ShapleyValueSampling

        torch.manual_seed(seed)
        players = torch.arange(n_joints)[:, None].expand(1, *x.shape[1:]).contiguous()
        with torch.no_grad():
            given = ShapleyValueSampling(scores.model).attribute(
                torch.from_numpy(x),
                torch.from_numpy(other),
                torch.from_numpy(targets),
                feature_mask=players,
                n_samples=2 * pairs,
                perturbations_per_eval=max(1, 8 // len(x)),
            )
        return given[:, 0, 0, :, 0].double().numpy()[..., None]  # a player's value stands at all its features

    def permuted(seed):
        import shap

        none, everyone = np.zeros((1, n_joints)), np.ones((1, n_joints))
        budget = pairs * (2 * n_joints + 1)
        return np.stack(
            [
                shap.PermutationExplainer(game(clip), none, seed=seed)(everyone, max_evals=budget, silent=True).values[
                    0
                ]
                for clip in clips
            ]
        )

    def regressed(seed):
        import shap

        np.random.seed(seed)  # noqa: NPY002 - where shap draws from
        none, everyone = np.zeros((1, n_joints)), np.ones((1, n_joints))
        return np.stack(
            [
                shap.KernelExplainer(game(clip), none).shap_values(
                    everyone, nsamples=2 * pairs * n_joints, l1_reg=False, silent=True
                )[0]
                for clip in clips
            ]
        )

    yield "captum, sampling", f"{2 * pairs} permutations, batches of 8", sampled
    yield "shap, permutation", f"{pairs} pairs of permutations", permuted
    yield "shap, kernel", f"nsamples={2 * pairs * n_joints}, l1_reg=False", regressed


def values_table(record: dict) -> pd.DataFrame:
    r"""Return the seconds of each method to our standard error, one row a method and number of classes.

    .. math:: t' = t\, p\, \frac{s^2}{s_{ours}^2}

    with the median time t, runs p for all classes, and the standard error s.
    """
    rows = []
    for case in record["shapley"]:
        ours = case["methods"][0]
        for m in case["methods"]:
            same = float(np.median(m["seconds"])) * m["passes"] * (m["error"] / ours["error"]) ** 2
            row = {key: case[key] for key in ("explained", "clips", "joints", "classes", "evaluations")}
            rows.append(row | {"method": m["name"], "how": m["how"], "error": m["error"], "seconds": same})
    table = pd.DataFrame(rows)
    first = table[table["method"] == OURS].set_index("explained")["seconds"]
    return table.assign(times=table["seconds"] / table["explained"].map(first))


def values_overview(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row for one class and one for all: our seconds, and how many times as long the others take."""
    rows = []
    for what, part in table.groupby("explained", sort=False):
        ours, *others = part.to_dict("records")
        times = {m["method"]: f"{m['times']:.1f}×" for m in others}
        rows.append({"explained": what, ours["method"]: f"{ours['seconds']:.2f} s", **times})
    return pd.DataFrame(rows).set_index("explained")
