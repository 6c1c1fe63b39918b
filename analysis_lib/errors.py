"""Errors that are the user's to mend: one clear line each, never a traceback."""

import re
import reprlib
from collections.abc import Iterable
from difflib import get_close_matches

#: characters of anything that was given, as far as an error repeats it
ECHO = 200
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # of a terminal

#: characters of an error
_LINE = 1000


class UserError(ValueError):
    """Something that the user asked for cannot be done; the message says what and how to mend it.

    Whatever names and values it repeats, it is one line that can be printed, and no longer than a person reads.

    >>> str(UserError("a\\n b\\0\\ud800")), len(str(UserError("x" * 10**6)))
    ('a b\\\\x00\\\\ud800', 201)
    """

    def __init__(self, message: object = ""):
        super().__init__(one_line(message))


def one_line(text: object) -> str:
    """Return a text on one line that can be printed; of words and lines that are too long, both ends."""
    line = " ".join(filter(None, map(str.strip, str(text).splitlines())))
    line = re.sub(rf"\S{{{ECHO + 1},}}", lambda word: _shortened(word[0], ECHO), line)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in _shortened(line, _LINE))


def _shortened(text: str, most: int) -> str:
    """Return the beginning and the end of a text that is longer."""
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-most // 2 :]}"


class DataError(UserError):
    """Data that are missing, damaged, or not what their name promises."""


def cut(text: object, most: int = ECHO) -> str:
    """Return a text on one line, cut where it is longer than ``most`` characters.

    >>> cut("a\\n \\x1b[1mb"), cut("x" * 300, 5)
    ('a b', 'xxxxx… (300 characters)')
    """
    whole = str(text)
    line = " ".join(_COLOUR.sub("", whole[: 4 * most]).split())
    return line if len(line) <= most and len(whole) <= 4 * most else f"{line[:most]}… ({len(whole)} characters)"


def shown(value: object) -> str:
    """Return what an error repeats of a value: as Python writes it, whatever its size, depth or contents.

    >>> shown("a"), shown(10**5000), shown([[[[[1]]]]])
    ("'a'", 'a whole number of 16610 bits', '[[[[[...]]]]]')
    """
    if isinstance(value, int) and value.bit_length() > 256:
        return f"a whole number of {value.bit_length()} bits"
    return cut(_SHORT.repr(value))


class _Short(reprlib.Repr):
    """Few entries of few levels, so that nothing blows up when it is written."""

    def repr_int(self, x, level):
        return shown(x) if x.bit_length() > 256 else repr(x)


_SHORT = _Short()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 4, ECHO, ECHO


def unknown_choice(kind: str, given: object, choices: Iterable[str]) -> UserError:
    """Return the error for a name that does not exist: every choice, and the closest match.

    Examples
    --------
    >>> str(unknown_choice("layout", "ntu25", ["ntu-25", "kinect-20"]))
    "unknown layout 'ntu25'; did you mean 'ntu-25'? choices: kinect-20, ntu-25"
    """
    name = cut(given, 60) if isinstance(given, str) else shown(given)
    names = sorted(choices)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean '{cut(close[0], 60)}'?" if close else ";"
    return UserError(f"unknown {kind} '{name}'{hint} choices: {cut(', '.join(names) or 'none', 300)}")
