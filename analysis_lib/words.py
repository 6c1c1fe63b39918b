"""Numbers as people read them: the only place where a number becomes text on a page.

Minus signs are true ones, a thin space stands before the per cent sign, thousands have commas.
"""

from collections.abc import Callable, Iterable
from math import isnan

from analysis_lib.statistics import Estimate

#: narrow no-break space
THIN = "\u202f"


def number(value: float, digits: int | None = 2, signed: bool = False) -> str:
    """Return a number with so many digits after the point, or None: as many as it needs; never minus zero.

    >>> number(-0.3141), number(0.2, signed=True), number(-0.001), number(1484, 0), number(2.50, None)
    ('−0.31', '+0.20', '0.00', '1,484', '2.5')
    """
    sign = "+" if signed and round(value, digits) != 0 else ""
    form = "g" if digits is None else f".{digits}f"
    return f"{value:{sign}z,{form}}".replace("-", "−")


def percent(share: float, digits: int | None = 1) -> str:
    """Return a share in per cent.

    >>> percent(0.9353).replace(THIN, " ")
    '93.5 %'
    """
    return f"{number(100 * share, digits)}{THIN}%"


def points(difference: float, digits: int = 1, signed: bool = True) -> str:
    """Return a difference of shares in percentage points.

    >>> points(-0.0126), points(0.0126), points(0.0126, signed=False)
    ('−1.3', '+1.3', '1.3')
    """
    return number(100 * difference, digits, signed)


def estimate(found: Estimate, written: Callable[[float], str] = number) -> str:
    """Return a value and its interval, if it has one, each written by one function of this module.

    >>> estimate(Estimate(0.31, -0.2, 0.42)), estimate(Estimate(0.5))
    ('0.31 (−0.20 to 0.42)', '0.50')
    """
    if isnan(found.low):
        return written(found.value)
    return f"{written(found.value)} ({written(found.low)} to {written(found.high)})"


def listed(names: Iterable, none: str = "none") -> str:
    """Return things as people list them.

    >>> listed([5, 10, 20]), listed(["sit"]), listed([])
    ('5, 10 and 20', 'sit', 'none')
    """
    *most, last = [*map(str, names)] or [none]
    return f"{', '.join(most)} and {last}" if most else last


def counted(count: int, thing: str, plural: str = "") -> str:
    """Return how many there are of something.

    >>> counted(1, "clip"), counted(1484, "clip"), counted(2, "body", "bodies")
    ('1 clip', '1,484 clips', '2 bodies')
    """
    return f"{count:,} {thing if count == 1 else plural or thing + 's'}"


def duration(seconds: float) -> str:
    """Return a time: to three digits below a minute.

    >>> duration(0.00812), duration(0.1), duration(59.7), duration(75), duration(7260)
    ('8.12 ms', '100 ms', '59.7 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 59.95:
        value, unit = (seconds, "s") if seconds >= 0.9995 else (1000 * seconds, "ms")
        return f"{f'{value:#.3g}'.rstrip('.')} {unit}"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def ratio(times: float) -> str:
    """Return how many times as much something is.

    >>> ratio(83.4), ratio(8.21), ratio(1111)
    ('83x', '8.2x', '1,111x')
    """
    return f"{number(times, 0 if times >= 9.95 else 1)}x"
