"""Files of claims: the book's own is sound and leads somewhere, others are read or refused."""

import json
import re
from contextlib import suppress
from math import inf

import pytest
from docutils.nodes import make_id

from analysis_lib.chapters.chapter import load_chapter, table_of_contents
from analysis_lib.chapters.editions import load_edition
from analysis_lib.chapters.recorded import recorded_editions, recorded_table
from analysis_lib.datasets.readers.ntu_tables import ACTIONS
from analysis_lib.errors import DataError, UserError
from analysis_lib.statistics import Estimate
from analysis_lib.studies.claims.findings import _untested
from analysis_lib.studies.claims.papers import load_claims
from analysis_lib.studies.claims.tables import group_table

PARAMETERS = load_edition("synthetic").parameters(load_chapter("claims"))
CLAIMS = load_claims([*PARAMETERS["records"], *PARAMETERS["more_records"]])
CHECKS = [(claim.id, check) for claim in CLAIMS.claims for check in claim.checks]


def test_every_statement_has_a_row_or_a_reason():
    rows = {claim.id.split(",")[0] for claim in CLAIMS.claims}
    statements = {"G": 31, "F": 14, "D": 12, "S": 21}  # of the four papers
    assert rows | set(CLAIMS.left_out) == {
        f"{paper}{n:02d}" for paper, most in statements.items() for n in range(1, most + 1)
    }
    assert not rows & set(CLAIMS.left_out)


@pytest.mark.parametrize(("claim", "check"), CHECKS, ids=lambda x: x if isinstance(x, str) else "")
def test_a_check_reads_what_chapters_record(claim, check):
    assert -inf < check.at_least or check.at_most < inf
    records = [[recorded_table(e, *place.split("/")) for place in check.tables] for e in recorded_editions()]
    whole = [frames for frames in records if all(frame is not None for frame in frames)]
    assert whole
    for frames in whole:
        with suppress(UserError):  # an action that this edition has not
            assert isinstance(check.measure(*frames, **check.arguments), Estimate)


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
            given = dict(re.findall(r"-p (\w+) (\S+)", rest))
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
    check |= {key: more.pop(key) for key in ("at_least",) if key in more}
    return {"id": name, "claim": "c", "where": "w", "paper": "p", "figure": "own#f", "checks": [check], **more}


def test_files_of_two_papers_are_read_together(tmp_path):
    full = {"needs": {"Mars": {"datasets": [], "command": "go"}}, "otherwise": "Mars", "left_out": {"X2": "why"}}
    one = write(tmp_path / "one.json", claims=[claim()], lists=["ntu-60"], **full)
    two = write(tmp_path / "two.json", claims=[claim("Y1")])
    both = load_claims([one, two])
    assert [c.id for c in both.claims] == ["X1", "Y1"]
    assert [c.otherwise and c.otherwise.name for c in both.claims] == ["Mars", None]
    assert (both.left_out, both.lists) == ({"X2": "why"}, ("ntu-60",))
    with pytest.raises(DataError, match="two claims are called Y1"):
        load_claims([two, two])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (claim(measure="cel"), "unknown measure of claim X1 'cel'; did you mean 'cell'? choices: cell"),
        (claim(measure="head_start"), "unknown measure of claim X1 'head_start'"),  # not of this table's study
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
