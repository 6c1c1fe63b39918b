"""Trained networks on disk: weights as safetensors, everything else in a JSON card beside them.

A model is named in four ways: a checkpoint shipped in ``data/checkpoints`` (``"nw-ucla"``), the path of a
checkpoint's card or weights, somebody's ``weights.pt`` with a card beside it or the name of its
architecture, or ``"package.module:factory"`` or ``"file.py:factory"``, a function of yours that takes a
dataset and returns a `torch.nn.Module` (`analysis_lib.networks.own` says what that may give). It has
``layer_names``, or the modules that count as layers are given; ``layer_axes``
(`analysis_lib.networks.axes`), ``preprocessing``, ``layer_nodes``, ``layer_parameters`` and ``scores_from``
are used if it has them. Nothing is ever unpickled: a ``.pt`` is read with ``weights_only=True``.
"""

import hashlib
import importlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, TypedDict
from unittest import mock

import torch
from safetensors.torch import save
from torch import nn

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import PREPROCESSINGS, Preprocessing, clip_tensors
from analysis_lib.errors import DataError, UserError, cut, unknown_choice
from analysis_lib.files import DATA, digest, file_digest, is_there, plain_name, write_bytes, write_text
from analysis_lib.loading import Name, Within, check_finite, checked, read_json, read_tensors
from analysis_lib.networks.axes import named_axes, readings
from analysis_lib.networks.batch_statistics import has_met_clips
from analysis_lib.networks.own import adopted, load_state, read_state
from analysis_lib.networks.registry import ARCHITECTURES, build
from analysis_lib.results.digest import array_digest, loaded_digest
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.words import code_of, listed

