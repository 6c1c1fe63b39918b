"""The door by which files come in: what leaves it is of the kind that was asked for, or it was one line of error.

What a JSON file must look like is said by annotations, those of the very dataclass or function that
takes its entries, or of a `TypedDict`, which may have further entries::

    @dataclass(frozen=True)
    class Recipe:
        epochs: Annotated[int, Within(1, 1000)] = 60
        schedule: Literal["cosine", "step"] = "cosine"

    recipe = checked(read_json("mine.json"), Recipe, "mine.json")
"""

import hashlib
import io
import json
import math
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from functools import lru_cache
from inspect import Parameter, isclass, signature
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import numpy as np

from analysis_lib.errors import DataError, UserError, cut, shown, unknown_choice
from analysis_lib.files import open_plain

TEXT_LIMIT = 2**26  # bytes of a file of text
DEPTH = 32  # levels of lists and mappings where any value will do
WHOLE = 2**63  # whole numbers are smaller

#: a zip that would unpack to more bytes than this, and to more than so many times its size, is refused
UNPACKED, RATIO = 2**24, 200

_SCALARS = {str: "text", int: "a whole number", float: "a finite number", bool: "true or false"}


@dataclass(frozen=True)
class Within:
    """The range of a number, or of the number of characters or entries; both ends belong to it."""

    low: float = -math.inf
    high: float = math.inf

    def verify(self, value: object, where: str) -> None:
        """Raise DataError unless the value is within."""
        number = value if isinstance(value, int | float) else len(value)
        if not self.low <= number <= self.high:
            what = "" if number is value else " characters" if isinstance(value, str) else " entries"
            bounds = f"{self.low:g} to {self.high:g}" if self.high < math.inf else f"at least {self.low:g}"
            raise DataError(f"{where} must be {bounds}{what}, got {shown(number)}")


Name = Annotated[str, Within(1, 200)]


def read_bytes(path: str | Path, what: str = "", most: float = math.inf) -> bytes:
    """Return the contents of a plain file.

    Parameters
    ----------
    what : str
        What the error calls it.
    most : int
        Bytes that it may have.

    Raises
    ------
    DataError
        If it cannot be read, is no plain file, or is larger.
    """
    try:
        with open_plain(path) as handle:
            size = handle.seek(0, io.SEEK_END)
            handle.seek(0)
            if size > most:
                raise DataError(f"{path} has {size} bytes, more than the {most} that are read")
            return handle.read()
    except OSError as error:
        raise DataError(f"cannot read {what}{' ' if what else ''}{path}: {error.strerror or error}") from error


def read_json(path: str | Path, what: str = "") -> object:
    """Return what a JSON file holds; see `parse_json` and `checked`."""
    return parse_json(read_bytes(path, what, TEXT_LIMIT), path)


def parse_json(raw: bytes | str, where: str | Path) -> object:
    """Return what JSON text stands for, in UTF-8 with or without a byte order mark.

    Raises
    ------
    DataError
        If it is not JSON, nested too deeply, or has a number that is too long.

    Examples
    --------
    >>> parse_json(b"\\xef\\xbb\\xbf[1]", "a.json")
    [1]
    """
    try:
        return json.loads(raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw)
    except RecursionError as error:
        raise DataError(f"{where} is nested too deeply for JSON of ours") from error
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are such
        raise DataError(f"{where} is not valid JSON: {cut(error)}; is the file cut off?") from error


