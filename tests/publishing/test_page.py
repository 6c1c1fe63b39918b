"""An executed notebook becomes a page: what is folded, dropped, numbered."""

import copy
import json
import re

import pytest
from notebooks import code, markdown, notebook

from analysis_lib.chapters.notes import ANSWER, CAPTION, ELSEWHERE, RUN, SOURCES
from analysis_lib.files import ROOT
from analysis_lib.progress import MARK
from analysis_lib.publishing.page import SET_UP, STATE, VIEW, add_verdicts, annotate_figures, tidy_notebook, write_form
from analysis_lib.words import THIN

BAR = " 50%|█████     | 5/10 [00:01<00:01,  4.9it/s]"


def executed(*cells, injected=True):
    """Return a notebook as Papermill leaves it: random ids, notes, injected parameters."""
    nb = notebook(*cells)
    if injected:
        extra = code("# Parameters\nn = 4\n", tags=["injected-parameters"], papermill={"x": 1})
        nb["cells"].insert(2, {**extra, "id": "1f3a"})
    nb["metadata"]["papermill"] = {"input_path": "/home/me/book.ipynb", "duration": 1.5}
    for cell in nb["cells"]:
        cell["metadata"] |= {"papermill": {"duration": 2}, "execution": {"iopub.status.busy": "t"}}
        cell["metadata"].setdefault("tags", [])
    return nb


def with_outputs(*outputs):
    return {**code("work()"), "outputs": list(outputs)}


def stream(text, name="stderr"):
    return {"output_type": "stream", "name": name, "text": text}


def shown(**data):
    data = {kind.replace("_", "/"): value for kind, value in data.items()}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def outputs_of(*outputs):
    return tidy_notebook(executed(with_outputs(*outputs)))["cells"][-1]["outputs"]


def test_the_injected_parameters_take_the_place_of_the_defaults():
    cells = tidy_notebook(executed("n"))["cells"]
    assert [c["source"] for c in cells] == ["# A chapter\n\nWith a text.", "n = 4\n", "n"]
    assert cells[1]["metadata"]["tags"] == ["hide-input", "injected-parameters", SET_UP]


def test_without_injected_parameters_the_defaults_stay():
    cells = tidy_notebook(executed("n", injected=False))["cells"]
    assert cells[1]["metadata"]["tags"] == ["hide-input", "parameters", SET_UP]


def test_code_is_folded_but_where_it_is_left_out_and_imports_go_to_the_end():
    tags = (["imports"], ["remove-input"], [])
    cells = tidy_notebook(executed(*(code("x", tags=[*given]) for given in tags)))["cells"][-3:]
    assert [c["metadata"]["tags"] for c in cells] == [
        ["hide-input", "imports", SET_UP],
        ["remove-input"],
        ["hide-input"],
    ]


def test_notes_of_the_run_are_dropped_and_cells_numbered():
    tidied = tidy_notebook(executed("n", markdown("text")))
    assert "papermill" not in tidied["metadata"]
    assert [c["id"] for c in tidied["cells"]] == ["cell-00", "cell-01", "cell-02", "cell-03"]
    assert all(not c["metadata"].keys() & {"papermill", "execution"} for c in tidied["cells"])
    assert "/home/me" not in write_form(tidied)


def test_metadata_that_a_page_needs_is_kept():
    figure = {"image": {"alt": "a line"}, "figure": {"name": "fig-x", "caption": "A line."}}
    cells = tidy_notebook(executed(code("plot()", mystnb=figure, tags=["hide-input"])))["cells"]
    assert cells[-1]["metadata"] == {"mystnb": figure, "tags": ["hide-input"]}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"\r  0%|          | 0/10 [00:00<?, ?it/s]\r{BAR}\n", ""),
        (f"\repoch 3: {BAR}\x1b[A\rloss: {BAR}", ""),
        ("12it [00:03,  3.9it/s]\r13it [00:03,  3.9it/s]\n", ""),
        (f"{MARK}compiling\n{BAR}\n", ""),
        (f"{BAR}\nUserWarning: careful\n{BAR}", "UserWarning: careful\n"),
        ("100 % of [clips] are fine\n", "100 % of [clips] are fine\n"),
    ],
)
def test_progress_on_stderr_is_dropped_and_warnings_stay(text, kept):
    assert [o["text"] for o in outputs_of(stream(text))] == ([kept] if kept else [])


def test_what_is_printed_stays_as_it_is():
    assert outputs_of(stream(BAR, "stdout"))[0]["text"] == BAR


