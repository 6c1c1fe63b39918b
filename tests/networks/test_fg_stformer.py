"""FG-STFormer: which joints are chosen, what parts there are, attention worked out in loops."""

import numpy as np
import pytest
import torch

from analysis_lib.errors import UserError
from analysis_lib.networks.attention import SpatialAttention, TemporalAttention
from analysis_lib.networks.fg_stformer import FGSTFormer, body_parts, looks
from analysis_lib.networks.hooks import captured
from analysis_lib.skeletons.layouts import layout

#: the ten parts of three joints
PARTS = {
    "ntu-25": "3,2,20 20,1,0 4,5,6 7,21,22 8,9,10 11,23,24 0,12,13 13,14,15 0,16,17 17,18,19",
    "kinect-20": "3,2,1 2,1,0 2,4,5 5,6,7 2,8,9 9,10,11 0,12,13 13,14,15 0,16,17 17,18,19",
}


@pytest.mark.parametrize("name", PARTS)
def test_parts_of_the_body(name):
    wanted = {frozenset(map(int, part.split(","))) for part in PARTS[name].split()}
    assert {frozenset(part) for part in body_parts(layout(name))} == wanted


@pytest.mark.parametrize("name", ["openpose-18", "infant-29"])
def test_parts_cover_any_body(name):
    parts = body_parts(layout(name))
    assert {v for part in parts for v in part} == set(range(layout(name).n_joints))
    assert {len(part) for part in parts} == {3}


def model(**options):
    torch.manual_seed(0)
    return FGSTFormer(layout("kinect-20"), 4, width=0.125, **options).eval()


def clips(n=2, frames=12):
    return torch.randn(n, 3, frames, 20, 1, generator=torch.Generator().manual_seed(1))


def second_stage(network, x):
    with torch.no_grad(), captured(network, ["informativeness", *network.layer_names]) as outputs:
        network(x)
    return outputs["informativeness"], outputs["focal_layers.1"]


def test_a_layer_is_zero_where_a_joint_is_not_focal():
    scores, out = second_stage(model(), clips())
    assert scores.shape == (2, 3, 20)
    assert out.shape == (2, 32, 3, 30)
    present = out[..., :20].abs().sum(1) > 0
    assert (present.sum(-1) == 12).all()
    lowest_chosen = scores.where(present, torch.inf).amin(-1)
    assert (lowest_chosen >= scores.where(~present, -torch.inf).amax(-1)).all()


def test_one_choice_for_a_clip():
    _, out = second_stage(model(per_sequence=True), clips())
    present = out[..., :20].abs().sum(1) > 0
    assert (present == present[:, :1]).all()


@pytest.mark.parametrize("gate", [True, False])
def test_the_gate_alone_teaches_what_to_choose(gate):
    network = model(gate=gate)
    network(clips())[0, 0].backward()
    assert (network.informativeness.weight.grad is not None) == gate


def test_the_attention_of_joints_in_loops():
    torch.manual_seed(0)
    unit = SpatialAttention(4, 8, n_queries=3, n_keys=3, heads=2).eval()
    torch.nn.init.normal_(unit.shared)
    x = torch.randn(1, 4, 2, 3)
    kept = {}
    unit.join.register_forward_hook(lambda _, given, out: kept.update(z=given[0]))
    with torch.no_grad():
        unit(x)
        q, k = (part(x + place) for part, place in ((unit.query, unit.query_place), (unit.key, unit.key_place)))
    for h in range(2):
        for t in range(2):
            for i in range(3):
                products = torch.stack(
                    [q[0, 2 * h : 2 * h + 2, t, i] @ k[0, 2 * h : 2 * h + 2, t, j] for j in range(3)]
                )
                weights = torch.softmax(products / 2**0.5, 0) + unit.shared[0, h, 0, i]
                by_hand = sum(weights[j] * x[0, :, t, j] for j in range(3))
                torch.testing.assert_close(kept["z"][0, 4 * h : 4 * h + 4, t, i], by_hand.detach())


def test_chosen_nodes_see_their_own_rows_of_the_map():
    """Attention among all nodes and among all of them *chosen* is the same; a part of them keeps its entries."""
    torch.manual_seed(0)
    unit = SpatialAttention(4, 4, n_queries=5, n_keys=5, heads=2).eval()
    torch.nn.init.normal_(unit.shared)
    x = torch.randn(2, 4, 3, 5)
    order = torch.stack([torch.randperm(5) for _ in range(6)]).view(2, 3, 5)
    mixed = torch.take_along_dim(x, order[:, None], dim=3)
    with torch.no_grad():
        torch.testing.assert_close(
            unit(mixed, chosen=order, chosen_keys=order), torch.take_along_dim(unit(x), order[:, None], dim=3)
        )


