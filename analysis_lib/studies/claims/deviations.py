"""How the networks of this book were trained beside those of the papers, entry by entry of their cards."""

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis_lib.studies.claims.papers import Setting, Training

SAME, OTHER, OPEN = "as in the paper", "differs", "not given in the paper"
COLUMNS = ["source", "setting", "paper", "where", "network", "ours", "verdict"]


def deviation_table(trainings: Sequence[Training], cards: Sequence[Mapping]) -> pd.DataFrame:
    """Return each paper's settings beside those of the networks that have its architecture.

    Parameters
    ----------
    trainings : sequence of Training
    cards : sequence of mapping
        Of the networks (`analysis_lib.networks.checkpoints.shipped_cards`).

    Returns
    -------
    DataFrame
        Columns source, setting, paper, where (in the paper), network, ours, verdict (`SAME`, `OTHER` or `OPEN`).

    Examples
    --------
    >>> training = Training("a paper", "stgcn", (Setting("epochs", "recipe.epochs", "100", "Section 4", 100),))
    >>> cards = [{"name": "mine", "architecture": "stgcn", "recipe": {"epochs": 40}}, {"architecture": "another"}]
    >>> deviation_table([training], cards)[["network", "ours", "verdict"]].values.tolist()
    [['mine', '40', 'differs']]
    """
    rows = [
        (training.source, setting.name, setting.paper, setting.where, card["name"], *_ours(setting, card))
        for training in trainings
        for setting in training.settings
        for card in cards
        if card["architecture"] == training.architecture
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _ours(setting: Setting, card: Mapping) -> tuple[str, str]:
    """Return how a network was trained, and whether the paper did the same."""
    value: object = card
    for key in setting.card.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    text = ", ".join(map(str, value)) if isinstance(value, list) else f"{value:.4g}" if _is_number(value) else value
    return str(text or "none"), OPEN if not setting.paper else SAME if value == setting.same else OTHER


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
