"""Errors that are the user's to mend: one clear line each, never a traceback."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """Something that the user asked for cannot be done; the message says what and how to mend it."""


class DataError(UserError):
    """Data that are missing, damaged, or not what their name promises."""


def unknown_choice(kind: str, given: str, choices: Iterable[str]) -> UserError:
    """Return the error for a name that does not exist: every choice, and the closest match.

    Examples
    --------
    >>> str(unknown_choice("layout", "ntu25", ["ntu-25", "kinect-20"]))
    "unknown layout 'ntu25'; did you mean 'ntu-25'? choices: kinect-20, ntu-25"
    """
    names = sorted(choices)
    close = get_close_matches(str(given), names, n=1, cutoff=0.5)
    hint = f"; did you mean '{close[0]}'?" if close else ";"
    return UserError(f"unknown {kind} '{given}'{hint} choices: {', '.join(names) or 'none'}")