def test_attention_over_time_in_loops():
    torch.manual_seed(0)
    unit = TemporalAttention(4, stride=2).eval()
    x = torch.randn(1, 4, 5, 2)
    kept = {}
    unit.mix.register_forward_hook(lambda _, given, out: kept.update(z=given[0]))
    unit.query.register_forward_hook(lambda _, given, out: kept.update(q=out))
    unit.key.register_forward_hook(lambda _, given, out: kept.update(k=out))
    with torch.no_grad():
        assert unit(x).shape == (1, 4, 3, 2)
        values = torch.cat([value(x) for value in unit.values], 1)
    q, k = kept["q"], kept["k"]
    for h in range(2):
        some = slice(2 * h, 2 * h + 2)
        for v in range(2):
            for t in range(3):
                weights = torch.softmax(
                    torch.stack([q[0, some, t, v] @ k[0, some, s, v] for s in range(3)]) / 2**0.5, 0
                )
                by_hand = sum(weights[s] * values[0, some, s, v] for s in range(3))
                torch.testing.assert_close(kept["z"][0, some, t, v], by_hand)


@pytest.mark.parametrize(("shared", "maps"), [(False, 3), (True, 1)])
def test_attention_can_be_looked_at(shared, maps):
    network = model(shared_time=shared)
    with torch.no_grad(), captured(network, network.attention_names) as outputs:
        network(clips())
    crossed = outputs["focal_layers.0.joints_from_parts.softmax"]
    assert crossed.shape == (2, 3, maps, 12, 10)
    torch.testing.assert_close(crossed.sum(-1), torch.ones(2, 3, maps, 12))


#: ablations of Tables 1, 3 and 4, and which modules are gone
ABLATIONS = {
    "basic": ({"focal": 20, "gate": False, "parts": False}, ("part_embed", "parts_in_time", "from_joints")),
    "focal joints": ({"parts": False}, ("part_embed", "from_parts")),
    "parts too": ({"cross": False}, ("from_parts", "from_joints")),
    "attention alone over time": ({"convolve": False}, ()),
    "convolution alone over time": ({"attend": False}, ("in_time.query", "1.query")),
    "four layers and four": ({"first": 4}, ("global_layers.4",)),
    "seven layers and one": ({"first": 7}, ("focal_layers.1",)),
}


@pytest.mark.parametrize("case", ABLATIONS)
def test_ablations(case):
    options, gone = ABLATIONS[case]
    network = model(**options)
    assert len(network.layer_names) == 8
    assert not [k for k, _ in network.named_parameters() if any(part in k for part in gone)]
    x = clips(frames=13)
    with torch.no_grad(), captured(network, network.layer_names) as outputs:
        scores = network(x)
        assert [outputs[k].shape[2] for k in network.layer_names] == [13, 13, 7, 7, 4, 4, 4, 4]
        for i, layer in enumerate(network.layer_names, 1):
            torch.testing.assert_close(network.scores_from(outputs[layer], i, 1), scores)
    kernels = {m.values[0].kernel_size[0] for m in network.modules() if isinstance(m, TemporalAttention)}
    assert kernels == ({1} if case == "attention alone over time" else {7})


def test_attention_alone_over_time_is_attention_of_linear_values():
    torch.manual_seed(0)
    unit = TemporalAttention(4, convolve=False).eval()
    x = torch.randn(1, 4, 5, 2)
    kept = {}
    unit.mix.register_forward_hook(lambda _, given, out: kept.update(z=out))
    unit.join.register_forward_hook(lambda _, given, out: kept.update(joined=given[0]))
    with torch.no_grad():
        unit(x)
    torch.testing.assert_close(kept["joined"], kept["z"])


@pytest.mark.parametrize("options", [{}, {"shared_time": True}, {"first": 4}, {"per_sequence": True}])
def test_what_is_looked_at(options):
    network = model(**options)
    x, lengths = 1e-3 * clips(frames=13), np.array([13, 6])  # small enough that no score is exactly 0
    found = looks(network, x, lengths)
    frames = 7 if options.get("first") == 4 else 4
    assert found.informativeness.shape == (2, frames, 20)
    assert found.valid.sum(dim=1).tolist() == [frames, 4 if frames == 7 else 2]
    seen = torch.where(found.valid[..., None], found.chosen, found.chosen[:, :1])[:, :: 2 if frames == 7 else 1]
    ever = torch.zeros(2, 20).scatter(1, seen.flatten(1), 1.0).bool()
    sums = found.from_parts.sum(-1)
    torch.testing.assert_close(sums, ever.float())
    best = found.informativeness.gather(2, found.chosen).amin(-1)
    assert options.get("per_sequence") or (best[..., None] < found.informativeness).sum(-1).lt(12).all()


def test_joints_that_take_nothing_from_parts_cannot_be_looked_at():
    with pytest.raises(UserError, match="built with parts or cross off"):
        looks(model(cross=False), clips(), np.array([9, 9]))
