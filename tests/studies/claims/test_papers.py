"""Files of claims: the book's own is sound and leads somewhere, others are read or refused."""

import json
import re

import pytest
from docutils.nodes import make_id

from analysis_lib.chapters.chapter import load_chapter, table_of_contents
from analysis_lib.chapters.editions import load_edition
from analysis_lib.chapters.recorded import recorded_editions, recorded_table
from analysis_lib.datasets.readers.ntu_tables import ACTIONS
from analysis_lib.errors import DataError, UserError
from analysis_lib.studies.claims.choices import OPTIONS
from analysis_lib.studies.claims.findings import CHOICES, _measured, _untested
from analysis_lib.studies.claims.papers import load_claims
from analysis_lib.studies.claims.tables import group_table

PARAMETERS = load_edition("synthetic").parameters(load_chapter("claims"))
CLAIMS = load_claims([*PARAMETERS["records"], *PARAMETERS["more_records"]])
CHECKS = [(claim.id, check) for claim in CLAIMS.claims for check in claim.checks]


def test_every_statement_has_a_row_or_a_reason():
    rows = {claim.id.split(",")[0] for claim in CLAIMS.claims}
    statements = {"G": 38, "F": 14, "D": 12, "S": 21}  # of the four papers
    assert rows | set(CLAIMS.left_out) == {
        f"{paper}{n:02d}" for paper, most in statements.items() for n in range(1, most + 1)
    }
    assert not rows & set(CLAIMS.left_out)


@pytest.mark.parametrize(("claim", "check"), CHECKS, ids=lambda x: x if isinstance(x, str) else "")
def test_a_check_reads_what_chapters_record(claim, check):
    chapters = [*PARAMETERS["chapters"], *PARAMETERS["other_chapters"]]
    given = {"claims/groups": group_table(CLAIMS.lists)}
    found = []
    for edition in recorded_editions():
        choices = {CHOICES: recorded_table(edition, *CHOICES.split("/"))}
        found.append(_measured(check, edition, chapters, given | choices))
    assert any(one.value or one.why for one in found)  # the tables are there
    assert all(one.settings for one in found if check.over and one.value)


@pytest.mark.parametrize("claim", [c for c in CLAIMS.claims if c.checks], ids=lambda claim: claim.id)
def test_a_claim_has_bounds_and_those_of_ours_say_when_they_were_set(claim):
    assert any(check.judges for check in claim.checks)
    assert bool(claim.ours) == bool(claim.bounds)
    assert all(former.until <= claim.bounds.date for former in claim.history if claim.bounds)
    for check in claim.checks:
        assert not check.over.keys() & set(OPTIONS) or check.over == {k: CLAIMS.grid[k][0] for k in check.over}


@pytest.mark.parametrize("claim", CLAIMS.claims, ids=lambda claim: claim.id)
def test_a_link_leads_to_a_figure_or_a_heading(claim):
    page, _, anchor = claim.figure.partition("#")
    assert f"book/{page}" in table_of_contents()
    cells = load_chapter(page).cells
    figures = [c["metadata"].get("mystnb", {}).get("figure", {}).get("name") for c in cells]
    headings = re.findall(r"^#+ (.*)$", "\n".join("".join(c["source"]) for c in cells), re.M)
    assert anchor in {*figures, *map(make_id, headings)}


def test_the_chapters_that_are_read_are_parameters_and_in_the_book():
    read = {*PARAMETERS["chapters"], *PARAMETERS["other_chapters"]}
    assert {place.split("/")[0] for _, check in CHECKS for place in check.tables} - {"claims"} == read
    assert {f"book/{name}" for name in read} <= set(table_of_contents())


def test_commands_name_what_exists():
    for claim in CLAIMS.claims:
        command = _untested(claim, "mine", (), claim.otherwise).command
        for chapter, rest in re.findall(r"stgbook run (\w+)(.*)", command):
            given = {k: int(v) if v.isdigit() else v for k, v in re.findall(r"-p (\w+) (\S+)", rest)}
            edition = re.search(r"--edition (\S+)", rest)
            chosen = load_edition(edition[1] if edition else "synthetic")
            parameters = chosen.parameters(load_chapter(chapter), given)
            assert parameters == {**parameters, **given}
    assert {"drop", "brush teeth", "reading", "writing", "throw", "sit down"} <= set(ACTIONS)


def test_the_lists_of_actions_are_counted():
    sizes = group_table(CLAIMS.lists).set_index(["benchmark", "group"])["actions"]
    assert sizes.groupby("benchmark").sum().tolist() == [60, 60]
    assert sizes["ntu-60", "lower body"] == 6
    assert group_table([]).pivot(index="benchmark", columns="group", values="actions").empty
    with pytest.raises(UserError, match="unknown list of actions 'ntu60'; did you mean 'ntu-60'"):
        group_table(["ntu60"])


