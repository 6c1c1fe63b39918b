"""Claims: the file is sound, every row leads somewhere, and verdicts follow from the tables."""

import inspect
import json
import re

import pandas as pd
import pytest
from docutils.nodes import make_id

from analysis_lib.chapters import recorded
from analysis_lib.chapters.chapter import load_chapter, table_of_contents
from analysis_lib.chapters.editions import load_edition
from analysis_lib.chapters.recorded import recorded_editions, recorded_table
from analysis_lib.datasets.readers.ntu_tables import ACTIONS
from analysis_lib.errors import DataError, UserError
from analysis_lib.studies.claims import tables as module
from analysis_lib.studies.claims.measures import Measured
from analysis_lib.studies.claims.tables import (
    FAILS,
    HOLDS,
    MISSING,
    UNTESTED,
    Check,
    claims_table,
    group_table,
    load_claims,
)

CLAIMS = load_claims("data/claims/geometry.json")
CHECKS = [(claim.id, check) for claim in CLAIMS.claims for check in claim.checks]
NEED = {"NTU": {"datasets": ["ntu-60"], "command": "stgbook run {chapter}"}}


def sources(chapter):
    return "\n".join("".join(cell["source"]) for cell in load_chapter(chapter).cells)


def test_every_statement_has_a_row_or_a_reason():
    rows = {claim.id.split(",")[0] for claim in CLAIMS.claims}
    assert rows | set(CLAIMS.left_out) == {f"G{n:02d}" for n in range(1, 32)}
    assert not rows & set(CLAIMS.left_out)
    assert len({claim.id for claim in CLAIMS.claims}) == len(CLAIMS.claims)


@pytest.mark.parametrize(("claim", "check"), CHECKS, ids=lambda x: x if isinstance(x, str) else "")
def test_a_check_names_what_exists(claim, check):
    for place in check.tables:
        chapter, _, name = place.partition("/")
        assert re.search(rf'\b{name}=|"{name}": ', sources(chapter))
    frames = [object()] * len(check.tables)
    inspect.signature(module.MEASURES[check.measure]).bind(*frames, **check.arguments)
    assert -float("inf") < check.at_least or check.at_most < float("inf")
    for edition in recorded_editions():
        found = [recorded_table(edition, *place.split("/")) for place in check.tables]
        if all(frame is not None for frame in found):
            module._measured(check, edition, [p.split("/")[0] for p in check.tables], {})


@pytest.mark.parametrize("claim", CLAIMS.claims, ids=lambda claim: claim.id)
def test_a_link_leads_to_a_figure_or_a_heading(claim):
    page, _, anchor = claim.figure.partition("#")
    assert f"book/{page}" in table_of_contents()
    cells = load_chapter(page).cells
    figures = [c["metadata"].get("mystnb", {}).get("figure", {}).get("name") for c in cells]
    headings = re.findall(r"^#+ (.*)$", sources(page), re.M)
    assert anchor in {*figures, *map(make_id, headings)}


def test_the_chapter_s_parameters_cover_all_that_is_read():
    parameters = load_edition("synthetic").parameters(load_chapter("claims"))
    read = {*parameters["chapters"], *parameters["trial_chapters"]}
    tables = {place.split("/")[0] for _, check in CHECKS for place in check.tables}
    assert tables - {"claims"} == read
    pages = table_of_contents()
    assert max(pages.index(f"book/{name}") for name in read) < pages.index("book/claims")


def test_commands_name_what_exists():
    for claim in CLAIMS.claims:
        command = module._untested(claim, claim.need or CLAIMS.needs["NTU"])["command"]
        for chapter, rest in re.findall(r"stgbook run (\w+)(.*)", command):
            given = dict(re.findall(r"-p (\w+) (\S+)", rest))
            edition = re.search(r"--edition (\S+)", rest)
            chosen = load_edition(edition[1] if edition else "synthetic")
            parameters = chosen.parameters(load_chapter(chapter), given)
            assert parameters == {**parameters, **given}
    assert {"drop", "brush teeth", "reading", "writing", "throw", "sit down"} <= set(ACTIONS)


def test_the_lists_of_actions_are_counted():
    sizes = group_table().set_index(["benchmark", "group"])["actions"]
    assert sizes.groupby("benchmark").sum().tolist() == [60, 60]
    assert sizes["ntu-60", "lower body"] == 6


def write(tmp_path, *claims, needs=NEED):
    path = tmp_path / "claims.json"
    path.write_text(json.dumps({"needs": needs, "left_out": {}, "claims": list(claims)}))
    return path


