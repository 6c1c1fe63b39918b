"""One typed parameter of a chapter: which values it takes, and what a text stands for."""

import ast
import math
from dataclasses import dataclass

from analysis_lib.errors import UserError, shown
from analysis_lib.loading import WHOLE

_SCALARS = {"int": int, "float": float, "str": str, "bool": bool}
_PLAIN = (*_SCALARS, "list[int]", "list[float]", "list[str]")

#: every type that a parameter may have
TYPES = (*_PLAIN, *(f"{plain} | None" for plain in _PLAIN))

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Parameter:
    """A name, one of `TYPES`, a default of that type, and one line of help."""

    name: str
    type: str
    default: object
    help: str

    def accepts(self, value: object) -> bool:
        """Return whether ``value`` is of the declared type (an int passes for a float).

        >>> k = Parameter("k", "list[float] | None", None, "")
        >>> k.accepts([1, 2.5]), k.accepts(None), k.accepts([True]), k.accepts(3)
        (True, True, False, False)
        """
        plain = self.type.removesuffix(" | None")
        if value is None:
            return plain != self.type
        if plain.startswith("list["):
            element = plain[5:-1]
            return isinstance(value, list | tuple) and all(_is_a(x, element) for x in value)
        return _is_a(value, plain)

    def convert(self, value: object, chapter: str) -> object:
        """Return ``value`` as the declared type; text is read as a command line gives it.

        A list is written ``1,2,3`` or ``[1, 2, 3]``, a truth value ``true`` or ``false``, and
        nothing ``none``.

        Raises
        ------
        UserError
            If the value is of another type; the message names parameter, chapter and type.

        Examples
        --------
        >>> Parameter("layers", "list[int]", [], "").convert("1,4,10", "smoothness")
        [1, 4, 10]
        """
        try:
            read = self._read(value.strip()) if isinstance(value, str) else value
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            read = ...
        if not self.accepts(read):
            raise UserError(f"parameter '{self.name}' of chapter '{chapter}' is {self.type}, got {shown(value)}")
        texts = [text for text in (read if isinstance(read, list | tuple) else [read]) if isinstance(text, str)]
        if any("\ud800" <= letter <= "\udfff" for letter in "".join(texts)):
            raise UserError(f"no notebook can hold a text that is not UTF-8, {shown(value)}; rename the file")
        if self.name == "seed" and read is not None and read < 0:
            raise UserError(f"a seed is a whole number from 0 on, got {read}")
        return _exact(read, self.type)

    def _read(self, text: str) -> object:
        """Return what ``text`` stands for, or raise ValueError or SyntaxError."""
        plain = self.type.removesuffix(" | None")
        if plain != self.type and text.lower() in ("none", "null"):
            return None
        if not plain.startswith("list["):
            return _read_scalar(text, plain)
        if text.startswith("["):
            return ast.literal_eval(text)
        return [_read_scalar(item.strip(), plain[5:-1]) for item in text.split(",") if item.strip()]


def _read_scalar(text: str, kind: str) -> object:
    if kind == "bool":
        return _TRUTH.get(text.lower(), ...)
    return _SCALARS[kind](text)


def _is_a(value: object, kind: str) -> bool:
    """Return whether a single value is of a scalar type; NaN, infinity and ints beyond 64 bits are of none."""
    if isinstance(value, bool):
        return kind == "bool"
    if isinstance(value, int) and abs(value) >= WHOLE:
        return False
    if kind == "float":
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, _SCALARS[kind])


def _exact(value: object, kind: str) -> object:
    """Return an accepted value with its ints made floats where floats are declared."""
    if isinstance(value, list | tuple):
        return [float(x) if "float" in kind else x for x in value]
    return float(value) if kind.startswith("float") and value is not None else value
