"""Names are text in every dialect of Markdown that shows them."""

import re
from html import unescape

import mistune
import pytest
from hypothesis import given
from hypothesis import strategies as st
from myst_parser.config.main import MdParserConfig
from myst_parser.mdit_to_docutils.base import DocutilsRenderer
from myst_parser.parsers.mdit import create_md_parser

from analysis_lib.words import code_of, name_of

EXTENSIONS = {"amsmath", "colon_fence", "deflist", "dollarmath", "html_image", "strikethrough", "tasklist"}
PIECES = [*"!\"#$%&'()*+,-./0:;<=>?@[\\]^_`{|}~ \n\té", "a", "1. a", "www.", "http://x.y", "<img src=x onerror=f()>"]
PIECES += ["{cite}`a`", "$$", ":::", "&lt;", "\\(", "\\begin{align}", "](x)", "a@b.cd", "***", "---", "</code>"]

myst = create_md_parser(MdParserConfig(enable_extensions=EXTENSIONS), DocutilsRenderer)
gfm = mistune.create_markdown(
    escape=False, plugins=["strikethrough", "table", "url", "task_lists", "footnotes", "math"]
)


def tokens(text):
    """Return kind and level of what MyST makes of a text, and the text that remains."""
    found = myst.parse(text)
    flat = [token for outer in found for token in (outer, *(outer.children or []))]
    texts = ("text", "text_special", "softbreak")
    kinds = [(token.type, token.content * (token.type == "html_inline")) for token in flat if token.type not in texts]
    return kinds, "".join(token.content for token in flat if token.type in texts)


@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
@pytest.mark.parametrize("place", ["{}", "**Answer.** Of *{}* all.", "| a | {} |\n|---|---|\n| {} | b |", "- {} (1)"])
@pytest.mark.parametrize("written", [name_of, code_of])
def test_a_name_is_text(written, place, name):
    said = " ".join(name.split()) or "unnamed"
    kinds, text = tokens(place.replace("{}", written(name)))
    plain_kinds, plain_text = tokens(place.replace("{}", written("plain")))
    assert [kind for kind, _ in kinds] == [kind for kind, _ in plain_kinds]
    assert text == plain_text.replace("plain", said)
    pages = [gfm(place.replace("{}", written(one))) for one in (name, "plain")]
    tags = [re.findall(r"<[^>]*>", page) for page in pages]
    assert tags[0] == tags[1]
    assert unescape(pages[0]) == unescape(pages[1]).replace("plain", said)