def checked(value: object, kind: object, file: str | Path, at: str = ""):
    """Return a value as an annotation wants it, or raise the one line that says where it does not fit.

    Lists become the tuples that are wanted, mappings the dataclasses; ints pass for floats. Numbers
    must be finite, and whole ones below 2^63.

    Parameters
    ----------
    kind : annotation
        Scalars, ``Literal``, ``X | None``, ``tuple``, ``list``, ``Sequence``, ``Mapping``, ``object``,
        ``TypedDict``, a dataclass, any of them with a rule such as `Within` in ``Annotated``.
    file : str or Path
        What errors begin with.
    at : str
        The entry within the file.

    Raises
    ------
    DataError

    Examples
    --------
    >>> checked([1, 2.5], tuple[Annotated[float, Within(0, 2)], ...], "a.json", "lengths")
    Traceback (most recent call last):
    analysis_lib.errors.DataError: a.json: 'lengths.1' must be 0 to 2, got 2.5
    """
    origin, arguments, where = get_origin(kind), get_args(kind), f"{file}: '{cut(at)}'" if at else str(file)
    wrong = lambda wanted: DataError(f"{where} must be {wanted}, got {shown(value)}")  # noqa: E731
    if origin is Annotated:
        value = checked(value, arguments[0], file, at)
        for rule in arguments[1:]:
            rule.verify(value, where)
        return value
    if origin in (Required, NotRequired):
        return checked(value, arguments[0], file, at)
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        return checked(value, next(choice for choice in arguments if choice is not NoneType), file, at)
    if origin is Literal:
        if not isinstance(value, str) or value not in arguments:
            raise DataError(f"{where}: {unknown_choice('choice', value, arguments)}")
        return value
    if kind in (object, Any):
        return _plain(value, file, at)
    if kind in _SCALARS:
        if not _is_a(value, kind):
            raise wrong(_SCALARS[kind])
        return value
    if origin is Callable or kind is Callable or origin is get_origin(Callable[[], None]):
        if not callable(value):
            raise wrong("a function")
        return value
    if origin in (tuple, list, Sequence):
        if not isinstance(value, list | tuple):
            raise wrong("a list")
        kinds = arguments
        if origin is not tuple or arguments[-1] is Ellipsis:
            kinds = (arguments[0],) * len(value)
        if len(kinds) != len(value):
            raise wrong(f"a list of {len(kinds)} entries")
        entries = [checked(v, k, file, _below(at, i)) for i, (v, k) in enumerate(zip(value, kinds, strict=True))]
        return tuple(entries) if origin is tuple else entries
    if is_dataclass(kind) and isinstance(value, kind):
        return value
    if not isinstance(value, Mapping):
        raise wrong("an object, {...}")
    if origin in (dict, Mapping):
        return {_key(key, where): checked(v, arguments[1], file, _below(at, key)) for key, v in value.items()}
    if is_typeddict(kind):
        _complete(kind.__required_keys__, value, where)
        hints = _hints(kind)
        return {_key(key, where): checked(v, hints.get(key, object), file, _below(at, key)) for key, v in value.items()}
    if not is_dataclass(kind):
        raise TypeError(f"no rule for {kind}")
    given = checked_arguments(kind, value, file, at)
    try:
        return kind(**given)
    except UserError as error:
        raise DataError(f"{where}: {error}") from error


def checked_arguments(function: Callable, given: Mapping, file: str | Path, at: str = "", own: int = 0) -> dict:
    """Return the keyword arguments of a function, or of a class, as its annotations want them.

    Parameters
    ----------
    own : int
        How many of the function's first arguments come from elsewhere. One that takes any, ``**rest``, gets any.

    Raises
    ------
    DataError
        If one is unknown (the choices are listed), missing, or does not fit.
    """
    where = f"{file}: '{cut(at)}'" if at else str(file)
    if not isinstance(given, Mapping):
        raise DataError(f"{where} must be an object, {{...}}, got {shown(given)}")
    known = dict(list(signature(function).parameters.items())[own:])
    rest = [known.pop(name) for name, p in list(known.items()) if p.kind is Parameter.VAR_KEYWORD]
    if unknown := [key for key in given if key not in known and not rest]:
        raise DataError(f"{file}: {unknown_choice(f'entry of {at}' if at else 'entry', unknown[0], known)}")
    _complete([name for name, p in known.items() if p.default is Parameter.empty], given, where)
    hints = _hints(function)
    return {key: checked(value, hints.get(key, object), file, _below(at, key)) for key, value in given.items()}


@lru_cache
def _hints(kind: object) -> Mapping[str, object]:
    takes = kind.__init__ if isclass(kind) and not (is_dataclass(kind) or is_typeddict(kind)) else kind
    return get_type_hints(takes, include_extras=True)


def _complete(wanted: Iterable[str], given: Mapping, where: str) -> None:
    if absent := sorted(set(wanted) - set(given)):
        raise DataError(f"{where} lacks '{absent[0]}'")


def _below(at: str, key: object) -> str:
    return f"{at}.{key}" if at else str(key)


def _key(key: object, where: str) -> str:
    if not _is_a(key, str):
        raise DataError(f"{where} has the key {shown(key)}; keys are text")
    return key


def _is_a(value: object, kind: type) -> bool:
    """Return whether a value is of a scalar type, and one that can be written, compared and computed with."""
    if kind is str:
        return isinstance(value, str) and "\0" not in value and (value.isascii() or not _has_surrogate(value))
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if isinstance(value, int):
        return abs(value) < WHOLE
    return kind is float and isinstance(value, float) and math.isfinite(value)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _plain(value: object, file: str | Path, at: str, depth: int = 0):
    """Return a value of any kind that JSON has, each part of it sound."""
    if depth > DEPTH:
        raise DataError(f"{file}: '{cut(at)}' is nested more than {DEPTH} levels deep")
    if isinstance(value, Mapping):
        return {_key(k, str(file)): _plain(v, file, _below(at, k), depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v, file, _below(at, i), depth + 1) for i, v in enumerate(value)]
    if value is not None and not any(_is_a(value, kind) for kind in _SCALARS):
        raise DataError(f"{file}: '{cut(at)}' must be text, a finite number, true, false or null, got {shown(value)}")
    return value


