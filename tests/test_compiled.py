"""Compiled functions: kept where that can be, and compiled anew where it cannot."""

import os
import subprocess
import sys

from analysis_lib.compiled import compiled
from analysis_lib.files import ROOT

KERNELS = """
import tempfile

def refuse(*given, **options):
    raise PermissionError(13, "Permission denied")

tempfile.TemporaryFile = refuse  # by it numba tries whether a folder can be written
import numpy as np
from analysis_lib.nnk import solver
from analysis_lib.warping import bounds, kernels
print(kernels.any_zero_frame(np.zeros((1, 2, 3), np.float32), np.array([2])))
"""


def test_what_is_compiled_is_kept(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "doubling.py").write_text("def twice(x):\n    return 2 * x\n")
    import doubling

    assert compiled()(doubling.twice)(3) == 6
    assert list((tmp_path / "__pycache__").glob("doubling.twice-*.nbc"))


def test_kernels_work_where_nothing_can_be_written():
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": "/dev/null"}
    done = subprocess.run([sys.executable, "-c", KERNELS], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True\n", "")