CHECKPOINTS = DATA / "checkpoints"
FOREIGN = (".pt", ".pth")  # files of somebody's weights


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
    axes : mapping of str to str
        What the axes of the layers mean, as far as it is known (`analysis_lib.networks.axes`).
    notes : tuple of str
        Sentences that a page says of how the network is read.
    """

    name: str
    model: nn.Module
    layers: tuple[str, ...]
    preprocessing: Preprocessing
    card: Mapping
    drawn: bool = False  #: whether a factory draws the weights by lot
    axes: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    notes: tuple[str, ...] = field(default=(), kw_only=True)


def save_checkpoint(folder: str | Path, model: nn.Module, card: Mapping) -> Path:
    """Write ``folder/NAME.safetensors`` and ``folder/NAME.json``; return the card's path.

    Matrices and kernels are stored in float16, vectors (biases, batch statistics) in float32: call
    `stored_precision` before evaluating, so that the card's accuracy is that of the stored weights.

    Parameters
    ----------
    card : mapping
        Must have ``name``, ``architecture``, ``arguments``, ``skeleton``, ``class_names``,
        ``in_channels`` and ``preprocessing``.

    Raises
    ------
    DataError
        If a weight is not finite, or is not as it would be stored; the tensor is named.
    UserError
        If the files cannot be written.
    """
    path = Path(folder) / f"{plain_name(card['name'], 'name of a network')}.json"
    tensors = {k: _narrow(v).contiguous() for k, v in model.state_dict().items()}
    check_finite(tensors, f"network '{card['name']}'")
    weights = save(tensors)
    write_bytes(path.with_suffix(".safetensors"), weights)
    known = hashlib.sha256(weights).hexdigest()
    write_text(path, json.dumps({**card, "weights_sha256": known}, indent=2) + "\n")
    return path


def stored_precision(model: nn.Module) -> nn.Module:
    """Round the weights in place to what `save_checkpoint` stores, and return the model."""
    model.load_state_dict({k: _narrow(v).to(v.dtype) for k, v in model.state_dict().items()})
    return model


def _narrow(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.half() if tensor.is_floating_point() and tensor.ndim > 1 else tensor


def load_checkpoint(
    name: str,
    data: SkeletonDataset | None = None,
    layers: Sequence[str] = (),
    layer_axes: Sequence[str] = (),
    architecture: str = "",
) -> Checkpoint:
    """Return the network that ``name`` stands for (see the module's first lines), with layers whose axes are read.

    Parameters
    ----------
    name : str
        Shipped checkpoint, path, or ``"package.module:factory"``.
    data : SkeletonDataset, optional
        Checked against the network's joints; handed to a factory, which needs it.
    layers : sequence of str
        Modules that count as layers, in place of the network's ``layer_names``.
    layer_axes : sequence of str
        What their axes mean: one pattern, or several ``"layer: pattern"``.
    architecture : str
        Whose weights a ``.pt`` holds.

    Raises
    ------
    UserError
        If there is no such checkpoint (the choices are listed), the weights do not belong to the
        card, the network was made for another skeleton, or it has no layers.
    """
    network = load_network(name, data, architecture)
    model, layers = network.model, tuple(layers) or network.layers
    if not layers:
        raise UserError(
            f"{name}: set `model.layer_names` to the names of the modules that count as layers, or give them, for "
            f'example -p layers "{",".join([n for n, _ in model.named_children()][:3])}"; '
            f"stgbook model describe {name} lists them"
        )
    axes = named_axes(getattr(model, "layer_axes", None), layers) | named_axes(_given_axes(layer_axes, layers), layers)
    fitting, notes = {}, network.notes
    if data is not None and (layer_axes or not network.card or any(layer not in axes for layer in layers)):
        found = readings(model, clip_shape(data, network.preprocessing), layers, axes)
        fitting = {layer: fits[0] for layer, (_, fits) in found.items() if len(fits) == 1 and layer not in axes}
    for pattern in dict.fromkeys(fitting.values()):
        of = listed(code_of(layer) for layer in layers if fitting.get(layer) == pattern)
        notes += (f"The axes of {of} are read as {code_of(pattern)}: no other reading fits what the network gives.",)
    axes |= fitting
    if mixed := [code_of(layer) for layer in layers if "v" not in axes.get(layer, "v")]:
        notes += (f"There is no axis of joints in {listed(mixed)}: maps of importance there say when, not where.",)
    return replace(network, layers=layers, axes=axes, notes=notes)


def _given_axes(given: Sequence[str], layers: Sequence[str]) -> str | dict[str, str]:
    """Return one pattern, or patterns by layer, from how a parameter writes them."""
    if not any(":" in text for text in given):
        if len(given) > 1:
            raise UserError("layer_axes is one pattern for all layers, or one a layer: 'gcn: n c t v', 'gru: n t c'")
        return given[0] if given else {}
    each = {layer.strip(): pattern.strip() for layer, _, pattern in (text.partition(":") for text in given)}
    if unknown := [layer for layer in each if layer not in layers]:
        raise unknown_choice("layer in layer_axes", unknown[0], layers)
    return each


def clip_shape(data: SkeletonDataset, preprocessing: Preprocessing) -> tuple[int, ...]:
    """Return the (C, T, V, M) of a dataset's clips as a network takes them."""
    return clip_tensors(data.take([0]), preprocessing)[0].shape[1:]


def load_network(name: str, data: SkeletonDataset | None = None, architecture: str = "") -> Checkpoint:
    """Return the network that ``name`` stands for as it is; one of the user's own may have no layers yet."""
    if _names_factory(name):
        return _from_factory(name, data)
    if Path(name).suffix in FOREIGN:
        return _from_state(Path(name).expanduser(), data, architecture)
    if architecture:
        raise UserError(f"architecture says whose weights a .pt file holds; model '{name}' has a card that says it")
    path = card_path(name)
    card = _read_card(path)
    model, preprocessing = _from_card(card, path, data)
    weights = path.with_suffix(".safetensors")
    load_state(model, read_tensors(weights, card["weights_sha256"]), weights)
    return Checkpoint(card["name"], model.eval(), model.layer_names, preprocessing, card)


def _from_card(card: Mapping, path: Path, data: SkeletonDataset | None) -> tuple[nn.Module, Preprocessing]:
    """Return the network that a card describes, without its weights, and its preprocessing."""
    skeleton = checked(card["skeleton"], Skeleton, path, "skeleton")
    if data is not None and data.skeleton.joints != skeleton.joints:
        raise UserError(
            f"model '{path.stem}' was trained on the {skeleton.n_joints} joints of '{skeleton.name}', "
            f"but dataset '{data.name}' has the {data.skeleton.n_joints} of '{data.skeleton.name}'; "
            f"train one on it (stgbook train --dataset ...), or name your own as model"
        )
    model = build(card["architecture"], skeleton, len(card["class_names"]), card["in_channels"], **card["arguments"])
    return model, checked(card["preprocessing"], Preprocessing, path, "preprocessing")


def _from_state(path: Path, data: SkeletonDataset | None, architecture: str) -> Checkpoint:
    """Return somebody's network: its card is beside the weights, or it is of an architecture of ours."""
    state, beside = read_state(path), path.with_suffix(".json")
    if beside.exists() and not architecture:
        card = checked({"weights_sha256": "", **_mapping(beside)}, Card, beside)
        if card["weights_sha256"] not in ("", file_digest(path)):
            raise DataError(f"{path} is not what {beside.name} describes (its digest is another); restore both")
        model, preprocessing = _from_card(card, beside, data)
        load_state(model, state, path)
        return Checkpoint(card["name"], model.eval(), model.layer_names, preprocessing, card)
    if not architecture or data is None:
        raise UserError(
            f"{path} holds weights alone: say of which network (-p architecture, one of {', '.join(ARCHITECTURES)}), "
            f"put a card {beside.name} beside it, or load them in a function of yours (-p model nets.py:make)"
        )
    recipe = architecture if architecture in PREPROCESSINGS else "padded"
    preprocessing = PREPROCESSINGS[recipe]
    n_channels = clip_shape(data, preprocessing)[0]
    model = build(architecture, data.skeleton, len(data.class_names), n_channels)
    load_state(model, state, path)
    note = (
        f"The weights of {code_of(path.name)} are read as those of {architecture} with its usual arguments, for the "
        f"classes of the dataset in their order; clips are prepared as for {code_of(recipe)}. A card beside the file "
        "may say otherwise."
    )
    return Checkpoint(path.stem, model.eval(), model.layer_names, preprocessing, {}, notes=(note,))


def _mapping(path: Path) -> Mapping:
    return checked(read_json(path), Mapping[str, object], path)


def is_trained(network: Checkpoint) -> bool:
    """Return whether a network can have learnt anything.

    One with a card has. A factory's has not if another seed gives it other weights, or if it keeps statistics
    of batches and has never met one.
    """
    if network.card:
        return True
    return not network.drawn and has_met_clips(network.model) is not False


def card_path(name: str) -> Path:
    """Return the path of a checkpoint's card, given its name or the path of either file."""
    given = Path(name).expanduser()
    if given.suffix in (".json", ".safetensors"):
        if not is_there(given.with_suffix(".json")):
            raise UserError(f"no checkpoint card at {given.with_suffix('.json')}")
        return given.with_suffix(".json")
    if given.suffix == ".py":
        raise UserError(f"model '{name}' is a file of code: say which function makes the network, {name}:make")
    if not is_there(CHECKPOINTS / f"{name}.json"):
        raise unknown_choice("model", name, [p.stem for p in CHECKPOINTS.glob("*.json")])
    return CHECKPOINTS / f"{name}.json"


def shipped_cards() -> dict[str, dict]:
    """Return the cards of the shipped networks by name.

    >>> shipped_cards()["synthetic"]["architecture"]
    'stgcn'
    """
    return {path.stem: _read_card(path) for path in sorted(CHECKPOINTS.glob("*.json"))}


def trained_on(dataset: str) -> list[str]:
    """Return the names of the shipped networks that were trained on a dataset, as their cards say, first seeds first.

    >>> "nw-ucla" in trained_on("nw-ucla"), trained_on("no such dataset")
    (True, [])
    """
    seeds = {
        n: card.get("recipe", {}).get("seed", 0)
        for n, card in shipped_cards().items()
        if card.get("dataset") == dataset
    }
    return sorted(seeds, key=seeds.get)


def checkpoint_digest(name: str) -> str:
    """Return a digest that changes whenever the network that ``name`` stands for may change.

    Of a factory that is all that its module imports, and the files that it names
    (`analysis_lib.results.digest.module_digest`).
    """
    if _names_factory(name):
        return digest(name, loaded_digest(_factory(name)[1]))
    if Path(name).suffix in FOREIGN:
        weights = Path(name).expanduser()
        parts = [weights, *(path for path in [weights.with_suffix(".json")] if path.exists())]
        return digest(*(file_digest(path) if path.exists() else "" for path in parts))
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


def _names_factory(name: str) -> bool:
    return ":" in name and not is_there(name)


def _factory(name: str) -> tuple[Callable, object]:
    """Return the factory function and its module."""
    module_name, _, attribute = name.rpartition(":")
    if module_name.endswith(".py"):
        path = Path(module_name).expanduser().resolve()
        if not path.exists():
            raise UserError(f"model '{name}': there is no file {path}")
        module_name = path.stem
        if str(path.parent) not in sys.path:
            sys.path.insert(0, str(path.parent))
        held = getattr(sys.modules.get(module_name), "__file__", None)
        if module_name in sys.modules and (held is None or Path(held).resolve() != path):
            raise UserError(f"model '{name}': another module is called '{module_name}'; rename the file")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # of any kind: the code is not ours
        hint = "; is its folder on PYTHONPATH?" if isinstance(error, ModuleNotFoundError) else ""
        ended = "it calls sys.exit: " if isinstance(error, SystemExit) else ""
        raise UserError(f"model '{name}': cannot import '{module_name}' ({ended}{cut(error)}){hint}") from error
    if not callable(getattr(module, attribute, None)):
        raise unknown_choice(
            f"factory in '{module_name}'", attribute, [k for k, v in vars(module).items() if callable(v)]
        )
    return getattr(module, attribute), module


def _from_factory(name: str, data: SkeletonDataset | None) -> Checkpoint:
    """Return the user's own network, as ``factory(data)`` gives it, kept to the contract."""
    if data is None:
        raise UserError(f"model '{name}' is built for a dataset; give one")
    factory = _factory(name)[0]
    (model, notes), (other, _) = (_seeded(factory, name, data, seed) for seed in (0, 1))
    layers, drawn = tuple(getattr(model, "layer_names", ())), weights_digest(model) != weights_digest(other)
    return Checkpoint(name, model, layers, _preprocessing(model), {}, drawn, notes=notes)


def _preprocessing(model: object) -> Preprocessing:
    return getattr(model, "preprocessing", PREPROCESSINGS["padded"])


def _seeded(factory: Callable, name: str, data: SkeletonDataset, seed: int) -> tuple[nn.Module, tuple[str, ...]]:
    """Return what a factory makes, `adopted`, with other draws for another seed, though it seeds torch itself."""
    plain = torch.manual_seed
    shifted = mock.patch.object(torch, "manual_seed", lambda own: plain(int(own) ^ seed))
    with torch.random.fork_rng(devices=[]), shifted:
        torch.manual_seed(0)
        try:
            model = factory(data)
        except UserError:
            raise
        except (Exception, SystemExit) as error:  # of any kind: the code is not ours
            raise UserError(f"{name} failed with {type(error).__name__}: {cut(error)}") from error
        return adopted(model, name, clip_shape(data, _preprocessing(model)), len(data.class_names))
