"""What building a network takes."""

import subprocess
import sys

CODE = """
import sys
from analysis_lib.networks.checkpoints import load_checkpoint
load_checkpoint("synthetic")
print("torch._dynamo" in sys.modules)
"""


def test_a_network_is_sized_without_the_compiler_of_torch():
    """Which takes a second to load, and longer the first time."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
