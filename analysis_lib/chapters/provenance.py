"""The line that says where a figure comes from."""

from collections.abc import Mapping


def provenance_line(facts: Mapping) -> str:
    """Return the Markdown of parameters, code, data and network; ``</small>`` is left to the caller.

    Parameters
    ----------
    facts : mapping
        From `analysis_lib.chapters.session.Session.facts`.

    Examples
    --------
    >>> provenance_line({"parameters": {"n": 3}, "code": "0.1.0", "data": {"name": "x", "fingerprint": "abcd"}})
    '<small class="provenance">Parameters `n = 3`; code 0.1.0; data x `abcd`.'
    """
    values = ", ".join(f"`{name} = {value!r}`" for name, value in facts["parameters"].items())
    parts = [f"Parameters {values or 'none'}", f"code {facts['code']}"]
    for kind, key in (("data", "fingerprint"), ("model", "weights")):
        if kind in facts:
            mark = f" `{facts[kind][key][:12]}`" if facts[kind][key] else ""
            parts.append(f"{kind} {facts[kind]['name']}{mark}")
    return '<small class="provenance">' + "; ".join(parts) + "."
