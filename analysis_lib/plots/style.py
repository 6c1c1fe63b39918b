"""The house style: sizes that are legible at the width of a page, and colours that all can tell.

Every colour has a second sign beside it (marker, dash, shape), so that no figure speaks through
hue alone.
"""

import re
import sys
from collections.abc import Iterable, Sequence

import matplotlib as mpl
import seaborn as sns
from cycler import cycler
from matplotlib.scale import LogScale, register_scale
from matplotlib.ticker import LogFormatterSciNotation, PercentFormatter

from analysis_lib.errors import UserError
from analysis_lib.words import RAISED, THIN

#: Width of a figure in inches; text is set at 8 to 10 points for it.
WIDTH = 7.0

#: Okabe & Ito's palette, in the order in which names without a colour of their own take them.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#222222")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))

#: Colours of the super-classes wherever they occur.
GROUP_COLOURS = {"upper body": COLOURS[0], "lower body": COLOURS[1], "full body": COLOURS[2], "all": "#555555"}

POSITIVE, NEGATIVE, ZERO = "#009E73", "#D55E00", "#0072B2"
LEFT, RIGHT, MIDDLE = "#6BA3C7", "#D79A63", "#8A8A8A"
SEQUENTIAL = "mako_r"
INK, FAINT = "#222222", "#C9C9C9"

#: of the axis that most figures share
Y_LABEL = "label variation 𝑞"


def use_style() -> None:
    """Set the house style for all figures drawn from now on; in a notebook, sharp PNG too.

    Fonts are the ones that come with matplotlib, so that every machine draws the same picture. All
    text is drawn as it stands, as names of classes may hold a ``$``: symbols are letters of Unicode.
    """
    register_scale(_PlainLog)
    sns.set_theme(context="paper", style="ticks")
    mpl.rcParams.update(
        {
            "figure.figsize": (WIDTH, 0.55 * WIDTH),
            "figure.dpi": 110,
            "figure.constrained_layout.use": True,
            "savefig.dpi": 220,
            "svg.hashsalt": "stgbook",
            "font.family": ["DejaVu Sans", "DejaVu Serif"],  # the second has the italics of symbols
            "text.parse_math": False,
            "font.size": 9,
            "axes.labelsize": 9,
            "axes.titlesize": 9.5,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "axes.prop_cycle": cycler(color=COLOURS),
            "xtick.labelsize": 8,
            "ytick.labelsize": 8,
            "legend.fontsize": 8,
            "legend.frameon": False,
            "lines.linewidth": 1.6,
            "grid.color": "#E6E6E6",
            "grid.linewidth": 0.6,
        }
    )
    # only a running IPython is configured; none is started, or imported, for the purpose
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("retina")


class Powers(LogFormatterSciNotation):
    """Labels such as 10⁻² and 2×10³, without mathtext."""

    def __call__(self, x, pos=None) -> str:
        text = super().__call__(x, pos).replace("$\\mathdefault{", "").replace("}$", "").replace(r"\times", "×")
        return re.sub(r"\^\{([^}]*)\}?", lambda power: power[1].translate(RAISED), text)


class _PlainLog(LogScale):
    """The scale "log" with such labels."""

    def __init__(self, **options):
        super().__init__(None, **options)

    def set_default_locators_and_formatters(self, axis) -> None:
        super().set_default_locators_and_formatters(axis)
        axis.set_major_formatter(Powers(self.base))
        axis.set_minor_formatter(Powers(self.base, labelOnlyBase=self.subs is not None))


def group_styles(names: Iterable[str]) -> dict[str, dict]:
    """Return colour, marker and dash for each super-class name, in order.

    Names of `GROUP_COLOURS` keep their colour whatever else is drawn; others take the remaining
    colours in turn, and shades of one more palette once those are used up.

    Examples
    --------
    >>> styles = group_styles(["jumps", "upper body"])
    >>> styles["upper body"]["color"], styles["jumps"]["color"]
    ('#0072B2', '#CC79A7')
    """
    names = list(dict.fromkeys(names))
    known = list(GROUP_COLOURS)
    others = [name for name in names if name not in GROUP_COLOURS]
    free = [c for c in COLOURS if c not in GROUP_COLOURS.values()]
    extra = sns.husl_palette(max(len(others) - len(free), 0), s=0.7, l=0.5).as_hex()
    colours = GROUP_COLOURS | dict(zip(others, [*free, *extra], strict=False))
    place = {name: i for i, name in enumerate([*known[:3], *others])}
    return {
        name: {
            "color": colours[name],
            "marker": MARKERS[place.get(name, 0) % len(MARKERS)],
            "linestyle": DASHES[place.get(name, 0) % len(DASHES)],
        }
        for name in names
    }


def percent_axis(axis) -> None:
    """Write an axis of shares in per cent, as sentences do."""
    axis.set_major_formatter(PercentFormatter(1, symbol=f"{THIN}%"))


def layer_axis(ax, layers: Sequence, label: str = "layer", most: int = 30) -> None:
    """Give the x axis one tick a layer, at 1..L, with the layers' names.

    Names that do not fit side by side are turned; where there are more than ``most``, only some
    are written.

    Parameters
    ----------
    ax : matplotlib Axes
        What is drawn on it has layer i (from 1) at x = i.
    layers : sequence of str or int, length L
    label : str
    """
    names = [str(layer) for layer in layers]
    if not names:
        raise UserError("layer_axis needs at least one layer")
    step = -(-len(names) // most)
    ticks = range(1, len(names) + 1, step)
    turned = max(map(len, names)) * len(names[::step]) > 60
    ax.set_xticks(
        list(ticks),
        names[::step],
        rotation=45 if turned else 0,
        ha="right" if turned else "center",
        rotation_mode="anchor",
    )
    ax.set_xlim(0.6, len(names) + 0.4)
    ax.set_xlabel(label)
