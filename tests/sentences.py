"""What every sentence of every study must be, whatever the table: the one checker of all property tests."""

import re

_HOLES = re.compile(r"\b(nan|inf|None|NaT)\b|\[\]|\(\)|  | [.,;:]|\.\.|[,;:]\.|^$|- ?\*\*")
_SYMBOLS = re.compile(r"[()\[\]{}<>=|^~_`*+×±]|\d\s*-\s*\d")
_NAMES = re.compile(r"\*(\w[^*]*)\*")
_ONE = re.compile(r"(?<![\d.,−–])\b1 (clips|layers|actions|pairs|points|people|intervals|claims|steps|comparisons)\b")


def check(text):
    """Assert that a text has no hole, no stray space, no minus of a typewriter, and its singulars right."""
    for line in filter(None, text.splitlines()):
        assert not _HOLES.search(line), line
        assert not _ONE.search(line), line
        assert not re.search(r"(?<![\w)])-\d", line), line
        assert not re.search(r"\d ?%(?<!\u202f%)", line), line
        assert not re.search(r"\([^)]*\(", line), line


def check_answer(text):
    """Assert that a text is a page's answer: one plain sentence of 45 words at most, without bracket or symbol.

    Names of actions are in italics.
    """
    check(text)
    assert len(text.split()) <= 45, text
    assert text.endswith("."), text
    assert not re.search(r"[.!?] [A-Z]", text), text
    assert not _SYMBOLS.search(_NAMES.sub(r"\1", text)), text


def check_all(answer, *texts):
    """Check an answer and further texts, whose sentences have 30 words at most."""
    check_answer(answer)
    for text in texts:
        check(text)
        for sentence in re.split(r"[.:;?] |\n", text):
            assert len(sentence.split()) <= 30, sentence


def answered(words, found):
    """Return a study's answer and the verdicts behind it, for its snapshot."""
    return "\n".join([words.answer(found), *(f"- {verdict}: {text}" for verdict, text in words.verdicts(found))])
