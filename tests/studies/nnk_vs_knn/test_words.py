"""Sentences on NNK and k-NN, for each way that it can go."""

from sentences import answered

from analysis_lib.statistics.estimates import Estimate, Verdict
from analysis_lib.studies.nnk_vs_knn import words
from analysis_lib.studies.nnk_vs_knn.findings import (
    Against,
    Comparison,
    Errors,
    Gains,
    Gap,
    Profile,
    Split,
    Support,
    Symmetrisation,
)

KNN, MATCHED = Against(8, 7, 5, 0, {5: (2,), 10: (1, 2, 3)}), Against(8, 4, 2, 0)
FACTORS = {"raw": 16.0, "edges": 4.0, "edge_weight": 2.0, "share": 2.0}
RATES = {"nnk": (0.1, 0.2), "knn": (0.25, 0.35), "matched": (0.2, 0.3)}


def test_words_of_the_answer(said):
    undecided, fails, none = Against(8, 4, 2, 0), Against(8, 1, 0, 8), Against(0, 0, 0, 0)
    every = [{5: Verdict.HOLDS, 10: Verdict.HOLDS}, {5: Verdict.UNDECIDED, 10: Verdict.FAILS}, {}]
    cases = {"NNK is lower": (KNN, undecided, fails), "error alone": (undecided, fails, KNN), "nothing": (none,) * 3}
    for (case, counts), everywhere in zip(cases.items(), every, strict=True):
        found = Comparison(60, *counts, everywhere)
        said(case, "\n".join([answered(words, found), words.numbers(found)]))


def test_words_on_other_editions(said):
    found = Comparison(60, KNN, MATCHED, Against(0, 0, 0, 0), {})
    said("recorded elsewhere", words.elsewhere({"A, recorded": found, "B": found}))
    assert words.elsewhere({}) == ""


def test_words_on_errors(said):
    said("errors that agree", words.errors(Errors((5, 100), RATES, KNN, MATCHED, False)))
    one = {graph: rates[:1] for graph, rates in RATES.items()}
    said("errors that disagree, one k", words.errors(Errors((5,), one, KNN, MATCHED, True)))


def test_words_on_the_gap(said):
    two = {5: FACTORS, 9: FACTORS | {"raw": 7.94, "share": 0.99}}
    said("a gap", words.gap(Gap(8, 7, two, (0.75, 2.0), (0.5, 1.0))))
    said("a gap at one k", words.gap(Gap(8, 7, {5: FACTORS}, (0.75, 0.75), (0.5, 0.5))))
    said("no gap", words.gap(Gap(8, 0, {}, (0.0, 0.0), (0.0, 0.0))))


def test_words_on_support(said):
    kept = {5: 3.0, 10: 5.0, 20: 7.5}
    for slows in words.SLOWS:
        said(f"support, {slows}", words.support(Support(kept, (0.5, 1.0), slows, 0.125, 10, {20: 0.5})))
    said("support at one k", words.support(Support({5: 3.0}, None, "", 0.125, 10, {})))


def test_words_on_symmetrisation(said):
    q = {"max": (0.2, 0.3), "author": (0.4, 0.1)}
    said("symmetrisation", words.symmetrisation(Symmetrisation(q, Split(("max",), ("author",)), 7)))


def test_words_on_what_training_adds(said):
    lower = Profile("q", (-0.05, -0.12), (-0.04, -0.02), Estimate(-0.1, -0.15, -0.05), (5, 6, 7, 8, 9, 10), (), 10)
    error = Profile("error", (-0.01, 0.0), (-0.01, 0.02), Estimate(-0.02, -0.05, 0.01), (), (), 10)
    kept = Profile("neighbours", (-6.1, -7.2), (-6.0, -6.5), Estimate(-0.7, -0.9, -0.5), (), (1,), 10)
    found = Gains(2, 10, 10, (lower, error, kept))
    said("learnt", words.gains(found))
    said("learnt: badges", "\n".join(map(str, words.verdicts(Comparison(60, KNN, MATCHED, KNN, {}), found))))
    said("nothing untrained beside", words.gains(None))
