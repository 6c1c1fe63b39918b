"""The bar of a run shows what the bars within a cell say, on a terminal in place, in a file line by line."""

import io
from threading import Event
from types import SimpleNamespace

import pytest
from tqdm import tqdm

from analysis_lib.progress import TOLD
from analysis_lib.publishing import watched
from analysis_lib.publishing.watched import look, show


class Over:
    """An event that comes after the file has been read a few times."""

    def __init__(self, told, texts):
        self.told, self.texts, self.waited = told, list(texts), []

    def wait(self, seconds):
        self.waited.append(seconds)
        if self.texts:
            self.told.write_text(self.texts.pop(0))
        return len(self.waited) > 3


@pytest.mark.parametrize("terminal", [True, False])
def test_what_a_cell_tells_is_shown(tmp_path, terminal):
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    over = Over(tmp_path / "told", ["", "fine-tuning 40 %", "fine-tuning 40 %, epoch 2/8 75 %"])
    assert look(stream).get("mininterval", 0) == (0 if terminal else 10)
    with tqdm(total=9, desc="Executing", unit="cell", **{**look(stream), "mininterval": 0}) as bar:
        bar.update(4)
        show(bar, over.told, over)
    seen = stream.getvalue()
    assert over.waited == [1.0] * 4
    assert "4/9" in seen if terminal else "Executing: 4 of 9 cells, 00:00, fine-tuning 40 %\n" in seen
    assert ("\r" in seen, seen.count("\n") > 3) == (terminal, not terminal)
    assert "fine-tuning 40 %, epoch 2/8 75 %" in seen


def test_the_engine_watches_while_the_notebook_runs(tmp_path, monkeypatch):
    from papermill.engines import papermill_engines

    events, asked = [], {}

    class Client:
        def __init__(self, nb_man, **how):
            asked.update(how)

        def execute(self, env):
            events.append(("executed", env))

    monkeypatch.setattr(watched, "PapermillNotebookClient", Client)
    monkeypatch.setattr(watched, "show", lambda bar, told, over, end: events.append((bar, told.name, over.wait(20))))
    own = {TOLD: str(tmp_path / "told"), "MINE": "1"}
    how = {"surroundings": own, "stop": Event(), "extra_arguments": ["x"], "log_output": False}
    engine = papermill_engines.get_engine(watched.ENGINE)
    engine.execute_managed_notebook(SimpleNamespace(pbar="bar"), "python3", **how)
    assert events == [("executed", own), ("bar", "told", True)]
    assert (asked["kernel_name"], asked["extra_arguments"]) == ("python3", ["x"])
