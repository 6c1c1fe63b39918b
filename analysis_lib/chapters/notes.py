"""Notes that cells leave for their page: outputs of types that nobody sees, read when the page is made."""

import sys

SOURCES = "application/vnd.stgbook.sources+json"  #: records that the cell has taken tables from, as a list
RUN = "application/vnd.stgbook.run+json"  #: name of the data that the run was on
ANSWER = "application/vnd.stgbook.answer+json"  #: the page's answer, where it stands
ELSEWHERE = "application/vnd.stgbook.elsewhere+json"  #: whether the cell's figure shows records alone, true or false
CAPTION = "application/vnd.stgbook.caption+json"  #: a sentence before the caption of the cell's figure


def publish(kind: str, value: object) -> None:
    """Give the cell that runs now, if this is a notebook, an output of one of these types."""
    if ipython := sys.modules.get("IPython"):
        shell = ipython.get_ipython()
        if getattr(shell, "kernel", None):
            ipython.display.display({kind: value, "text/plain": ""}, raw=True)
