"""What is said of the spectrum, a snapshot a case."""

from dataclasses import replace

from analysis_lib.studies.spectrum import words
from analysis_lib.studies.spectrum.findings import Concentration, Distance, Findings, Variant

ENERGY = Concentration(240, 0, 9, 25, 0.935, ("sit down", 0.871), ("wave", 0.984), 0.62)
FAR = (
    Distance("ntu-stgcn", 12, "left foot to left hand tip", 10),
    Distance("ntu-tips-on-hand", 11, "left foot to thumb", 10),
)
VELOCITY = Variant("velocity", "no_self", 0.76)
FOUND = Findings(
    ENERGY, "centred", VELOCITY, Variant("velocity", "with_self", 0.61), ((1, 0.9), (10, 0.8)), True, FAR, 10
)


def told(found, dataset):
    return "\n".join([words.answer(found), words.numbers(found, dataset)])


def test_the_answer(said):
    said("answer", told(FOUND, "synthetic"))
    positions = replace(FOUND, signal="velocity", beside=replace(VELOCITY, signal="centred"))
    said("clips without energy, of velocities", told(replace(positions, energy=replace(ENERGY, still=2)), "toy"))
    said("nothing moves, positions in the room", told(replace(FOUND, signal="raw", beside=None), "toy"))


def test_choices_and_filters(said):
    said("variants", words.variants(FOUND))
    said("filters", words.filters(FOUND))


def test_distances(said):
    said("too few hops", words.distances(FOUND))
    said("enough hops", words.distances(replace(FOUND, paper=12)))
