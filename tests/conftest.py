"""What tests share: a seeded generator, the real data where they are, and a steady hypothesis."""

import logging

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from analysis_lib import storage

settings.register_profile("house", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


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
            plt.figure(number).canvas.draw()
        plt.close("all")
    assert not caplog.get_records("call")


@pytest.fixture
def rng():
    """Return a generator that is the same in every test and every run."""
    return np.random.default_rng(0)


@pytest.fixture
def real_source():
    """Return a function from a dataset's name to its zip or folder; it skips if there is none."""
    from analysis_lib.catalogue import manifest
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