def test_a_progress_widget_is_dropped_with_its_state():
    bar = shown(text_plain=f"Epochs: {BAR}") | {}
    bar["data"][VIEW] = {"model_id": "a" * 32}
    nb = executed(with_outputs(bar, stream("done\n", "stdout")))
    nb["metadata"]["widgets"] = {STATE: {"state": {"a" * 32: {"state": {}}}}}
    tidied = tidy_notebook(nb)
    assert [o["output_type"] for o in tidied["cells"][-1]["outputs"]] == ["stream"]
    assert "widgets" not in tidied["metadata"]


def test_streams_in_a_row_are_joined_until_something_else_comes():
    got = outputs_of(
        stream("a\n", "stdout"), stream("b\n", "stdout"), stream("c\n"), shown(text_plain="x"), stream("d\n")
    )
    assert [o.get("text") for o in got] == ["a\nb\n", "c\n", None, "d\n"]


def test_process_ids_addresses_and_the_project_s_place_are_dropped():
    (output,) = outputs_of(stream(f"/tmp/ipykernel_123/98765.py:2: W\n<Axes at 0x7f12ab34cd56> {ROOT}/book/x\n"))
    assert output["text"] == "cell:2: W\n<Axes> book/x\n"


def test_pictures_are_not_touched():
    picture = " at 0x7f12ab34cd56"  # stands for bytes that look like an address
    assert outputs_of(shown(image_png=picture))[0]["data"] == {"image/png": picture}


def test_styled_tables_are_numbered_each_with_a_name_of_its_own():
    def table(name):
        return shown(text_html=f'<style>#T_{name}_row0 {{}}</style><table id="T_{name}"></table>')

    first, second = outputs_of(table("0beef"), table("00000"))
    assert first["data"] == table("00000")["data"]
    assert second["data"] == table("00001")["data"]


def slider_with_link(ids):
    """Return a notebook with a box of two sliders, two links between them, and a stray bar."""
    box, one, two, link, back, stray = ids
    links = {
        link: {"model_name": "LinkModel", "state": {"source": [f"IPY_MODEL_{one}", "value"], "z": f"IPY_MODEL_{two}"}},
        back: {"model_name": "LinkModel", "state": {"source": [f"IPY_MODEL_{two}", "max"], "z": f"IPY_MODEL_{one}"}},
    }
    models = {
        **{model: links[model] for model in sorted(links)},
        stray: {"model_name": "FloatProgressModel", "state": {"value": 3}},
        two: {"model_name": "IntSlider", "state": {"value": 2}},
        box: {"model_name": "Box", "state": {"children": [f"IPY_MODEL_{one}", f"IPY_MODEL_{two}"]}},
        one: {"model_name": "IntSlider", "state": {"value": 1}},
    }
    view = {"output_type": "display_data", "metadata": {}, "data": {VIEW: {"model_id": box}}}
    nb = executed(with_outputs(view))
    nb["metadata"]["widgets"] = {STATE: {"state": models, "version_major": 2}}
    return nb


def test_widgets_get_the_same_numbers_whatever_their_random_ids():
    one = tidy_notebook(slider_with_link([c * 32 for c in "abcdef"]))
    other = tidy_notebook(slider_with_link([c * 32 for c in "93fe10"]))
    assert write_form(one) == write_form(other)
    models = one["metadata"]["widgets"][STATE]["state"]
    assert [models[f"{i:032x}"]["model_name"] for i in range(5)] == [
        "Box",
        "IntSlider",
        "IntSlider",
        "LinkModel",
        "LinkModel",
    ]
    assert one["cells"][-1]["outputs"][0]["data"][VIEW]["model_id"] == "0" * 32
    assert models["0" * 32]["state"]["children"] == [f"IPY_MODEL_{i:032x}" for i in (1, 2)]


def test_tidying_twice_is_tidying_once_and_the_input_is_not_changed():
    nb = slider_with_link([c * 32 for c in "abcdef"])
    nb["cells"].append({**with_outputs(stream(f"{BAR}\nwarn\n")), "id": "q"})
    before = copy.deepcopy(nb)
    once = tidy_notebook(nb)
    assert nb == before
    assert tidy_notebook(once) == once


def test_the_written_form_is_stable_and_a_notebook():
    import nbformat

    tidied = tidy_notebook(executed("n", with_outputs(stream("x\n"))))
    text = write_form(tidied)
    nbformat.validate(nbformat.reads(text, as_version=4))
    assert text == write_form(json.loads(text))


FIGURE = code("plot()", mystnb={"figure": {"name": "fig-a", "caption": "The fall."}})