def read_tensors(path: str | Path, digest: str) -> dict:
    """Return the tensors of a safetensors file by name.

    Parameters
    ----------
    digest : str
        SHA-256 that the file must have.

    Raises
    ------
    DataError
        If it cannot be read, is another file, or has a value that is not finite; the tensor is named.
    """
    from safetensors.torch import load  # takes seconds, and few files are such

    raw = read_bytes(path)
    if hashlib.sha256(raw).hexdigest() != digest:
        raise DataError(f"{path} is not the file that was written (its digest is another); restore it")
    try:
        tensors = load(raw)
    except Exception as error:  # damaged headers raise many things
        raise DataError(f"{path} is no safetensors file: {cut(error)}") from error
    check_finite(tensors, path)
    return tensors


def check_finite(tensors: Mapping, where: str | Path) -> None:
    """Raise DataError, naming the tensor, unless all values of all tensors are finite."""
    for name, tensor in tensors.items():
        if not bool(tensor.isfinite().all()):
            raise DataError(f"{where}: the tensor '{cut(name)}' has values that are not finite (NaN or infinity)")


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Return the arrays of an ``.npz`` file by name; nothing is unpickled, and no more taken than is there.

    Raises
    ------
    DataError
        If it cannot be read, is damaged or no ``.npz``, unpacks to many times its size, or has an
        array of Python objects. Members that are no arrays are such, too.
    """
    try:
        with open_plain(path) as handle, zipfile.ZipFile(handle) as archive:
            members = archive.infolist()
            unpacked, size = sum(info.file_size for info in members), handle.seek(0, io.SEEK_END)
            if is_bomb(unpacked, size):
                raise DataError(f"{path} has {size} bytes and would unpack to {unpacked}: it is not read")
            arrays = {}
            for info in members:
                key = info.filename.removesuffix(".npy")
                arrays[key] = parse_array(_member(archive, info, f"{path}: '{cut(key)}'"), f"{path}: '{cut(key)}'")
            return arrays
    except UserError:
        raise
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # a damaged zip may raise nearly anything
        with open_plain(path) as handle:
            if handle.read(6) == np.lib.format.MAGIC_PREFIX:
                raise DataError(f"{path} is a single array; write all arrays into one with np.savez") from error
        raise DataError(
            f"{path} is not a readable .npz file ({cut(error)}); write it with np.savez, without "
            "pickles, and see whether the copy is complete"
        ) from error


def is_bomb(unpacked: int, size: int) -> bool:
    """Return whether so many bytes in a zip of such a size are more than data are packed to."""
    return unpacked > UNPACKED and unpacked > RATIO * size


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> bytes:
    try:
        return archive.read(info)
    except Exception as error:
        raise DataError(f"{where} is damaged ({cut(error)}); is the copy complete?") from error


def parse_array(raw: bytes, where: str) -> np.ndarray:
    """Return the array of a ``.npy`` file, which must have as many bytes as its header promises.

    Raises
    ------
    DataError
        If it is none, or holds Python objects.

    Examples
    --------
    >>> stream = io.BytesIO()
    >>> np.save(stream, np.arange(3))
    >>> parse_array(stream.getvalue(), "a.npy").tolist()
    [0, 1, 2]
    """
    stream = io.BytesIO(raw)
    try:
        read = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
        shape, by_column, dtype = read[np.lib.format.read_magic(stream)[0]](stream)
    except Exception as error:  # damaged headers raise many things
        raise DataError(f"{where} is no array of numpy ({cut(error)})") from error
    if dtype.hasobject:
        raise DataError(
            f"{where} holds Python objects; pad the clips, or concatenate them, to one array of "
            "numbers (text: np.array(names, dtype=str))"
        )
    found, promised = len(raw) - stream.tell(), math.prod(shape) * dtype.itemsize
    if found != promised or dtype.itemsize == 0 or min(shape, default=0) < 0:
        raise DataError(
            f"{where} is damaged: {dtype} of shape {shown(shape)} is {promised} bytes, not the {found} there"
        )
    if dtype.kind == "U" and (np.frombuffer(raw, f"{dtype.str[0]}u4", offset=stream.tell()) > sys.maxunicode).any():
        raise DataError(f"{where} is damaged: it has characters that do not exist")
    try:
        return np.ndarray(shape, dtype, raw, stream.tell(), order="F" if by_column else "C")
    except (ValueError, TypeError) as error:
        raise DataError(f"{where} is damaged ({cut(error)})") from error