def write(path, **given):
    path.write_text(json.dumps(given))
    return path


def claim(name="X1", measure="cell", tables=("own/table",), arguments=None, **more):
    check = {"name": "n", "tables": tables, "measure": measure, "arguments": arguments or {"column": "a"}}
    check |= {key: more.pop(key) for key in ("at_least", "over") if key in more}
    return {"id": name, "claim": "c", "where": "w", "paper": "p", "figure": "own#f", "checks": [check], **more}


def test_files_of_two_papers_are_read_together(tmp_path):
    full = {"needs": {"Mars": {"datasets": [], "command": "go"}}, "otherwise": "Mars", "left_out": {"X2": "why"}}
    one = write(tmp_path / "one.json", claims=[claim()], lists=["ntu-60"], **full)
    two = write(tmp_path / "two.json", claims=[claim("Y1")])
    both = load_claims([one, two])
    assert [c.id for c in both.claims] == ["X1", "Y1"]
    assert [c.otherwise and c.otherwise.name for c in both.claims] == ["Mars", None]
    assert (both.left_out, both.lists, both.grid) == ({"X2": "why"}, ("ntu-60",), {})
    with pytest.raises(DataError, match="two claims are called Y1"):
        load_claims([two, two])


def test_what_a_file_may_say_besides(tmp_path):
    grid = {"split": ["test"], "n_windows": [4], "reduce": ["flatten"], "n_neighbors": [10, 20], "graph": ["nnk"]}
    past = {"bounds": {"date": "2026-01-02", "seen": True}}
    past |= {"history": [{"until": "2026-01-02", "wanted": "1", "why": "unfair"}], "otherwise": "Moon"}
    needs = {"Mars": {"datasets": [], "command": ""}, "Moon": {"datasets": [], "command": ""}}
    setting = {"name": "epochs", "card": "epochs_run", "paper": "80", "where": "Section 4", "same": 80}
    training = {"paper": "someone2020", "architecture": "stgcn", "settings": [setting]}
    one = {"claims": [claim(**past)], "grid": grid, "needs": needs, "otherwise": "Mars", **training}
    found = load_claims([write(tmp_path / "one.json", **one), write(tmp_path / "two.json", claims=[claim("Y1")])])
    (first, second) = found.claims
    assert (found.grid["n_neighbors"], first.bounds.seen, first.history[0].why) == ((10, 20), True, "unfair")
    assert (first.otherwise.name, first.source, second.source) == ("Moon", "someone2020", "")
    assert [(t.source, t.settings[0].same) for t in found.trainings] == [("someone2020", 80)]
    three = write(tmp_path / "three.json", claims=[claim("Z1")], grid=grid | {"n_windows": [1]})
    with pytest.raises(DataError, match="different grids"):
        load_claims([tmp_path / "one.json", three])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (claim(bounds={"date": "today", "seen": True}), "bounds.date' must be 10 to 10 characters"),
        (
            claim(bounds={"date": "2026-13-99", "seen": True}),
            "bounds are of a day such as 2026-11-26, got '2026-13-99'",
        ),
        (claim(ours=True), "claim X1: bounds of this book's own say when they were set, and if curves had been seen"),
        (claim(over={"k": [10]}), "claim X1: 'over' must name what was chosen, a text or a number for each column"),
        (
            claim(measure="cel"),
            "unknown measure for the table 'own/table' of claim X1 'cel'; did you mean 'cell'? choices: cell",
        ),
        (
            claim(measure="head_start"),
            "unknown measure for the table 'own/table' of claim X1 'head_start'",
        ),  # not of this table's study
        (claim(arguments={"row": 1}), "claim X1: measure 'cell': missing a required argument: 'column'"),
        (claim(colour="red"), "colour"),
        (claim(needs="Moon"), "unknown need in "),
        ({"id": "X1"}, "'claims.0' lacks 'checks'"),
        (claim(at_least="a"), "'claim X1.at_least' must be a finite number"),
        (claim(tables=[]), "tables' must be 1 to 10 entries"),
    ],
)
def test_a_file_that_is_no_list_of_claims_is_told(tmp_path, wrong, message):
    with pytest.raises(UserError, match=re.escape(message)):
        load_claims([write(tmp_path / "claims.json", claims=[wrong])])


def test_a_file_that_is_not_there_is_told():
    with pytest.raises(DataError, match=r"cannot read claims from .*nowhere"):
        load_claims(["nowhere.json"])
