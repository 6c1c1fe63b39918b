"""The first cell of every chapter and its last: what it works on, what it says, what it keeps."""

import os
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import pandas as pd

from analysis_lib.chapters.chapter import load_chapter
from analysis_lib.chapters.notes import CAPTION, publish
from analysis_lib.chapters.other_editions import Beside, recorded_beside
from analysis_lib.chapters.recorded import write_record
from analysis_lib.chapters.shown import Claim, Run, answer_html, run_html
from analysis_lib.datasets.catalogue import load_dataset
from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.errors import UserError
from analysis_lib.networks.checkpoints import Checkpoint, load_checkpoint
from analysis_lib.results.digest import code_version

TABLES = "STGBOOK_TABLES"  # environment variable: the folder that tables are recorded in


class Session:
    """One run of one chapter; `open_chapter` makes it.

    Attributes
    ----------
    parameters : dict
        Name and value of every parameter of the chapter, as they were when it was opened.
    """

    def __init__(self, chapter: str, namespace: Mapping[str, object]):
        self.started = time.monotonic()
        self.chapter = chapter
        self.parameters = _parameters(chapter, namespace)
        self.answers: list[dict] = []

    @cached_property
    def beside(self) -> Beside:
        """What other editions recorded of this chapter."""
        return recorded_beside(self.chapter, self.parameters)

    @cached_property
    def data(self) -> SkeletonDataset:
        """The dataset that the parameter ``dataset`` names, with all its splits."""
        return load_dataset(self.parameters["dataset"], self.parameters.get("data_root", ""))

    @cached_property
    def network(self) -> Checkpoint:
        """The network that the parameter ``model`` names."""
        return load_checkpoint(self.parameters["model"], self.data)

    def answer(self, sentence: str, claims: Sequence[Claim] = ()):
        """Return the page's answer for display: one plain sentence, and the verdicts of the claims behind it.

        It is recorded with the tables, as ``answer.csv``: the book's opening quotes it.
        """
        from IPython.display import Markdown

        self.answers = [{"kind": "answer", "text": sentence, "verdict": ""}]
        self.answers += [{"kind": "claim", "text": text, "verdict": str(verdict)} for verdict, text in claims]
        return Markdown(answer_html(sentence, claims))

    def caption(self, sentence: str) -> None:
        """Set a sentence before the caption of this cell's figure: what is to be seen in it here."""
        publish(CAPTION, sentence)

    def say(self, *sentences: str):
        """Return sentences for display, a paragraph each; empty ones are left out."""
        from IPython.display import Markdown

        return Markdown("\n\n".join(filter(None, sentences)))

    def record(self, **tables):
        """Keep tidy tables where ``$STGBOOK_TABLES`` names a folder, and return what this run was, for display.

        Parameters
        ----------
        **tables : pandas.DataFrame
            Become ``$STGBOOK_TABLES/CHAPTER/NAME.csv`` (`analysis_lib.chapters.recorded.write_record`),
            the answer ``answer.csv``.
        """
        facts = self.facts()
        if os.environ.get(TABLES):
            said = {"answer": pd.DataFrame(self.answers)} if self.answers else {}
            write_record(Path(os.environ[TABLES]) / self.chapter, facts, tables | said)
        beside = self.beside.origins() if "beside" in vars(self) else {}
        return Run(run_html(facts, time.monotonic() - self.started, beside), facts.get("data", {}).get("name", ""))

    def facts(self) -> dict:
        """Return the parameters, the code's version, and which data and network have been used.

        Where the data lie on one machine is no part of the result: ``data_root`` is left out.
        """
        shown = {name: value for name, value in self.parameters.items() if name != "data_root"}
        facts = {"chapter": self.chapter, "parameters": shown, "code": code_version()}
        if "data" in vars(self):
            facts["data"] = {"name": self.data.name, "fingerprint": self.data.fingerprint}
        if "network" in vars(self):
            weights = self.network.card.get("weights_sha256")
            facts["model"] = {"name": self.network.name, "weights": weights}
        return facts


def open_chapter(chapter: str, namespace: Mapping[str, object]) -> Session:
    """Return the session of a chapter, once its parameters are set: ``open_chapter("smoothness", globals())``."""
    return Session(chapter, namespace)


def _parameters(chapter: str, namespace: Mapping) -> dict:
    """Return the chapter's parameters and their values in the notebook.

    A notebook that is not in the book has the names that it annotates.
    """
    try:
        names = [parameter.name for parameter in load_chapter(chapter).parameters]
    except UserError:
        names = list(namespace.get("__annotations__", {}))
    return {name: namespace[name] for name in names if name in namespace}
