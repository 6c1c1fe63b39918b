"""Every network that is registered, put through the same: sizes, shapes, laws, hooks, cards."""

import numpy as np
import pytest
import torch
from torch import nn

from analysis_lib.errors import UserError
from analysis_lib.explain import registry
from analysis_lib.explain.gradcam import GradCAM
from analysis_lib.geometry.embeddings import embed
from analysis_lib.networks.checkpoints import Checkpoint, load_checkpoint, save_checkpoint, stored_precision
from analysis_lib.networks.hooks import captured
from analysis_lib.networks.registry import ARCHITECTURES, TITLES, build
from analysis_lib.networks.units import fan_out
from analysis_lib.skeletons.layouts import layout
from analysis_lib.skeletons.skeleton import Skeleton

NAMES = sorted(ARCHITECTURES)
#: those that have one norm of the coordinates of all bodies, or none
ONE_NORM = ("stgcn", "fg-stformer", "multi-branch")
#: how often the frames are halved
HALVINGS = dict.fromkeys(NAMES, 2) | {"multi-branch": 1}
#: parameters at full width for the 25 joints of NTU, two bodies, 60 classes; layers; whether joints may be renumbered
TABLE = {
    "stgcn": (3_098_832, 10, True),
    "agcn": (3_469_510, 10, True),
    "shift-gcn": (693_107, 10, False),  # joints are shifted by their numbers
    "ctr-gcn": (1_446_672, 10, True),
    "st-gdn": (3_268_793, 7, True),
    "fg-stformer": (8_770_020, 8, False),  # focal joints are lined up by their numbers
    "multi-branch": (1_222_864, 6, False),  # its bones, and the joint in the middle, are known by numbers
}


def test_pages_have_a_name_for_each_network_and_each_method():
    assert (TITLES.keys(), registry.TITLES.keys()) == (ARCHITECTURES.keys(), registry.METHODS.keys())


def chain(n_joints):
    """Return a body of so many joints in a row, in two parts."""
    half = n_joints // 2
    parts = {"lower": tuple(range(half)), "upper": tuple(range(half, n_joints))}
    edges = [(v, v - 1) for v in range(1, n_joints)]
    return Skeleton("chain", tuple(f"joint {v}" for v in range(n_joints)), edges, centre=half, parts=parts)


def small(name, skeleton=None, frames=13, **more):
    """Return a narrow network whose batch norms are no identities, in evaluation mode."""
    torch.manual_seed(0)
    more |= {"frames": frames} if name == "st-gdn" else {}
    model = build(name, skeleton or chain(17), 5, 3, width=0.125, **more)
    for part in model.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.uniform_(part.running_var, 0.5, 1.5)
            nn.init.normal_(part.running_mean, std=0.1)
        elif name == "stgcn":  # begins with weights so small that all clips look alike
            fan_out(part)
    return model.eval()


def clips(n=3, frames=13, joints=17, bodies=2):
    return torch.from_numpy(np.random.default_rng(1).normal(size=(n, 3, frames, joints, bodies))).float()


def test_every_network_is_in_the_table():
    assert set(TABLE) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_and_layers(name):
    bodies = {} if name in ONE_NORM else {"bodies": 2}
    model = build(name, layout("ntu-25"), 60, 3, **bodies)
    assert (sum(p.numel() for p in model.parameters()), len(model.layer_names)) == TABLE[name][:2]


def test_sizes_that_their_authors_publish():
    agcn, ctr = (build(n, layout("ntu-25"), k, 3, bodies=2) for n, k in (("agcn", 60), ("ctr-gcn", 120)))
    sizes = [round(sum(p.numel() for p in m.parameters()) / 1e6, 2) for m in (agcn, ctr)]
    assert sizes == [3.47, 1.46]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("frames", "joints", "bodies"), [(13, 17, 1), (16, 25, 2), (9, 133, 1)])
