"""Shift-GCN: published names and shapes, and a forward pass in loops over every channel, frame and joint."""

import math

import numpy as np
import pytest
import torch

from analysis_lib.networks.shift_gcn import SIGN_STEP, ZERO_STEP, ShiftGCN, TemporalShift
from analysis_lib.skeletons.layouts import layout
from analysis_lib.skeletons.skeleton import Skeleton


def official_table(v, classes, bodies=2, channels=3):
    """Return {key: shape} of the official state dict."""

    def batch_norm(prefix, size):
        names = ("weight", "bias", "running_mean", "running_var")
        return {f"{prefix}.{name}": (size,) for name in names} | {f"{prefix}.num_batches_tracked": ()}

    widths = [64, 64, 64, 64, 128, 128, 128, 256, 256, 256]
    table = batch_norm("data_bn", bodies * v * channels) | {"fc.weight": (classes, 256), "fc.bias": (classes,)}
    for k, (i, o) in enumerate(zip([channels, *widths], widths, strict=False), 1):
        gcn, tcn = f"l{k}.gcn1", f"l{k}.tcn1"
        table |= {
            f"{gcn}.Linear_weight": (i, o),
            f"{gcn}.Linear_bias": (1, 1, o),
            f"{gcn}.Feature_Mask": (1, v, i),
            f"{gcn}.shift_in": (v * i,),
            f"{gcn}.shift_out": (v * o,),
            f"{tcn}.temporal_linear.weight": (o, o, 1, 1),
            f"{tcn}.temporal_linear.bias": (o,),
            **{f"{tcn}.shift_{end}.{axis}pos": (o,) for end in ("in", "out") for axis in "xy"},
            **batch_norm(f"{gcn}.bn", v * o),
            **batch_norm(f"{tcn}.bn", o),
            **batch_norm(f"{tcn}.bn2", o),
        }
        if i != o:
            table |= {f"{gcn}.down.0.weight": (o, i, 1, 1), f"{gcn}.down.0.bias": (o,)}
            table |= batch_norm(f"{gcn}.down.1", o)
        if k in (5, 8):
            table |= {f"l{k}.residual.conv.weight": (o, i, 1, 1), f"l{k}.residual.conv.bias": (o,)}
            table |= batch_norm(f"l{k}.residual.bn", o)
    return table


def is_index(key):
    return key.endswith(("tracked", "gcn1.shift_in", "gcn1.shift_out"))


@pytest.mark.parametrize(("classes", "size"), [(60, 693_107), (120, 708_527)])
def test_an_official_state_dict_loads_strictly(classes, size):
    model = ShiftGCN(layout("ntu-25"), classes, bodies=2)
    table = official_table(25, classes)
    assert len(table) == 302
    zeros = {k: torch.zeros(s, dtype=torch.long if is_index(k) else torch.float32) for k, s in table.items()}
    model.load_state_dict(zeros, strict=True)
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == size


def test_indices_are_those_of_the_formula():
    state = ShiftGCN(layout("ntu-25"), 60).state_dict()
    place, c = np.arange(25 * 64), np.tile(np.arange(64), 25)
    assert state["l2.gcn1.shift_in"].tolist() == ((place + c * 64) % (25 * 64)).tolist()
    assert state["l2.gcn1.shift_out"].tolist() == ((place - c * 64) % (25 * 64)).tolist()


def slow_shift(x, y, stride):
    """Return the temporal shift of (C, T, V), value by value."""
    c, t, v = x.shape
    out = np.zeros((c, math.ceil(t / stride), v))
    for k in range(c):
        p = y[k] + (0.5 if stride == 2 else 0)
        f = math.floor(p)
        for i in range(out.shape[1]):
            for frame, weight in ((i * stride + f, 1 - (p - f)), (i * stride + f + 1, p - f)):
                if 0 <= frame < t:
                    out[k, i] += weight * x[k, frame]
    return out


def slow_norm(x, state, key):
    """Return batch norm over the first axis of x."""
    w, b, m, s = (state[f"{key}.{n}"].numpy() for n in ("weight", "bias", "running_mean", "running_var"))
    shape = (-1,) + (1,) * (x.ndim - 1)
    return (x - m.reshape(shape)) / np.sqrt(s + 1e-5).reshape(shape) * w.reshape(shape) + b.reshape(shape)


