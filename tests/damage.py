"""What a file may turn into: bytes that are turned, values that are exchanged, headers that lie; see `fuzz`."""

import io
import json
import random
import warnings
import zipfile
from pathlib import Path

import numpy as np

_PLACE = "@here@"
_DEEP = '{"a":' * 5000 + "1" + "}" * 5000
#: JSON texts that a value is exchanged for
HOSTILE = (
    *("NaN", "Infinity", "-Infinity", "1e999", "1e-400", "-1", "0", "1", "2", "3", "1.5", "true", "null", "1e300"),
    *("9" * 5000, "9" * 400, str(2**63), str(2**31), str(-(2**63) - 1), "1000000", "100000000"),
    *('""', '"\\ud800"', '"\\u0000"', '"' + "x" * 10**6 + '"', '"../../x"', '"a\\nb"', '"="', '"nw-ucla"', '"NaN"'),
    *("[]", "{}", "[[]]", "[null]", '["a"]', "[1, 2, 3]", "[1, [2]]", '{"a": 1}', '{"": {}}', "[" * 10**5, _DEEP),
    "[" + "1," * 50_000 + "1]",
)
#: words that a cell of a table or a field of a text is exchanged for
WORDS = ("", "NaN", "inf", "-1", "1e999", "9" * 5000, "0", "1.5", "x", "-", "1_0", "٣", "\0", '"', "2147483648", "1e5")
NAMES = ("../../x", "/etc/x", "C:\\x", "a\0b", "", "x" * 300, ".", "a/../../b", "\\x", "a01_s01_e00_v01.json")


def mutated(raw: bytes, suffix: str, rng: random.Random) -> bytes:
    """Return a file's contents with one to three things in it changed."""
    change = _CHANGES.get(suffix, _bytes)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        try:
            raw = change(raw, rng) if rng.random() < 0.8 else _bytes(raw, rng)
        except Exception:  # what was damaged before is no longer of its kind
            raw = _bytes(raw, rng)
    return raw


def _bytes(raw: bytes, rng: random.Random) -> bytes:
    """Return bytes of which some were turned, cut, put in, or written twice."""
    out = bytearray(raw)
    at, end = sorted(rng.randrange(len(out) + 1) for _ in range(2))
    kind = rng.randrange(6)
    if kind == 0:
        for _ in range(rng.choice((1, 4, 64))):
            if out:
                out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del out[at:]
    elif kind == 2:
        del out[at : min(end, at + rng.choice((1, 8, 1000)))]
    elif kind == 3:
        out[at:at] = rng.choice((b"\0", b"\xff\xfe", b"\xed\xa0\x80", rng.randbytes(8), b"\xef\xbb\xbf", b"[" * 2000))
    elif kind == 4:
        out[at : at + 8] = rng.choice((b"\xff" * 8, b"\0" * 8, (2**40).to_bytes(8, "little"), b"\x7f" * 8))
    else:
        out[at:at] = out[at:end][:4096]
    return bytes(out)


def _json(raw: bytes, rng: random.Random) -> bytes:
    """Return JSON of which one value is another, or is gone, or has company."""
    tree = json.loads(raw)
    holder, key = _spot([tree], rng)
    kind = rng.randrange(8)
    if kind == 0 and isinstance(holder, dict):
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[rng.choice(("", "x", "\ud800", "a\nb", "x" * 1000))] = holder[key]
    elif kind == 2 and isinstance(holder, list):
        holder[key:key] = [holder[key]] * rng.choice((1, 3))
    else:
        holder[key] = _PLACE
        return json.dumps(tree).replace(f'"{_PLACE}"', rng.choice(HOSTILE)).encode()
    return json.dumps(tree).encode()


def _spot(whole: list, rng: random.Random) -> tuple:
    """Return a container somewhere within a tree, and a key of it."""
    holder, key = whole, 0
    while isinstance(holder[key], dict | list) and holder[key] and rng.random() < 0.85:
        holder = holder[key]
        key = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    return (holder, key) if holder is not whole or rng.random() < 0.1 else _spot(whole, rng) if whole[0] else (whole, 0)


