"""What parts of FG-STFormer and ST-GDN give, and what they do: variants trained again, focal joints, joints apart."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import nan
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.stats import binomtest, t
from sklearn.manifold import TSNE
from sklearn.metrics import silhouette_score

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import clip_tensors
from analysis_lib.datasets.sampling import class_indices, front_clips
from analysis_lib.datasets.upright import upright
from analysis_lib.errors import UserError
from analysis_lib.files import ROOT, is_there
from analysis_lib.geometry.embeddings import clip_means
from analysis_lib.geometry.layerwise import layer_embeddings
from analysis_lib.geometry.node_separation import node_separation
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.fg_stformer import looks
from analysis_lib.networks.registry import TITLES
from analysis_lib.networks.training.fit import evaluate
from analysis_lib.networks.training.queue import read_results
from analysis_lib.statistics.intervals import wilson_interval
from analysis_lib.words import named


@dataclass(frozen=True)
class Comparison:
    """Two variants that differ in one part: what the paper says the part gives, in shares; NaN if no number is known.

    A ``choice`` is no part: the variant is held to others that differ in one setting.
    """

    architecture: str
    place: str
    part: str
    one: str
    other: str
    published: float = nan


FG, GDN = "fg-stformer", "st-gdn"
#: networks that convolve joints in all of their layers, with whitening and without
CONVOLVED = ("stgcn", "agcn", GDN)
COMPARISONS = (
    Comparison(FG, "Table 1", "focal joints, not all", "focal", "basic", 0.005),
    Comparison(FG, "Table 1", "parts of the body", "focal-parts", "focal", 0.008),
    Comparison(FG, "Table 1", "attention between joints and parts", "full", "focal-parts", 0.004),
    *(
        Comparison(FG, "Table 2", f"15 focal joints, not {k}", "full", f"focal-{k}", gain)
        for k, gain in ((3, 0.009), (9, 0.005), (21, 0.002), (25, 0.004))
    ),
    Comparison(FG, "Table 3", "convolution over time", "full", "attend-only", 0.067),
    Comparison(FG, "Table 3", "attention over time", "full", "convolve-only", 0.004),
    *(
        Comparison(FG, "Table 4", f"6 layers among all joints, not {n}", "full", f"first-{n}", gain)
        for n, gain in ((4, 0.007), (5, 0.005), (7, 0.005))
    ),
    Comparison(GDN, "Section III.C", "whitened joints", "node", "plain"),
    Comparison(GDN, "Section III.C", "whitened joints beside plain ones", "union", "plain"),
    Comparison(GDN, "Section III.C", "whitened frames", "frame", "plain"),
    Comparison(GDN, "Section III.C", "whitened joints and frames", "element", "plain"),
    Comparison(GDN, "Section III.C", "the published order of these", "published", "plain"),
    Comparison(GDN, "Section III.C", "frames whitened, not joints", "frame", "node"),
)


def run_table(path: str | Path) -> pd.DataFrame:
    """Return one row a trained network, from the results of a queue (`analysis_lib.networks.training.queue`).

    A path that does not exist is looked for below the project's folder. A network is named
    ``ARCHITECTURE-VARIANT-SEED``.

    Returns
    -------
    DataFrame
        Columns architecture, variant, and those of `analysis_lib.networks.training.queue.Result` but name and
        arguments.

    Raises
    ------
    UserError
        If there is no such file, or no result in it.
    """
    found = read_results(path if is_there(path) else ROOT / path)
    if not found:
        raise UserError(f"{path} has no results; stgbook train --queue data/ablations.json --results FILE writes some")
    rows = [
        {
            "architecture": one.architecture,
            "variant": one.name.removeprefix(f"{one.architecture}-").removesuffix(f"-{one.seed}"),
            **{k: v for k, v in asdict(one).items() if k not in ("name", "arguments", "architecture")},
        }
        for one in found
    ]
    return pd.DataFrame(rows)


def learnt_from(dataset: str, runs: pd.DataFrame, **tables: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return tables of trainings as they are if all were on one dataset, else without rows.

    What networks learnt from other clips decides no claim on a dataset.

    Parameters
    ----------
    dataset : str
    runs : DataFrame
        From `run_table`.
    **tables : DataFrame
        Made of it.
    """
    own = (runs["dataset"] == dataset).all()
    return {name: table if own else table.head(0) for name, table in {"runs": runs, **tables}.items()}