def slow_layer(x, state, k, stride):
    """Return layer k of (C, T, V), from the published description alone."""
    get = {key.removeprefix(f"l{k}."): v.numpy() for key, v in state.items() if key.startswith(f"l{k}.")}
    c, t, v = x.shape
    o = get["gcn1.Linear_weight"].shape[1]
    mixed = np.zeros((o, t, v))
    for f in range(t):
        for j in range(v):
            taken = np.array(
                [x[i, f, (j + i) % v] * (math.tanh(get["gcn1.Feature_Mask"][0, j, i]) + 1) for i in range(c)]
            )
            mixed[:, f, j] = taken @ get["gcn1.Linear_weight"] + get["gcn1.Linear_bias"][0, 0]
    back = np.zeros_like(mixed)
    for j in range(v):
        for i in range(o):
            back[i, :, j] = mixed[i, :, (j - i) % v]
    columns = slow_norm(back.transpose(2, 0, 1).reshape(v * o, t), state, f"l{k}.gcn1.bn")
    y = columns.reshape(v, o, t).transpose(1, 2, 0)
    if "gcn1.down.0.weight" in get:
        down = np.einsum("oi,itv->otv", get["gcn1.down.0.weight"][:, :, 0, 0], x)
        y = y + slow_norm(down + get["gcn1.down.0.bias"][:, None, None], state, f"l{k}.gcn1.down.1")
    else:
        y = y + x
    y = np.maximum(y, 0)
    z = slow_shift(slow_norm(y, state, f"l{k}.tcn1.bn"), get["tcn1.shift_in.ypos"], 1)
    z = np.einsum("oi,itv->otv", get["tcn1.temporal_linear.weight"][:, :, 0, 0], z)
    z = np.maximum(z + get["tcn1.temporal_linear.bias"][:, None, None], 0)
    z = slow_norm(slow_shift(z, get["tcn1.shift_out.ypos"], stride), state, f"l{k}.tcn1.bn2")
    if "residual.conv.weight" in get:
        past = np.einsum("oi,itv->otv", get["residual.conv.weight"][:, :, 0, 0], x[:, ::stride])
        z = z + slow_norm(past + get["residual.conv.bias"][:, None, None], state, f"l{k}.residual.bn")
    elif k > 1:
        z = z + x
    return np.maximum(z, 0)


@pytest.mark.parametrize("frames", [8, 9])
def test_scores_are_those_of_the_slow_loops(frames):
    stick = Skeleton("stick", tuple("abcde"), [(i, i + 1) for i in range(4)])
    model = ShiftGCN(stick, 4, width=0.0625, bodies=2).eval()
    generator = torch.Generator().manual_seed(3)
    state = model.state_dict()
    for key, tensor in state.items():
        if not is_index(key):
            drawn = torch.randn(tensor.shape, generator=generator)
            spread = 3 if key.endswith("ypos") else 0.5
            tensor.copy_(drawn.abs() + 0.5 if key.endswith(("running_var", "bn.weight")) else drawn * spread)
    x = torch.randn(1, 3, frames, 5, 2, generator=generator)
    rows = x[0].permute(3, 2, 0, 1).reshape(30, frames).numpy()  # body, joint, coordinate
    bodies = slow_norm(rows, state, "data_bn").reshape(2, 5, 3, frames).transpose(0, 2, 3, 1)
    features = []
    for body in bodies:
        for k in range(1, 11):
            body = slow_layer(body, state, k, stride=2 if k in (5, 8) else 1)
        features.append(body.mean(axis=(1, 2)))
    scores = state["fc.weight"].numpy() @ np.mean(features, axis=0) + state["fc.bias"].numpy()
    with torch.no_grad():
        np.testing.assert_allclose(model(x)[0].numpy(), scores, rtol=2e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("shift", "stride", "expected"),
    [
        (0.25, 1, [1.25, 2.25, 3.25, 3.0]),
        (-0.25, 1, [0.75, 1.75, 2.75, 3.75]),  # rounds down, not toward zero
        (-1.0, 1, [0.0, 1.0, 2.0, 3.0]),
        (9.0, 1, [0.0, 0.0, 0.0, 0.0]),
        (0.0, 2, [1.5, 3.5]),
        (-0.5, 2, [1.0, 3.0]),
    ],
)
def test_shifts_by_hand(shift, stride, expected):
    unit = TemporalShift(1, stride)
    torch.nn.init.constant_(unit.ypos, shift)
    x = torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 1, 4, 1)
    torch.testing.assert_close(unit(x).flatten(), torch.tensor(expected))


def test_shifts_learn_by_the_sign_of_the_gradient_or_by_the_gradient():
    x = torch.tensor([[1.0, 2.0, 4.0], [3.0, 2.0, 1.0], [1.0, 1.0, 1.0]]).view(1, 3, 3, 1)
    steps = {}
    for signed in (True, False):
        unit = TemporalShift(3, sign_gradient=signed)
        torch.nn.init.constant_(unit.ypos, 0.5)
        unit(x)[:, :, :2].sum().backward()
        steps[signed] = unit.ypos.grad
    torch.testing.assert_close(steps[False], torch.tensor([3.0, -2.0, 0.0]))
    torch.testing.assert_close(steps[True], torch.tensor([SIGN_STEP, -SIGN_STEP, ZERO_STEP]))
