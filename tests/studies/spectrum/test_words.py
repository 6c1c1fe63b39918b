"""What is said of the spectrum, a snapshot a case."""

from dataclasses import replace

from analysis_lib.studies.spectrum import words
from analysis_lib.studies.spectrum.findings import Concentration, Distance, Findings, Variant

ENERGY = Concentration(240, 0, 9, 25, 0.935, ("sit down", 0.871), ("wave", 0.984), 0.62)
FAR = (Distance("ntu-stgcn", 12, "left foot - left hand tip"), Distance("ntu-tips-on-hand", 11, "left foot - thumb"))
FOUND = Findings(ENERGY, Variant("velocity", "with_self", 0.61), ((1, 0.9), (10, 0.8)), FAR, 10, 10, reach=False)


def test_the_answer(said):
    said("answer", words.answer(FOUND, "synthetic", "centred"))
    said("clips without energy", words.answer(replace(FOUND, energy=replace(ENERGY, still=2)), "toy", "velocity"))


def test_choices_and_filters(said):
    said("variants", words.variants(FOUND))
    said("filters", words.filters(FOUND))


def test_distances(said):
    said("too few hops", words.distances(FOUND))
    said("enough hops", words.distances(replace(FOUND, reach=True)))
