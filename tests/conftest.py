"""What tests share: a seeded generator, the real data where they are, and a steady hypothesis."""

import logging

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from analysis_lib import files as storage

settings.register_profile("house", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def pytest_addoption(parser):
    parser.addoption("--renew-words", action="store_true", help="write the sentences that are said anew (make words)")


@pytest.fixture(scope="module")
def said(request):
    """Return a function that holds what a study says to its snapshot, ``words.md`` beside the test."""
    path, renewed = request.path.with_name("words.md"), request.config.getoption("--renew-words")
    parts = path.read_text(encoding="utf8").split("\n## ")[1:] if path.exists() else []
    known = {case: text.strip() for case, _, text in (part.partition("\n") for part in parts)}
    spoken = {}

    def hold(case, text):
        spoken[case] = text.strip()
        assert renewed or known.get(case) == spoken[case], f"'{case}' is said otherwise; make words renews {path}"

    yield hold
    if renewed and spoken:
        cases = "".join(f"\n## {case}\n{text}\n" for case, text in spoken.items())
        path.write_text(f"# What this study says, case by case (written by `make words`)\n{cases}", encoding="utf8")


@pytest.fixture(autouse=True)
def _no_store(monkeypatch):
    """Keep tests from reading or writing the results that chapters share."""
    monkeypatch.setenv("STGBOOK_STORE", "off")


@pytest.fixture
def drawn_whole(caplog):
    """Afterwards each figure has been drawn whole and closed, and matplotlib has not complained."""
    with mpl.rc_context(), caplog.at_level(logging.WARNING):
        yield
        for number in plt.get_fignums():
            figure = plt.figure(number)
            figure.canvas.draw()
            assert not [text for text in figure.findobj(mpl.text.Text) if "\\math" in text.get_text()]
        plt.close("all")
    assert not caplog.get_records("call")


@pytest.fixture
def rng():
    """Return a generator that is the same in every test and every run."""
    return np.random.default_rng(0)


@pytest.fixture
def real_source():
    """Return a function from a dataset's name to its zip or folder; it skips if there is none."""
    from analysis_lib.datasets.catalogue import manifest
    from analysis_lib.errors import DataError

    def source(name):
        try:
            return manifest(name).sources()["path"]
        except DataError:
            pytest.skip(f"no {name} under {storage.data_root()}; set $STGBOOK_DATA to run this")

    return source


@pytest.fixture
def real_data_root(real_source):
    """Return the folder of real data, with NW-UCLA in it; it skips if there is none."""
    real_source("nw-ucla")
    return storage.data_root()
