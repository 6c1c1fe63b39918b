"""ST-GCN: published names and shapes, published sizes, and a forward pass worked out by hand."""

import pytest
import torch

from analysis_lib.errors import UserError
from analysis_lib.networks.hooks import captured
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.networks.units import GraphConv
from analysis_lib.skeletons.layouts import layout


def official_table(v, k, classes, channels=3):
    """Return {key: shape} of the official state dict for V joints and K subsets."""

    def batch_norm(prefix, size):
        return {f"{prefix}.{name}": (size,) for name in ("weight", "bias", "running_mean", "running_var")} | {
            f"{prefix}.num_batches_tracked": ()
        }

    widths = [64, 64, 64, 64, 128, 128, 128, 256, 256, 256]
    table = {
        "A": (k, v, v),
        **batch_norm("data_bn", v * channels),
        "fcn.weight": (classes, 256, 1, 1),
        "fcn.bias": (classes,),
    }
    for i, (c_in, c_out) in enumerate(zip([channels, *widths], widths, strict=False)):
        block = f"st_gcn_networks.{i}"
        table |= {
            f"edge_importance.{i}": (k, v, v),
            f"{block}.gcn.conv.weight": (c_out * k, c_in, 1, 1),
            f"{block}.gcn.conv.bias": (c_out * k,),
            f"{block}.tcn.2.weight": (c_out, c_out, 9, 1),
            f"{block}.tcn.2.bias": (c_out,),
            **batch_norm(f"{block}.tcn.0", c_out),
            **batch_norm(f"{block}.tcn.3", c_out),
        }
        if i in (4, 7):
            table |= {
                f"{block}.residual.0.weight": (c_out, c_in, 1, 1),
                f"{block}.residual.0.bias": (c_out,),
                **batch_norm(f"{block}.residual.1", c_out),
            }
    return table


@pytest.mark.parametrize(("name", "classes"), [("ntu-25", 60), ("openpose-18", 400)])
def test_state_dict_has_the_official_keys_and_shapes(name, classes):
    model = STGCN(layout(name), classes)
    table = official_table(layout(name).n_joints, 3, classes)
    assert {k: tuple(v.shape) for k, v in model.state_dict().items()} == table


def test_an_official_state_dict_loads_strictly():
    model = STGCN(layout("ntu-25"), 60)
    official = {
        k: torch.zeros(s, dtype=torch.long if k.endswith("tracked") else torch.float32)
        for k, s in official_table(25, 3, 60).items()
    }
    model.load_state_dict(official, strict=True)


@pytest.mark.parametrize(
    ("name", "classes", "strategy", "size"),
    [
        ("ntu-25", 60, "spatial_legacy", 3_098_832),
        ("ntu-25", 60, "distance", 2_873_894),
        ("ntu-25", 60, "uniform", 2_648_956),
        ("ntu-25", 120, "spatial", 3_114_252),
        ("openpose-18", 400, "spatial_legacy", 3_177_140),
    ],
)
def test_parameter_counts_are_the_published_ones(name, classes, strategy, size):
    model = STGCN(layout(name), classes, strategy=strategy)
    assert sum(p.numel() for p in model.parameters()) == size


def test_graph_convolution_is_the_triple_sum(rng):
    conv = GraphConv(2, 3, n_subsets=2)
    x = torch.from_numpy(rng.normal(size=(1, 2, 4, 5))).float()
    a = torch.from_numpy(rng.normal(size=(2, 5, 5))).float()
    y = conv(x, a)
    weight, bias = conv.conv.weight[:, :, 0, 0].view(2, 3, 2), conv.conv.bias.view(2, 3)
    by_hand = torch.zeros(3, 4, 5)
    for k in range(2):
        for v in range(5):
            for w in range(5):
                feature = weight[k] @ x[0, :, :, v] + bias[k][:, None]  # (3, 4)
                by_hand[:, :, w] += feature * a[k, v, w]
    torch.testing.assert_close(y[0], by_hand)


def test_strides_halve_time_and_layers_have_the_published_widths():
    model = STGCN(layout("kinect-20"), 10).eval()
    with torch.no_grad(), captured(model, model.layer_names) as outputs:
        scores = model(torch.zeros(2, 3, 52, 20, 2))
    assert scores.shape == (2, 10)
    shapes = [tuple(outputs[name].shape) for name in model.layer_names]
    assert shapes == ([(4, 64, 52, 20)] * 4 + [(4, 128, 26, 20)] * 3 + [(4, 256, 13, 20)] * 3)


def test_body_order_does_not_matter_and_clips_do_not_mix(rng):
    model = STGCN(layout("kinect-20"), 4, width=0.125).eval()
    x = torch.from_numpy(rng.normal(size=(3, 3, 16, 20, 2))).float()
    with torch.no_grad():
        whole, swapped, alone = model(x), model(x.flip(-1)), model(x[1:2])
    torch.testing.assert_close(whole, swapped)
    torch.testing.assert_close(whole[1:2], alone)


def test_data_normalisation_is_joint_major(rng):
    """Channel v*C + c of ``data_bn`` belongs to coordinate c of joint v."""
    model = STGCN(layout("kinect-20"), 4, width=0.125).eval()
    x = torch.from_numpy(rng.normal(size=(1, 3, 8, 20, 1))).float()
    moved = x.clone()
    moved[:, 2, :, 7] += 5.0  # coordinate z of joint 7
    with torch.no_grad():
        before = model(x)
        model.data_bn.running_mean[7 * 3 + 2] += 5.0
        torch.testing.assert_close(model(moved), before)


def test_wrong_joint_count_is_named():
    with pytest.raises(UserError, match=r"takes 60 coordinates a frame, got 3 channels x 25 joints"):
        STGCN(layout("kinect-20"), 4, width=0.125)(torch.zeros(1, 3, 8, 25, 1))


@pytest.mark.parametrize("option", [{"width": 0.001}, {"n_classes": 0}])
def test_a_network_of_nothing(option):
    with pytest.raises(UserError, match="{}={}".format(*next(iter(option.items())))):
        STGCN(layout("kinect-20"), **{"n_classes": 4, **option})
