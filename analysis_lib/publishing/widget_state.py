"""Saved widgets of an executed notebook: their random ids become numbers in reading order."""

import json
import re

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"

_REFERENCE = re.compile(r"IPY_MODEL_(\w+)")


def number_widgets(notebook: dict) -> dict:
    """Return the notebook with widget model ids 0...0, 0...1, in the order that outputs show them.

    Models that no output shows follow if they refer to one that is (a link between two widgets);
    the rest, such as finished progress bars, are dropped.

    Parameters
    ----------
    notebook : dict
        JSON of an executed notebook; changed in place where models are dropped.
    """
    saved = notebook["metadata"].get("widgets", {}).get(STATE)
    if saved is None:
        return notebook
    models = saved["state"]
    order = _shown(notebook["cells"], models)
    _add_links(order, models)
    saved["state"] = {model: models[model] for model in order}
    if not order:
        del notebook["metadata"]["widgets"]
        return notebook
    return json.loads(_renumber(json.dumps(notebook), order))


def _renumber(text: str, order: list[str]) -> str:
    """Return ``text`` with each id replaced by its place in ``order``, all in one pass."""
    number = {model: f"{place:032x}" for place, model in enumerate(order)}
    return re.sub("|".join(number), lambda match: number[match[0]], text) if number else text


def _references(model: dict) -> list[str]:
    """Return the ids that a model's state refers to, in the order of its sorted keys."""
    return _REFERENCE.findall(json.dumps(model["state"], sort_keys=True))


def _shown(cells: list[dict], models: dict) -> list[str]:
    """Return the ids that the outputs reach, depth first."""
    order: list[str] = []
    views = [
        output["data"][VIEW]["model_id"]
        for cell in cells
        for output in cell.get("outputs", [])
        if VIEW in output.get("data", {})
    ]
    for view in views:
        _reach(view, models, order)
    return order


def _reach(model: str, models: dict, order: list[str]) -> None:
    """Append ``model`` and all that it refers to, unless they are there already."""
    if model in models and model not in order:
        order.append(model)
        for reference in _references(models[model]):
            _reach(reference, models, order)


def _add_links(order: list[str], models: dict) -> None:
    """Append models that refer to a shown one, by content, for their own ids are random."""
    known = set(order)
    links = [m for m in models if m not in known and known & set(_references(models[m]))]
    links.sort(key=lambda m: _renumber(json.dumps(models[m], sort_keys=True), order))
    for model in links:
        _reach(model, models, order)