def test_any_joints_bodies_and_odd_lengths(name, frames, joints, bodies):
    model = small(name, chain(joints), frames)
    with torch.no_grad(), captured(model, model.layer_names) as outputs:
        assert model(clips(2, frames, joints, bodies)).shape == (2, 5)
    halves = {-(-frames // 2**s) for s in range(HALVINGS[name] + 1)}
    times = {outputs[layer].shape[2] for layer in model.layer_names}
    assert times == (halves - {frames} if name == "multi-branch" else halves)
    assert all(outputs[layer].shape[0] == 2 * bodies for layer in model.layer_names)


@pytest.mark.parametrize("name", NAMES)
def test_clips_do_not_mix_and_the_order_of_bodies_does_not_matter(name):
    model, x = small(name), clips()
    with torch.no_grad():
        whole, swapped, alone = model(x), model(x.flip(-1)), model(x[1:2])
    torch.testing.assert_close(whole, swapped, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(whole[1:2], alone, rtol=1e-3, atol=1e-4)
    assert (whole[0] - whole[1]).abs().max() > 1e-3  # the clips are told apart at all


@pytest.mark.parametrize("name", NAMES)
def test_joints_may_be_renumbered_where_no_number_counts(name):
    """Weights that belong to joints go with them, wherever 17 entries (or 17 x 3) are the joints'."""
    model, x = small(name), clips()
    order = torch.from_numpy(np.random.default_rng(2).permutation(17))
    renumbered = small(name)
    with torch.no_grad():
        for key, tensor in [*renumbered.named_parameters(), *renumbered.named_buffers()]:
            for axis, size in enumerate(tensor.shape):
                if key.startswith("data_bn") and size == 17 * 3:
                    tensor.copy_(tensor.view(17, 3)[order].flatten())
                elif size == 17:
                    tensor.copy_(tensor.index_select(axis, order))
        same = torch.allclose(renumbered(x[:, :, :, order]), model(x), rtol=1e-3, atol=1e-4)
    assert same == TABLE[name][2]


@pytest.mark.parametrize("name", NAMES)
def test_a_step_of_training_moves_all_that_it_should_and_stays_finite(name):
    model = small(name).train()
    nn.functional.cross_entropy(model(clips(4)), torch.arange(4)).backward()
    still = [k for k, p in model.named_parameters() if p.grad is None]
    assert all(k.endswith("xpos") for k in still)
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("name", NAMES)
def test_each_activation_is_a_module_that_is_called_once(name):
    model, calls = small(name), []
    kinds = (nn.ReLU, nn.LeakyReLU, nn.Softmax, nn.Tanh, nn.Sigmoid, nn.MaxPool2d)
    found = {k: m for k, m in model.named_modules() if isinstance(m, kinds)}
    for key, module in found.items():
        module.register_forward_hook(lambda *_, key=key: calls.append(key))
    model(clips(1))
    assert sorted(calls) == sorted(found)
    assert not any(getattr(m, "inplace", False) for m in found.values())


@pytest.mark.parametrize("name", NAMES)
def test_embeddings_and_maps_have_the_frames_and_joints_they_should(name):
    model, x, lengths = small(name), clips().numpy(), np.array([13, 9, 5])
    found = embed(model, x, lengths, model.layer_names)
    assert all(np.isfinite(f).all() and len(f) == 3 for f in found.features)
    network = Checkpoint(name, model, model.layer_names, None, {})
    maps = GradCAM()(network, x, lengths, "predicted").maps
    assert [m.shape for m in maps] == [(3, 2, f.shape[1], 17) for f in found.features[1:]]
    assert all(np.isfinite(m).all() for m in maps)
    assert maps[-1].max() > 0 or maps[0].max() > 0


@pytest.mark.parametrize("name", [n for n in NAMES if n != "multi-branch"])  # branches do not follow one another
def test_a_network_can_go_on_from_any_layer(name):
    model, x = small(name), clips()
    with torch.no_grad(), captured(model, model.layer_names) as outputs:
        scores = model(x)
        for i, layer in enumerate(model.layer_names, 1):
            torch.testing.assert_close(model.scores_from(outputs[layer], i, 2), scores)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_saved_is_loaded(name, tmp_path):
    arguments = {"width": 0.125} | ({"frames": 13} if name == "st-gdn" else {})
    model = stored_precision(small(name))
    card = {
        "name": "net",
        "architecture": name,
        "arguments": arguments,
        "in_channels": 3,
        "class_names": list("abcde"),
        "skeleton": chain(17).to_dict(),
        "preprocessing": {"frames": 13},
    }
    loaded = load_checkpoint(str(save_checkpoint(tmp_path, model, card)))
    with torch.no_grad():
        torch.testing.assert_close(loaded.model(clips()), model(clips()))


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ONE_NORM])
def test_bodies_may_have_statistics_of_their_own(name):
    model, x = small(name, bodies=2), clips()
    moved = x.clone()
    moved[:, 1, :, 4, 1] += 5  # coordinate 1 of joint 4 of the second body
    with torch.no_grad():
        before = model(x)
        model.data_bn.running_mean[(17 + 4) * 3 + 1] += 5
        torch.testing.assert_close(model(moved), before, rtol=1e-3, atol=1e-4)
    with pytest.raises(UserError, match=r"takes 102 coordinates a frame, got 3 channels x 17 joints x 1 bodies"):
        model(clips(bodies=1))


@pytest.mark.parametrize(
    ("name", "option", "words"),
    [
        ("agcn", {"depth": 8}, "depth"),
        ("shift-gcn", {"bodies": 0}, "bodies=0"),
        ("st-gdn", {"kinds": ["nodes"] * 7}, "kind of layer"),
        ("st-gdn", {"kinds": ["node"] * 6}, "has 7 layers, got kinds of 6"),
        ("fg-stformer", {"focal": 18}, "1 to 17 focal joints"),
        ("stgcn", {"width": 1e3}, "parameters, more than 100000000"),
        ("stgcn", {"width": 1e300}, "there is no stgcn of"),
        ("stgcn", {"width": "a"}, "arguments of stgcn: 'width' must be a finite number, got 'a'"),
        ("stgcn", {"width": float("nan")}, "'width' must be a finite number"),
        ("stgcn", {"dropout": 2.0}, "there is no stgcn of"),
        ("agcn", {"strategy": "spatial"}, "unknown entry 'strategy'"),
        ("agcn", {"bodies": 2**40}, "parameters, more than 100000000"),
        ("st-gdn", {"frames": 10**6}, "parameters, more than 100000000"),
        ("fg-stformer", {"first": 8}, "1 to 7 first layers"),
        ("fg-stformer", {"attend": False, "convolve": False}, "attention or convolution over time"),
    ],
)
def test_what_no_network_can_be_is_refused(name, option, words):
    with pytest.raises(UserError, match=words):
        build(name, chain(17), 5, 3, **{"width": 0.125} | option)


def test_no_network_is_built_for_more_classes_than_fit():
    with pytest.raises(UserError, match="more than"):
        build("stgcn", chain(5), 10**9, 3)
