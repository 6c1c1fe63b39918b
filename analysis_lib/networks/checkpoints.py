"""Trained networks on disk: weights as safetensors, everything else in a JSON card beside them.

A model is named in three ways: a checkpoint shipped in ``data/checkpoints`` (``"nw-ucla"``), the
path of a checkpoint's card or weights, or ``"package.module:factory"``, a function of yours that
returns a `torch.nn.Module`. It must have ``layer_names``; ``preprocessing``, ``layer_parameters``
and ``scores_from`` are used if it has them (`analysis_lib.networks.stgcn`). Nothing is ever
unpickled: a foreign ``.pt`` is read with ``weights_only=True``.
"""

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypedDict

import torch
from safetensors.torch import save_file
from torch import nn

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import PREPROCESSINGS, Preprocessing
from analysis_lib.errors import DataError, UserError, cut, unknown_choice
from analysis_lib.files import DATA, atomic_path, digest, file_digest, write_text
from analysis_lib.loading import Name, Within, checked, read_json, read_tensors
from analysis_lib.networks.registry import build
from analysis_lib.results.digest import array_digest, loaded_digest
from analysis_lib.skeletons.skeleton import Skeleton

CHECKPOINTS = DATA / "checkpoints"


class Card(TypedDict):
    """What a card has at least."""

    name: Name
    architecture: str
    arguments: Mapping[str, object]
    skeleton: Mapping[str, object]
    class_names: Annotated[list[str], Within(1, 10_000)]
    in_channels: Annotated[int, Within(1, 1000)]
    preprocessing: Mapping[str, object]
    weights_sha256: str


@dataclass(frozen=True)
class Checkpoint:
    """A network in evaluation mode and what is known of it.

    Attributes
    ----------
    name : str
    model : nn.Module
        Maps (N, C, T, V, M) to (N, n_classes).
    layers : tuple of str
        Module names that count as layers 1, 2, ...
    preprocessing : Preprocessing
    card : mapping
        Recipe, seed, accuracy, dataset fingerprint, ...; empty for a model of the user's own.
    """

    name: str
    model: nn.Module
    layers: tuple[str, ...]
    preprocessing: Preprocessing
    card: Mapping


def save_checkpoint(folder: str | Path, model: nn.Module, card: Mapping) -> Path:
    """Write ``folder/NAME.safetensors`` and ``folder/NAME.json``; return the card's path.

    Matrices and kernels are stored in float16, vectors (biases, batch statistics) in float32: call
    `stored_precision` before evaluating, so that the card's accuracy is that of the stored weights.

    Parameters
    ----------
    card : mapping
        Must have ``name``, ``architecture``, ``arguments``, ``skeleton``, ``class_names``,
        ``in_channels`` and ``preprocessing``.
    """
    path = Path(folder) / f"{card['name']}.json"
    tensors = {k: _narrow(v).contiguous() for k, v in model.state_dict().items()}
    with atomic_path(path.with_suffix(".safetensors")) as temporary:
        try:
            save_file(tensors, temporary)
        except Exception as error:  # safetensors wraps a full disk in an error of its own
            raise UserError(f"cannot write {path.with_suffix('.safetensors')}: {error}") from error
    weights = file_digest(path.with_suffix(".safetensors"))
    write_text(path, json.dumps({**card, "weights_sha256": weights}, indent=2) + "\n")
    return path


def stored_precision(model: nn.Module) -> nn.Module:
    """Round the weights in place to what `save_checkpoint` stores, and return the model."""
    model.load_state_dict({k: _narrow(v).to(v.dtype) for k, v in model.state_dict().items()})
    return model