def variant_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row a variant: how accurate it is in the mean of its trainings.

    Returns
    -------
    DataFrame
        Columns architecture, variant, seeds, parameters, clips, accuracy, least, most (of the trainings), low, high
        (Wilson's interval of the mean, over clips).
    """
    rows = []
    for (architecture, variant), mine in runs.groupby(["architecture", "variant"], sort=False):
        a, clips = mine["accuracy"], int(mine["clips"].iloc[0])
        low, high = wilson_interval(a.mean() * clips, clips)
        row = {"architecture": architecture, "variant": variant, "seeds": len(mine)}
        row |= {"parameters": mine["parameters"].iloc[0], "clips": clips, "accuracy": a.mean()}
        rows.append(row | {"least": a.min(), "most": a.max(), "low": low, "high": high})
    return pd.DataFrame(rows)


def part_table(runs: pd.DataFrame) -> pd.DataFrame:
    r"""Return how much more accurate networks are with a part than without, with intervals over trainings.

    .. math::
        d = \bar a_1 - \bar a_0 \pm t_\nu\, s \sqrt{1/n_1 + 1/n_0}, \qquad
        s^2 = \frac{1}{\nu} \sum_v \sum_i (a_{vi} - \bar a_v)^2, \qquad \nu = \sum_v (n_v - 1)

    over the trainings i of all variants v of an architecture: how far trainings of one variant lie apart is taken to
    be the same for all. The intervals of an architecture hold together with 95 % confidence (Bonferroni).

    Returns
    -------
    DataFrame
        Columns architecture, place (in its paper), part, one, other (the variants), value, low, high, published, sd
        (s). There are no rows of variants that were not trained, and no interval where none was trained twice.
    """
    rows = []
    for architecture, mine in runs.groupby("architecture", sort=False):
        by_variant = mine.groupby("variant")["accuracy"]
        mean, n = by_variant.mean(), by_variant.size()
        made = [c for c in COMPARISONS if c.architecture == architecture and {c.one, c.other} <= set(n.index)]
        freedom = int((n - 1).sum())
        sd = float(np.sqrt((by_variant.var(ddof=0) * n).sum() / freedom)) if freedom else nan
        for c in made:
            value = float(mean[c.one] - mean[c.other])
            half = float(t.ppf(1 - 0.025 / len(made), freedom or nan) * sd * np.sqrt(1 / n[c.one] + 1 / n[c.other]))
            rows.append(asdict(c) | {"value": value, "low": value - half, "high": value + half, "sd": sd})
    return pd.DataFrame(rows, columns=[*Comparison.__dataclass_fields__, "value", "low", "high", "sd"])


def first_of(networks: Sequence[Checkpoint], architecture: str) -> Checkpoint:
    """Return the first network of an architecture.

    Raises
    ------
    UserError
        If there is none.
    """
    for network in networks:
        if network.card.get("architecture") == architecture:
            return network
    raise UserError(f"no {TITLES.get(architecture, architecture)} is trained on these data")


def focal_table(network: Checkpoint, data: SkeletonDataset) -> pd.DataFrame:
    """Return how often FG-STFormer chooses each joint in clips of each class.

    Returns
    -------
    DataFrame
        Columns class, joint, share (of the frames of its clips, mean over clips), score (its informativeness, in the
        mean of the same), frames.
    """
    tables = []
    for c in class_indices(data, ()):
        mine = data.take(np.flatnonzero(data.labels == c))
        x, lengths = clip_tensors(mine, network.preprocessing)
        found = looks(network.model, torch.from_numpy(x), lengths)
        chosen = torch.zeros_like(found.informativeness).scatter(2, found.chosen, 1.0)
        frames = found.valid.sum(dim=1)
        share, score = (
            ((value * found.valid[..., None]).sum(dim=1) / frames[:, None]).mean(dim=0).numpy()
            for value in (chosen, found.informativeness)
        )
        joints = {"joint": data.skeleton.joints, "share": share, "score": score}
        tables.append(pd.DataFrame({"class": data.class_names[c], **joints, "frames": int(frames.sum())}))
    return pd.concat(tables, ignore_index=True)


def look_tables(network: Checkpoint, data: SkeletonDataset, actions: Sequence[str]) -> tuple[pd.DataFrame, ...]:
    """Return what is drawn on a skeleton: of one clip of some actions, its middle frame and what is looked at there.

    Returns
    -------
    poses : DataFrame
        Columns class, clip, joint, x, y (y up), focal, score.
    links : DataFrame
        What joints take from parts in the last layer: columns class, joint, part (its place in
        `analysis_lib.networks.fg_stformer.body_parts`), weight.
    """
    index, whole = front_clips(data, actions), upright(data)
    x, lengths = clip_tensors(data.take(index), network.preprocessing)
    found = looks(network.model, torch.from_numpy(x), lengths)
    joints = list(data.skeleton.joints)
    n_parts = len(network.model.parts)
    poses, links = [], []
    for place, i in enumerate(index):
        action = {"class": data.class_names[data.labels[i]]}
        middle, sequence = int(found.valid[place].sum()) // 2, whole.sequences[i][0]
        pose, focal = sequence[len(sequence) // 2], np.isin(range(len(joints)), found.chosen[place, middle])
        places = {"joint": joints, "x": pose[:, 0], "y": pose[:, 1], "focal": focal}
        score = found.informativeness[place, middle].numpy()
        poses.append(pd.DataFrame({**action, "clip": data.clips[i], **places, "score": score}))
        taken = {"joint": np.repeat(joints, n_parts), "part": np.tile(np.arange(n_parts), len(joints))}
        links.append(pd.DataFrame({**action, **taken, "weight": found.from_parts[place].numpy().ravel()}))
    return pd.concat(poses, ignore_index=True), pd.concat(links, ignore_index=True)


def class_accuracy_table(one: Checkpoint, other: Checkpoint, test: SkeletonDataset) -> pd.DataFrame:
    """Return how many clips of each action two networks name rightly, and whether one does better.

    Only the b + c clips of which they differ tell. That the first is right of so many, b, has Clopper and Pearson's
    interval p, with 95 % confidence for all actions together (Bonferroni); the difference is
    (2 p - 1) (b + c) over all clips of the action.

    Returns
    -------
    DataFrame
        Columns class, clips, one, other (shares that are named rightly), value, low, high (of the difference).
    """
    right = [evaluate(n.model, test, n.preprocessing)["predicted"] == test.labels for n in (one, other)]
    classes, rows = class_indices(test, ()), []
    for c in classes:
        mine = test.labels == c
        a, b = (hits[mine] for hits in right)
        better, worse, n = int((a & ~b).sum()), int((b & ~a).sum()), int(mine.sum())
        low = high = 0.0
        if differ := better + worse:
            ends = binomtest(better, differ).proportion_ci(1 - 0.05 / len(classes))
            low, high = ((2 * float(end) - 1) * differ / n for end in ends)
        row = {"class": test.class_names[c], "clips": n, "one": float(a.mean()), "other": float(b.mean())}
        rows.append(row | {"value": (better - worse) / n, "low": low, "high": high})
    return pd.DataFrame(rows)


def node_table(networks: Sequence[Checkpoint], data: SkeletonDataset, seed: int = 0) -> pd.DataFrame:
    """Return where the joints of clips lie at the last layer of networks, in the plane by t-SNE, a point each.

    A joint's features are their mean over the frames. The networks are ST-GCN, 2s-AGCN and ST-GDN, which whitens what
    the second does not; of several of one architecture with as many layers the first counts.

    Returns
    -------
    DataFrame
        Columns network, clip, joint, x, y, and the same in every row of a network: separation (variance between
        joints over variance within: `analysis_lib.geometry.node_separation`), silhouette (of the joints in the
        features; 1: joints stand apart, 0: they lie among each other).
    """
    tables, kinds, joints = [], set(), data.skeleton.joints
    for network in networks:
        kind = (network.card.get("architecture"), len(network.layers))
        if kind in kinds or kind[0] not in CONVOLVED:
            continue
        kinds.add(kind)
        embeddings = layer_embeddings(network, data)
        x, lengths = embeddings.features[-1], embeddings.lengths[-1]
        means = clip_means(x, lengths).reshape(len(data), -1, len(joints))
        points, which = means.swapaxes(1, 2).reshape(-1, means.shape[1]), np.tile(np.arange(len(joints)), len(data))
        place = TSNE(perplexity=min(30.0, (len(points) - 1) / 3), random_state=seed).fit_transform(points)
        told = {"separation": node_separation(x, lengths, len(joints)), "silhouette": silhouette_score(points, which)}
        where = {"clip": np.repeat(data.clips, len(joints)), "joint": np.array(joints)[which]}
        tables.append(pd.DataFrame({"network": network.name, **where, "x": place[:, 0], "y": place[:, 1], **told}))
    if not tables:
        raise UserError(f"none of {named(TITLES[kind] for kind in CONVOLVED)} is trained on these data")
    return pd.concat(tables, ignore_index=True)