def claim(*bounds, **more):
    """Return a claim of a check for each pair of bounds, on column a, b, ... of one table."""
    checks = [
        {
            "name": c,
            "tables": ["own/table"],
            "measure": "cell",
            "at_least": low,
            "at_most": high,
            "arguments": {"column": c, "low": "low", "high": "high"},
        }
        for c, (low, high) in zip("ab", bounds, strict=False)
    ]
    return {"id": "X1", "claim": "c", "where": "w", "paper": "p", "figure": "own#f", "checks": checks, **more}


@pytest.fixture
def verdict(tmp_path, monkeypatch):
    """Return a function from claims to the one verdict on a record with a = 5 and b = 8."""
    monkeypatch.setattr(recorded, "PUBLISHED", tmp_path / "published")
    folder = tmp_path / "published" / "mine" / "own"
    folder.mkdir(parents=True)
    (folder / "table.csv").write_text("a,b,low,high\n5,8,4,9\n")
    (folder / "provenance.json").write_text(json.dumps({"data": {"name": "small"}}))

    def found(*claims, editions=("mine",), chapters=("own",)):
        table = claims_table(load_claims(write(tmp_path, *claims)), editions, chapters, {})
        return table.iloc[0]

    return found


@pytest.mark.parametrize(
    ("bounds", "expected", "clear"),
    [
        ([(0, 10), (0, 10)], HOLDS, True),
        ([(0, 6), (0, 10)], HOLDS, False),  # a holds, but its interval goes to 9
        ([(0, 10), (0, 3)], FAILS, True),  # b fails clearly
        ([(0, 3), (0, 10)], FAILS, True),
        ([(0, 4.5), (0, 10)], FAILS, False),
        ([(0, 4.5), (0, 3)], FAILS, True),  # one clear failure is enough
    ],
)
def test_a_claim_holds_if_all_its_checks_do(verdict, bounds, expected, clear):
    row = verdict(claim(*bounds))
    assert (row["verdict"], row["clear"]) == (expected, clear)
    assert (row["value"], row["low"], row["high"], row["command"]) == (5, 4, 9, "")


def test_without_an_interval_nothing_is_unclear():
    assert Check("n", (), "cell", at_least=3).is_clear(Measured(2))


def test_what_needs_other_data_is_measured_but_not_judged(verdict):
    row = verdict(claim((0, 10), needs="NTU"))
    assert (row["verdict"], row["without"], row["value"]) == (UNTESTED, "NTU", 5)
    assert row["command"] == "stgbook run own"
    assert verdict(claim((0, 10), needs="NTU", command="do"))["command"] == "do"


def test_on_the_data_that_it_needs_it_is_judged(verdict, monkeypatch):
    monkeypatch.setitem(NEED["NTU"], "datasets", ["small"])
    assert verdict(claim((0, 10), needs="NTU"))["verdict"] == HOLDS


def test_what_a_table_cannot_say_is_told_with_the_reason(verdict):
    one = claim((0, 10))
    one["checks"][0]["arguments"]["where"] = {"a": 7}
    row = verdict(one)
    assert (row["verdict"], row["note"]) == (UNTESTED, "no row with a = 7")
    assert pd.isna(row["value"])


def test_what_is_not_recorded_is_told_with_the_command(verdict):
    row = verdict(claim((0, 10)), editions=("new", "mine"))
    assert (row["verdict"], row["command"]) == (MISSING, "stgbook book --edition new")
    assert verdict(claim((0, 10)), chapters=())["verdict"] == MISSING


def test_another_edition_s_missing_record_is_made_by_recording(verdict, monkeypatch):
    monkeypatch.setattr(module, "recorded_editions", lambda: ["other"])
    table = claims_table(CLAIMS, ["mine", "other"], ["noise"], {})
    row = table[(table["id"] == "G31") & (table["edition"] == "other")].iloc[0]
    assert row["command"] == "stgbook book --edition other --record"


def test_an_unknown_edition_is_refused(verdict):
    with pytest.raises(UserError, match="unknown recorded edition 'mime'; did you mean 'mine'"):
        verdict(claim((0, 10)), editions=("new", "mime"))


def test_a_file_that_is_no_list_of_claims_is_told(tmp_path):
    wrong = claim((0, 1))
    wrong["checks"][0]["measure"] = "cel"
    with pytest.raises(UserError, match="unknown measure of claim X1 'cel'; did you mean 'cell'"):
        load_claims(write(tmp_path, wrong))
    with pytest.raises(DataError, match=r"claims\.json is no list of claims: .*colour"):
        load_claims(write(tmp_path, claim((0, 1), colour="red")))
    with pytest.raises(DataError, match=r"claims\.json is no list of claims: 'Moon'"):
        load_claims(write(tmp_path, claim((0, 1), needs="Moon")))
    with pytest.raises(DataError, match=r"cannot read claims from .*nowhere"):
        load_claims("nowhere.json")
