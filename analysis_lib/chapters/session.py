"""The first cell of every chapter and its last: what it works on, what it says, what it keeps."""

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from analysis_lib.chapters.chapter import OF_MODELS, load_chapter
from analysis_lib.chapters.editions import edition_title
from analysis_lib.chapters.notes import ANSWER, CAPTION, publish
from analysis_lib.chapters.other_editions import Beside, recorded_beside
from analysis_lib.chapters.recorded import write_record
from analysis_lib.chapters.shown import Claim, Listed, ThisRun, answer_html, run_html
from analysis_lib.datasets.catalogue import load_dataset
from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.sampling import (
    class_indices,
    node_splits,
    only_split,
    sample_per_class,
    sample_splits,
    usual_actions,
)
from analysis_lib.errors import UserError
from analysis_lib.networks.checkpoints import Checkpoint, is_trained, load_checkpoint
from analysis_lib.results.digest import code_version
from analysis_lib.words import code_of, counted, listed, name_of

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
        self.notes: list[str] = []  # what the page has yet to say of how it came about
        self.answers: list[dict] = []

    @cached_property
    def beside(self) -> Beside:
        """What other editions recorded of this chapter."""
        return recorded_beside(self.chapter, self.parameters)

    @cached_property
    def data(self) -> SkeletonDataset:
        """The dataset that the parameter ``dataset`` names, with all its splits."""
        data = load_dataset(self.parameters["dataset"], self.parameters.get("data_root", ""))
        self.notes += data.notes
        return data

    @cached_property
    def target(self) -> SkeletonDataset:
        """The dataset that the parameter ``target_dataset`` names; the chapter's own if that is empty."""
        if self.parameters["target_dataset"]:
            return load_dataset(self.parameters["target_dataset"], self.parameters.get("data_root", ""))
        self.notes.append(
            "No `target_dataset` is given, so the actions are those that the network was trained on: what is called "
            "new on this page is not."
        )
        return self.data

    @cached_property
    def network(self) -> Checkpoint:
        """The network that the parameter ``model`` names."""
        how = {p.name: self.parameters.get(p.name, p.default) for p in OF_MODELS}
        return self.told([load_checkpoint(self.parameters["model"], self.data, **how)])[0]

    def told(self, networks: Sequence[Checkpoint]) -> Sequence[Checkpoint]:
        """Return networks; the page will say how each is read, and whether it was never trained."""
        for network in networks:
            self.notes += network.notes
            if not is_trained(network):
                self.notes.append(
                    f"**The network {code_of(network.name)} was never trained**: its weights were drawn by lot. What "
                    "is said of it here is what its architecture alone makes of the clips."
                )
        return networks

    def sample(self, data: SkeletonDataset, n_per_class: int, seed: int) -> SkeletonDataset:
        """Return so many clips of each class (`analysis_lib.datasets.sampling.sample_per_class`)."""
        return data.take(sample_per_class(data.labels, self.per_class("n_per_class", n_per_class, data), seed))

    def nodes(self, which: str, n_per_class: int, seed: int) -> SkeletonDataset:
        """Return so many clips of each class, of the splits that the parameters ``split`` and ``train_split`` name.

        The page will say of which, unless they are tested clips alone.

        Parameters
        ----------
        which : {"test", "train", "both"}
            Clips that are tested, clips that are learnt from, or half of each; if the data have one split only, those.
        n_per_class, seed : int
            As for `analysis_lib.datasets.sampling.sample_splits`, whose errors these are.
        """
        given = self.parameters["split"], self.parameters["train_split"]
        splits = node_splits(self.data, which, *given)
        data = self.data.take(sample_splits(self.data, splits, n_per_class, seed))
        if len(splits) == 1:
            self.per_class("n_per_class", n_per_class, self.data.split(splits[0]))
        if only_split(self.data):
            self.notes.append(
                f"The data have one split only, {code_of(splits[0])}: its clips stand both for those that are tested "
                "and for those that are learnt from."
            )
        elif splits != given[:1]:
            of = (f"{counted(len(data.splits[name]), 'clip')} of the split {code_of(name)}" for name in splits)
            self.notes.append(f"The nodes are {listed(of)}.")
        return data

    @property
    def training_clips(self) -> SkeletonDataset:
        """The clips of the split that the parameter ``train_split`` names; of the only one that there is, if it is."""
        return self.data.split(only_split(self.data) or self.parameters["train_split"])

    def per_class(self, parameter: str, wanted: int, data: SkeletonDataset) -> int:
        """Return how many clips of each class are wanted; the page will say which classes have fewer."""
        classes, counts = np.unique(data.labels, return_counts=True)
        few = [f"{name_of(data.class_names[c])} {n}" for c, n in zip(classes, counts, strict=True) if n < wanted]
        if few:
            self.notes.append(
                f"Some actions of {name_of(data.name)} have fewer clips than `{parameter} = {wanted}`, and all are "
                f"taken: {listed(few)}."
            )
        return wanted

    def at_most(self, parameter: str, wanted: int | Sequence[int], most: int):
        """Return a number, or numbers, of which there are only so many; the page will say what was cut."""
        many = not isinstance(wanted, int)
        kept = ([n for n in wanted if n <= most] or [most]) if many else min(wanted, most)
        if kept != wanted:
            taken = listed(kept if many else [kept])
            self.notes.append(f"`{parameter} = {wanted}` asks for more than there are; taken: {taken}.")
        return kept

    def actions(self, data: SkeletonDataset, given: Sequence[str], most: int) -> list[str]:
        """Return the actions that are given, each once; else the usual ones (`usual_actions`)."""
        class_indices(data, list(dict.fromkeys(given)))
        return list(dict.fromkeys(given)) or usual_actions(data, most)

    @contextmanager
    def part(self, what: str):
        """Go on without a part that cannot be had; one line in its place says why.

        ``with chapter.part("The test by masking"): ...``
        """
        try:
            yield
        except UserError as error:
            self.show(f"*{what} is missing here: {name_of(error)}*")

    def show(self, *shown) -> None:
        """Display sentences as `say` does, or what is no text as it is; for use within a `part`."""
        from IPython.display import display

        if (one := self.say(*shown) if isinstance(shown[0], str) else shown[0]) is not None:
            display(one)

    def table(self, table: pd.DataFrame) -> Listed:
        """Return a table for display."""
        return Listed(table)

    def answer(self, sentence: str, claims: Sequence[Claim] = ()):
        """Return the page's answer for display: one plain sentence, and the verdicts of the claims behind it.

        It is recorded with the tables, as ``answer.csv``: the book's opening quotes it, and so does this page where it
        runs on other data with that edition ``beside``.
        """
        from IPython.display import Markdown

        self.answers = [{"kind": "answer", "text": sentence, "verdict": ""}]
        self.answers += [{"kind": "claim", "text": text, "verdict": str(verdict)} for verdict, text in claims]
        publish(ANSWER, sentence)
        here = edition_title(self.data.name) if "data" in vars(self) else "here"
        return Markdown(answer_html(sentence, claims, self.beside.answers(), here))

    def caption(self, sentence: str) -> None:
        """Set a sentence before the caption of this cell's figure: what is to be seen in it here."""
        publish(CAPTION, sentence)

    def say(self, *sentences: str):
        """Return sentences for display, a paragraph each, and below them what is yet to be noted; None for nothing."""
        from IPython.display import Markdown

        notes, self.notes = dict.fromkeys(self.notes), []
        text = "\n\n".join(filter(None, [*sentences, *notes]))
        return Markdown(text) if text else None

    def record(self, **tables):
        """Keep tidy tables where ``$STGBOOK_TABLES`` names a folder, and return what this run was, for display.

        Parameters
        ----------
        **tables : pandas.DataFrame or None
            None where a `part` is missing. They become ``$STGBOOK_TABLES/CHAPTER/NAME.csv``
            (`analysis_lib.chapters.recorded.write_record`), the answer ``answer.csv``.
        """
        facts = self.facts()
        if os.environ.get(TABLES):
            made = {name: table for name, table in tables.items() if table is not None}
            made |= {"answer": pd.DataFrame(self.answers)} if self.answers else {}
            write_record(Path(os.environ[TABLES]) / self.chapter, facts, made)
        beside = self.beside.origins() if "beside" in vars(self) else {}
        data = edition_title(facts["data"]["name"]) if "data" in facts else ""
        return ThisRun(run_html(facts, time.monotonic() - self.started, beside), data)

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
