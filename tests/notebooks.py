"""Small notebooks, and records, for the tests of what runs and builds the book."""

import json

import matplotlib.pyplot as plt
import pytest

from analysis_lib.chapters.session import TABLES, Session
from analysis_lib.files import ROOT

PARAMETERS = "n: int = 3  # how many\ndataset: str = 'synthetic'  # data\ndata_root: str = ''  # raw"


def markdown(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(source, **metadata):
    return {"cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": [], "source": source}


def notebook(*cells, parameters=PARAMETERS, title="# A chapter\n\nWith a text."):
    """Return a notebook: title, parameters cell, then the given code."""
    given = [code(cell) if isinstance(cell, str) else cell for cell in cells]
    first = [markdown(title), code(parameters, tags=["parameters"])]
    cells = [{**cell, "id": f"c{i}"} for i, cell in enumerate([*first, *given])]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def write_chapter(root, name, *cells, **kwargs):
    """Write ``root/book/NAME.ipynb`` and return its path."""
    path = root / "book" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook(*cells, **kwargs)))
    return path


def run_cells(chapter, **parameters):
    """Run the code of a chapter of the book here, with some of its parameters set, and return its variables."""
    path = ROOT / "book" / f"{chapter}.ipynb"
    variables = {"__name__": "__main__"}
    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{chapter}, cell {cell['id']}", "exec"), variables)
        if "parameters" in cell["metadata"].get("tags", []):
            variables |= {name: value for name, value in parameters.items() if name in variables["__annotations__"]}
        plt.close("all")
    return variables


def record(folder, chapter, **tables):
    """Record tables in ``folder/CHAPTER`` as a chapter does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TABLES, str(folder))
        Session(chapter, {}).record(**tables)
