"""Numbers, names and verdicts as people read them: the only place where they become text on a page.

Minus signs are true ones, a thin space stands before the per cent sign, thousands have commas. A number has two
significant digits, or more where its interval is finer.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite, isnan

from analysis_lib.statistics.estimates import Estimate, Verdict

#: thin space, at which no line is broken
THIN = "\u202f"
#: digits of a power
RAISED = str.maketrans("0123456789-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")
UNKNOWN = "not defined"  # a number that is not finite
# what is markup in Markdown: at the start of a text, or anywhere; the last character of each is escaped
_MARKUP = re.compile(r"^\d+[.)](?=\s|$)|^[-+=:#%]|[\\`*_{}\[\]<>&$|~^@]|:(?=//)|www\.", re.IGNORECASE)
_FINEST = 6  # digits after the point; what is smaller is zero


def number(value: float, digits: int | None = None, signed: bool = False) -> str:
    """Return a number with so many digits after the point, or None: two significant ones; never minus zero.

    >>> number(-0.3141), number(0.2, signed=True), number(-1e-9), number(1484), number(1484, 0), number(0.0996)
    ('−0.31', '+0.20', '0', '1,500', '1,484', '0.10')
    """
    if not isfinite(value):
        return UNKNOWN
    digits = _digits(value) if digits is None else digits
    value = round(value, digits)
    sign = "+" if signed and value != 0 else ""
    return f"{value:{sign}z,.{max(digits, 0)}f}".replace("-", "−")


def plain(value: float) -> str:
    """Return a number that somebody chose, with as many digits as it has; a tiny one by its power of ten.

    >>> plain(2.50), plain(20), plain(1e-05), plain(-2.8e-16)
    ('2.5', '20', '10⁻⁵', '−2.8 × 10⁻¹⁶')
    """
    digits, _, power = f"{value:,g}".replace("-", "−").partition("e")
    if not power:
        return digits
    tens = "10" + f"{int(power.replace('−', '-'))}".translate(RAISED)
    return tens if digits == "1" else f"{digits} × {tens}"


def percent(share: float, digits: int | None = None) -> str:
    """Return a share in per cent; it is 100 % or 0 % only if it is all or nothing.

    >>> [percent(share).replace(THIN, " ") for share in (0.9353, 0.9996, 1 - 1e-12, 0.0312)]
    ['94 %', '99.96 %', '100 %', '3.1 %']
    """
    if not isfinite(share):
        return UNKNOWN
    digits = max(_digits(100 * share), 0) if digits is None else digits
    while digits < _FINEST and round(100 * share, _FINEST) < 100 == round(100 * share, digits):
        digits += 1
    return f"{number(100 * share, digits)}{THIN}%"


def points(difference: float, digits: int | None = None, signed: bool = True) -> str:
    """Return a difference of shares in percentage points.

    >>> points(-0.0126), points(0.0126), points(0.0126, signed=False)
    ('−1.3', '+1.3', '1.3')
    """
    return number(100 * difference, digits, signed)


def value_of(found: Estimate, written: Callable[..., str] = number) -> str:
    """Return a value to the digits that its interval supports, written by a function of this module.

    >>> value_of(Estimate(0.81534, 0.812, 0.818), percent).replace(THIN, " "), value_of(Estimate(0.0412, 0.01, 0.3))
    ('81.5 %', '0.04')
    """
    return written(found.value, _digits_of(found, written))


def estimate(found: Estimate, written: Callable[..., str] = number) -> str:
    """Return a value and its interval, if it has one, each written by one function of this module.

    >>> estimate(Estimate(0.31, -0.2, 0.42)), estimate(Estimate(0.5)), estimate(Estimate(8, 8, 8))
    ('0.31 (−0.20 to 0.42)', '0.50', '8.0')
    >>> estimate(Estimate(0.1529, 3e-9, 0.3058)), estimate(Estimate(2e-9, 1e-9, 3e-9))
    ('0.15 (0.00 to 0.31)', '0 (0 to 0)')
    """
    if isnan(found.value) or not found.low < found.high:
        return written(found.value)
    digits = _digits_of(found, written)
    return f"{written(found.value, digits)} ({written(found.low, digits)} to {written(found.high, digits)})"


def moves(
    change: float, written: Callable[..., str] = number, rise: str = "rises", fall: str = "falls", unit: str = ""
) -> str:
    """Return which way something goes and how far, by the sign of its change.

    >>> moves(-0.06), moves(0.15), moves(0.0), moves(float("nan")), moves(-0.3, points, unit=" points")
    ('falls by 0.060', 'rises by 0.15', 'does not change', 'cannot be followed', 'falls by 30 points')
    """
    if isnan(change):
        return "cannot be followed"
    if number(change) == "0":
        return "does not change"
    return f"{rise if change > 0 else fall} by {written(abs(change)).lstrip('+')}{unit}"


def moved(found: Estimate, written: Callable[..., str] = number, unit: str = "") -> str:
    """Return which way something goes and how far, with the interval counted that way; of an open way, with signs.

    >>> moved(Estimate(-0.23, -0.33, -0.14)), moved(Estimate(0.28, 0.14, 0.42), points, " points")
    ('falls by 0.23 (0.14 to 0.33)', 'rises by 28 points (14 to 42)')
    >>> moved(Estimate(-0.031, -0.13, 0.066)), moved(Estimate(0.031)), moved(Estimate(float("nan")))
    ('changes by −0.03 (−0.13 to 0.07)', 'rises by 0.031', 'cannot be followed')
    """
    if isnan(found.value):
        return "cannot be followed"
    falls = found.value < 0
    way = "changes" if found.low <= 0 <= found.high else "falls" if falls else "rises"
    shown = -found if way == "falls" else found
    size, *interval = estimate(shown, written).split(" ", 1)
    text = f"{way} by {' '.join([f'{size}{unit}', *interval])}"
    return text if way == "changes" else text.replace("+", "")


def says_nothing(sentence: str) -> bool:
    """Return whether an answer says that there is none: all of these begin alike.

    >>> says_nothing("Nothing can be said, as there is no claim."), says_nothing("No one layer can be named.")
    (True, False)
    """
    return sentence.startswith("Nothing can be said")


def judged(verdict: Verdict) -> str:
    """Return a verdict as the end of a sentence, "that it rises ...".

    >>> judged(Verdict.HOLDS), judged(Verdict.UNDECIDED)
    ('holds', 'is undecided')
    """
    return "is undecided" if verdict == Verdict.UNDECIDED else str(verdict)


def name_of(name: object) -> str:
    r"""Return the name of a class, group, dataset, joint or file as it stands in a sentence: all names pass here.

    It is text, whatever characters it has: no emphasis, link, formula or element of Markdown.

    >>> print(name_of(" sit  down "), name_of(""), name_of("<b>*$x_1$"))
    sit down unnamed \<b\>\*\$x\_1\$
    """
    return _MARKUP.sub(lambda m: f"{m[0][:-1]}\\{m[0][-1]}", " ".join(str(name).split())) or "unnamed"


def anchor_of(name: object) -> str:
    """Return a name as the place in a page that a link leads to.

    >>> anchor_of("G28, remark")
    'G28-remark'
    """
    return re.sub(r"\W+", "-", str(name)).strip("-")


def code_of(text: object) -> str:
    """Return a name, or what was typed, in the letters of code.

    >>> code_of("n = 3")
    '<code>n = 3</code>'
    """
    return f"<code>{name_of(text)}</code>"


def named(names: Iterable, none: str = "none") -> str:
    """Return names as people list them.

    >>> named(["sit", ""]), named([])
    ('sit and unnamed', 'none')
    """
    return listed(map(name_of, names), none)


def marked(names: Iterable) -> str:
    """Return names of actions as people list them, each in italics, so that one sees where a name ends.

    >>> marked(["sit down", "drop"]), marked([])
    ('*sit down* and *drop*', '')
    """
    return listed((f"*{name_of(name)}*" for name in names), none="")


def listed(names: Iterable, none: str = "none") -> str:
    """Return things as people list them.

    >>> listed([5, 10, 20]), listed(["sit"]), listed([])
    ('5, 10 and 20', 'sit', 'none')
    """
    *most, last = [*map(str, names)] or [none]
    return f"{', '.join(most)} and {last}" if most else last


def surely(lower: tuple[int, ...], higher: tuple[int, ...]) -> str:
    """Return at which layers something is surely lower or higher than something else.

    >>> surely((9, 10), ()), surely((), ())
    ('surely lower at layers 9 and 10', 'at no layer surely lower or higher')
    """
    sides = at_layers({"lower": lower, "higher": higher})
    return f"surely {sides}" if sides else "at no layer surely lower or higher"


def at_layers(sides: Mapping[str, Sequence[int]]) -> str:
    """Return what is found at which layers, without what is found at none.

    >>> at_layers({"more": (4,), "less": (1, 2, 3)}), at_layers({"more": ()})
    ('more at layer 4 and less at layers 1 to 3', '')
    """
    return " and ".join(f"{what} at {layers_of(layers)}" for what, layers in sides.items() if layers)


def layers_of(layers: Sequence[int]) -> str:
    """Return layers, runs of three or more by their ends.

    >>> layers_of((1, 3, 4, 5, 7, 8)), layers_of((2,))
    ('layers 1, 3 to 5, 7 and 8', 'layer 2')
    """
    runs: list[list[int]] = []
    for layer in layers:
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    parts = [[f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run) for run in runs]
    return f"{'layer' if len(layers) == 1 else 'layers'} {listed([part for run in parts for part in run])}"


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
    ('83×', '8.2×', '1,100×')
    """
    return f"{number(times)}×"


def _exponent(value: float, digits: int) -> int:
    """Return the power of ten of a number's first digit, once it has so many digits."""
    return int(f"{value:.{digits - 1}e}".partition("e")[2])


def _digits(value: float) -> int:
    """Return the place of the second significant digit, counted from the point."""
    return 0 if round(value, _FINEST) == 0 else min(1 - _exponent(value, 2), _FINEST)


def _digits_of(found: Estimate, written: Callable[..., str]) -> int | None:
    """Return the digits that tell a value from the ends of its interval, and an end that is not zero from zero."""
    scale = 1 if written is number else 100
    value, low, high = (scale * x for x in (found.value, found.low, found.high))
    if not (isfinite(value) and isfinite(high - low) and round(high - low, _FINEST) > 0):
        return None
    digits = max(_digits(max(map(abs, (value, low, high)))), min(-_exponent((high - low) / 2, 1), _FINEST))
    while digits < _FINEST and any(round(x, _FINEST) and not round(x, digits) for x in (low, high)):
        digits += 1
    return max(digits, 0) if written is percent else digits