def _narrow(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.half() if tensor.is_floating_point() and tensor.ndim > 1 else tensor


def load_checkpoint(name: str, data: SkeletonDataset | None = None) -> Checkpoint:
    """Return the network that ``name`` stands for (see the module's first lines).

    Parameters
    ----------
    name : str
        Shipped checkpoint, path, or ``"package.module:factory"``.
    data : SkeletonDataset, optional
        Checked against the network's joints; handed to a factory, which needs it.

    Raises
    ------
    UserError
        If there is no such checkpoint (the choices are listed), the weights do not belong to the
        card, or the network was made for another skeleton.
    """
    if ":" in name and not Path(name).exists():
        return _from_factory(name, data)
    path = card_path(name)
    card = _read_card(path)
    skeleton = checked(card["skeleton"], Skeleton, path, "skeleton")
    if data is not None and data.skeleton.joints != skeleton.joints:
        raise UserError(
            f"model '{name}' was trained on the {skeleton.n_joints} joints of '{skeleton.name}', "
            f"but dataset '{data.name}' has the {data.skeleton.n_joints} of '{data.skeleton.name}'"
        )
    weights = path.with_suffix(".safetensors")
    tensors = read_tensors(weights, card["weights_sha256"])
    model = build(card["architecture"], skeleton, len(card["class_names"]), card["in_channels"], **card["arguments"])
    state = {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}
    try:
        model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise DataError(f"{weights} is not of the network that {path.name} describes: {cut(error)}") from error
    preprocessing = checked(card["preprocessing"], Preprocessing, path, "preprocessing")
    return Checkpoint(card["name"], model.eval(), model.layer_names, preprocessing, card)


def card_path(name: str) -> Path:
    """Return the path of a checkpoint's card, given its name or the path of either file."""
    given = Path(name).expanduser()
    if given.suffix in (".json", ".safetensors"):
        if not given.with_suffix(".json").exists():
            raise UserError(f"no checkpoint card at {given.with_suffix('.json')}")
        return given.with_suffix(".json")
    if not (CHECKPOINTS / f"{name}.json").exists():
        raise unknown_choice("model", name, [p.stem for p in CHECKPOINTS.glob("*.json")])
    return CHECKPOINTS / f"{name}.json"


def checkpoint_digest(name: str) -> str:
    """Return a digest that changes whenever the network that ``name`` stands for may change.

    Of a factory that is all that its module imports, and the files that it names
    (`analysis_lib.results.digest.module_digest`).
    """
    if ":" in name and not Path(name).exists():
        return digest(name, loaded_digest(_factory(name)[1]))
    path = card_path(name)
    return digest(path.read_bytes(), file_digest(path.with_suffix(".safetensors")))


def weights_digest(model: nn.Module) -> str:
    """Return a digest of the names, types, shapes and contents of all parameters and buffers."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    contents = [t.detach().cpu().flatten().view(torch.uint8).numpy() for _, t in tensors]
    return digest(
        *(
            f"{name} {t.dtype} {tuple(t.shape)} {array_digest(content)}"
            for (name, t), content in zip(tensors, contents, strict=True)
        )
    )


def _read_card(path: Path) -> dict:
    return checked(read_json(path), Card, path)


def _factory(name: str):
    """Return the factory function and its module."""
    module_name, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise UserError(
            f"model '{name}': cannot import '{module_name}' ({error}); is its folder on PYTHONPATH?"
        ) from error
    if not callable(getattr(module, attribute, None)):
        raise unknown_choice(
            f"factory in '{module_name}'", attribute, [k for k, v in vars(module).items() if callable(v)]
        )
    return getattr(module, attribute), module


def _from_factory(name: str, data: SkeletonDataset | None) -> Checkpoint:
    """Return the user's own network: ``factory(data)`` gives a module with ``layer_names``."""
    if data is None:
        raise UserError(f"model '{name}' is built for a dataset; give one")
    model = _factory(name)[0](data)
    if not isinstance(model, nn.Module):
        raise UserError(f"{name} returned {type(model).__name__}; a torch.nn.Module is needed")
    layers = tuple(getattr(model, "layer_names", ()))
    if not layers:
        raise UserError(
            f"{name}: set `model.layer_names` to the names of the modules that count as layers, "
            f"for example {[n for n, _ in model.named_children()][:3]}"
        )
    preprocessing = getattr(model, "preprocessing", PREPROCESSINGS["padded"])
    return Checkpoint(name, model.eval(), layers, preprocessing, {})