def _lines(raw: bytes, rng: random.Random) -> bytes:
    """Return lines of JSON of which one was changed."""
    lines = raw.splitlines()
    at = rng.randrange(len(lines))
    lines[at] = _json(lines[at], rng)
    return b"\n".join(lines)


def _text(raw: bytes, rng: random.Random) -> bytes:
    """Return a text of which a field is another, or a line is gone or comes twice."""
    lines = raw.decode().split("\n")
    at = rng.randrange(len(lines))
    kind = rng.randrange(5)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines[at:at] = [lines[at]]
    else:
        separator = "," if "," in lines[0] else " "
        parts = lines[at].split(separator)
        parts[rng.randrange(len(parts))] = rng.choice(WORDS)
        lines[at] = separator.join(parts)
    return "\n".join(lines).encode()


def _array(raw: bytes, rng: random.Random) -> bytes:
    """Return an array of another type, shape or contents, or one whose header promises something else."""
    if rng.random() < 0.3:
        lies = ((b"(", b"(99999999999,"), (b"<", b">"), (b"f4", b"f2"), (b"i8", b"O8"), (b"False", b"True "))
        was, new = rng.choice(lies)
        return raw[:128].replace(was, new, 1)[:128].ljust(128) + raw[128:]
    x = np.load(io.BytesIO(raw))
    number = rng.choice((np.nan, np.inf, -1, 0, 1e30, 2**40, 2**62))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kind = rng.randrange(7)
        if kind == 0:
            x = x.astype(rng.choice(("f8", ">f8", "i4", "U8", "c8", "?", "u8", "M8[s]", "S4", "f2", "U0", "V3")))
        elif kind == 1 and x.size and x.dtype.kind in "iuf":
            x = x.copy()
            x.flat[rng.randrange(x.size)] = x.dtype.type(number)
        elif kind == 2:
            x = x[None] if rng.random() < 0.5 else x.T
        elif kind == 3:
            x = x[: rng.choice((0, 1))] if x.ndim else np.array([])
        elif kind == 4:
            x = np.concatenate([x, x]) if x.ndim else x[None]
        elif kind == 5:
            x = np.full(x.shape, number)
        else:
            x = np.array(rng.choice(("", "\ud800", "{", "9" * 5000, "=x", "a\nb", "nw-ucla", -1, np.nan)))
    out = io.BytesIO()
    np.save(out, x)
    return out.getvalue()


def _zip(raw: bytes, rng: random.Random) -> bytes:
    """Return a zip of which a member is another, or has another name, or is there twice, or is a bomb."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = [(info.filename, archive.read(info), info.compress_type) for info in archive.infolist()]
    at = rng.randrange(len(members))
    name, content, how = members[at]
    kind = rng.randrange(10)
    if kind == 0:
        members[at] = rng.choice(NAMES), content, how
    elif kind == 1:
        members[at:at] = [members[at]]
    elif kind == 2:
        del members[at]
    elif kind == 3:
        members[at] = name, content + b"\0" * 2**27, zipfile.ZIP_DEFLATED
    else:
        members[at] = name, _CHANGES.get(Path(name).suffix, _bytes)(content, rng), how
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name twice
        for name, content, how in members:
            archive.writestr(zipfile.ZipInfo(name), content, how)
    return out.getvalue()


def _tensors(raw: bytes, rng: random.Random) -> bytes:
    """Return a safetensors file with another header, or numbers that are none."""
    size = int.from_bytes(raw[:8], "little")
    head, data = raw[8 : 8 + size], bytearray(raw[8 + size :])
    if rng.random() < 0.6:
        head = _json(head, rng)
    else:
        at = 4 * rng.randrange(len(data) // 4)
        data[at : at + 4] = rng.choice((b"\xff" * 4, b"\0\x7c\0\x7c", b"\0\0\x80\x7f"))
    return len(head).to_bytes(8, "little") + head + bytes(data)


_CHANGES = {
    **{".json": _json, ".jsonl": _lines, ".npz": _zip, ".zip": _zip, ".pt": _zip, ".npy": _array},
    **{".csv": _text, ".txt": _text, ".skeleton": _text, ".safetensors": _tensors},
}
