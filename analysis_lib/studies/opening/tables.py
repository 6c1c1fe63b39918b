"""What other chapters of the book have answered, and a graph that is small enough to be drawn whole."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis_lib.chapters.chapter import load_chapter
from analysis_lib.chapters.editions import edition_title
from analysis_lib.chapters.recorded import recorded_table
from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.sampling import clips_of, sample_per_class, usual_actions
from analysis_lib.geometry.layerwise import LayerGraph, dataset_graphs, layer_embeddings
from analysis_lib.networks.checkpoints import Checkpoint

COLUMNS = ["chapter", "title", "question", "edition", "kind", "text", "verdict"]
VERDICTS = ["id", "kind", "seen", "edition", "verdict"]


def answer_table(edition: str, chapters: Sequence[str], beside: Sequence[str] = ()) -> pd.DataFrame:
    """Return the answers that chapters have recorded, and the verdicts behind each.

    Parameters
    ----------
    beside : sequence of str
        Editions of which the first that has answered is quoted, too.

    Returns
    -------
    DataFrame
        Columns chapter, title, question, edition (title of another one, empty of this), kind (answer or claim), text,
        verdict (of a claim); none of a chapter without an answer.
    """
    said = []
    for chapter in chapters:
        table = recorded_table(edition, chapter, "answer")
        if table is None:
            continue
        others = (_quoted(other, chapter) for other in beside)
        other = next((rows for rows in others if rows is not None), None)
        of, both = load_chapter(chapter), pd.concat([table.assign(edition=""), other])
        said.append(both.assign(chapter=chapter, title=of.title, question=of.question))
    return pd.concat(said, ignore_index=True)[COLUMNS] if said else pd.DataFrame(columns=COLUMNS)


def _quoted(edition: str, chapter: str) -> pd.DataFrame | None:
    """Return what another edition has recorded as its answer, under its title."""
    table = recorded_table(edition, chapter, "answer")
    return None if table is None else table.assign(edition=edition_title(edition))


def verdict_table(edition: str) -> pd.DataFrame:
    """Return the verdicts on the papers' claims that the chapter *claims* has recorded.

    Returns
    -------
    DataFrame
        Columns id, kind and seen (`analysis_lib.studies.claims.tables.claims_table`), edition (its title), verdict.
    """
    table = recorded_table(edition, "claims")
    if table is None:
        return pd.DataFrame(columns=VERDICTS)
    rows = table.drop_duplicates(["id", "edition"])[VERDICTS].reset_index(drop=True)
    return rows.assign(edition=rows["edition"].map(edition_title))


def curve_table(edition: str) -> pd.DataFrame | None:
    """Return the mean label variation of the super-classes that the chapter *smoothness* has recorded, by layer.

    Returns
    -------
    DataFrame or None
        Columns layer (from 1), q; None if it was not recorded, or some layer has none.
    """
    table = recorded_table(edition, "smoothness")
    if table is None:
        return None
    rows = table[(table["level"] == "group") & (table["layer"] > 0)]
    mean = rows.groupby("layer", as_index=False)["q"].mean()
    return mean if len(mean) and mean["q"].notna().all() else None


def few_clips(
    network: Checkpoint, data: SkeletonDataset, seed: int = 0, n_classes: int = 3, n_clips: int = 4
) -> tuple[SkeletonDataset, list[LayerGraph]]:
    """Return a few clips of a few actions and their graphs, so few that a graph of them can be drawn whole."""
    some = data.take(clips_of(data, usual_actions(data, n_classes)))
    few = some.take(np.sort(sample_per_class(some.labels, n_clips, seed)))
    few = few.take(np.argsort(few.labels, kind="stable"))
    return few, dataset_graphs(layer_embeddings(network, few), min(n_clips, len(few) - 1))