def test_no_line_of_prose_ends_before_a_per_cent_sign():
    picture = {**FIGURE, "metadata": {"mystnb": {"figure": {"caption": "95 % of 3"}}}}
    prose, figure = annotate_figures(tidy_notebook(notebook(markdown("95 % of them"), picture)))["cells"][-2:]
    assert prose["source"] == f"95{THIN}% of them"
    assert figure["metadata"]["mystnb"]["figure"]["caption"] == f"95{THIN}% of 3"


def note(kind, value):
    return shown() | {"data": {kind: value, "text/plain": ""}}


def test_each_figure_has_its_sentence_and_is_followed_by_its_own_sources():
    """A record counts for the figures that draw it, alone, and once; names are text."""
    picture, other = shown(image_png="p"), note(SOURCES, ["<b>, recorded 2025-01-31"])
    both = FIGURE | {"outputs": [other, note(CAPTION, "Layer 9."), picture, other]}
    page = annotate_figures(tidy_notebook(executed(both, FIGURE, with_outputs(note(RUN, "my *clips*")))))
    places = [i for i, cell in enumerate(page["cells"]) if "figure" in cell["metadata"].get("mystnb", {})]
    here = ':::{div} source\nDrawn from my \\*clips\\*, <a href="#this-run">this run</a>'
    said = [page["cells"][place + 1]["source"] for place in places]
    assert said == [f"{here}; \\<b\\>, recorded 2025-01-31.\n:::", f"{here}.\n:::"]
    captions = [page["cells"][place]["metadata"]["mystnb"]["figure"]["caption"] for place in places]
    assert captions == ["Layer 9. The fall.", "The fall."]
    assert page["cells"][places[0]]["outputs"] == [picture]
    assert len({cell["id"] for cell in page["cells"]}) == len(page["cells"])


@pytest.mark.parametrize(("alone", "drawn"), [(True, "A, recorded"), (False, "mine, .*this run</a>; A, recorded")])
def test_a_figure_of_records_alone_does_not_name_the_run(alone, drawn):
    picture = FIGURE | {"outputs": [note(SOURCES, ["A, recorded"]), note(ELSEWHERE, alone), shown(image_png="p")]}
    page = annotate_figures(tidy_notebook(executed(picture, with_outputs(note(RUN, "mine")))))
    (said,) = [cell["source"] for cell in page["cells"] if cell["id"].endswith("-made")]
    assert re.search(rf"Drawn from {drawn}\.\n", said)


def test_a_caption_names_what_is_drawn_beside_or_says_nothing_of_it():
    said = "The fall. Thin lines: {beside}. Late, after layer 8.5."
    alone, beside = (code("plot()", mystnb={"figure": {"caption": said}}) for _ in range(2))
    beside["outputs"] = [note(SOURCES, [*["A, recorded"] * 2, "B"])]
    page = annotate_figures(executed(alone, beside))
    captions = [cell["metadata"]["mystnb"]["figure"]["caption"] for cell in page["cells"][-2:]]
    assert captions == [f"The fall.{said} Late, after layer 8.5." for said in ("", " Thin lines: A, recorded; B.")]


def test_the_claims_of_a_page_stand_below_the_first_figure_after_its_answer():
    answer = with_outputs(note(ANSWER, "Late."), shown(text_markdown="Late."))
    claims = [("Ours", "G1", "holds", "It <falls>."), ("Theirs", "G1", "does not hold", "It <falls>.")]
    claims += [("Ours", "G2", "undecided", "It stays.")]
    for cells, place in (([FIGURE, answer, "more", FIGURE, FIGURE], 6), ([answer, "more"], 3), ([FIGURE, answer], 4)):
        page = tidy_notebook(executed(*cells))
        made = add_verdicts(page, claims)["cells"]
        assert [i for i, cell in enumerate(made) if cell["id"] == "verdicts"] == [place]
        source = made[place]["source"]
    assert re.findall("<li><a href='(.*?)'>(.*?)</a> (.*?) <small>", source) == [
        ("claims.html#G1", "G1", "It &lt;falls&gt;."),
        ("claims.html#G2", "G2", "It stays."),
    ]
    assert re.findall("(\\w+) <span class='verdict (.*?)'>(.*?)</span>", source) == [
        ("Ours", "verdict-holds", "holds"),
        ("Theirs", "verdict-does-not-hold", "does not hold"),
        ("Ours", "verdict-undecided", "undecided"),
    ]
    for made in (add_verdicts(page, claims), add_verdicts(page, [])):
        assert [output["data"] for output in made["cells"][3]["outputs"]] == [{"text/markdown": "Late."}]
    assert add_verdicts(tidy_notebook(executed("no answer")), claims) == tidy_notebook(executed("no answer"))


def test_without_a_note_of_the_run_no_figure_is_annotated():
    page = tidy_notebook(executed(FIGURE))
    assert annotate_figures(page) == page
