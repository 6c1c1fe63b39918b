"""Networks made elsewhere: whatever their layout, they say what the same network says in ours; or they are refused."""

import json
import re
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import Preprocessing, clip_tensors
from analysis_lib.errors import UserError
from analysis_lib.explain.attributions import explain, joint_table, part_table
from analysis_lib.explain.checks import masking_curves
from analysis_lib.explain.gradcam import GradCAM
from analysis_lib.geometry.curves import label_curves, smoothness_table
from analysis_lib.geometry.layerwise import dataset_graphs, layer_embeddings
from analysis_lib.networks.axes import by_name, checked_axes, readings
from analysis_lib.networks.checkpoints import Checkpoint, checkpoint_digest, load_checkpoint
from analysis_lib.networks.hooks import captured, cascade_steps
from analysis_lib.networks.own import adopted, load_state, read_state
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.networks.training.fit import evaluate, predict
from analysis_lib.skeletons.skeleton import Skeleton

C, T, V, M, K = 3, 12, 5, 2, 2  # of the clips; K classes
SHAPE = (C, T, V, M)
PREPARE = Preprocessing(frames=T, fit="pad", steps=("first-bodies",), bodies=M)
STAR = Skeleton("star", tuple("abcde"), tuple((i, 0) for i in range(1, 5)))


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    labels = np.arange(12) % K
    clips = [rng.normal(size=(M, rng.integers(7, T + 1), V, C)) + 2 * (c == 1) for c in labels]
    return SkeletonDataset("star", STAR, clips, labels, ("wave", "rest"))


class Net(nn.Module):
    """Clips into ``enter``, ``layer``, ``leave`` and a head: what subclasses lay out in their own way."""

    layer_names = ("layer",)
    preprocessing = PREPARE
    width = 6

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.layer, self.head = self.make(), nn.Linear(self.width, K)

    def make(self):
        return nn.Sequential(nn.Linear(C, self.width), nn.ReLU())

    def forward(self, x):
        return self.head(self.leave(self.layer(self.enter(x))))


class ChannelsLast(Net):
    axes, ours = "n t v c", (0, 3, 1, 2)

    def enter(self, x):
        return x.mean(4).permute(0, 2, 3, 1)

    def leave(self, y):
        return y.square().mean((1, 2))


class BodiesInBatch(Net):
    axes, ours = "(n m) t v c", (0, 3, 1, 2)

    def enter(self, x):
        return x.permute(0, 4, 2, 3, 1).flatten(0, 1)

    def leave(self, y):
        return y.square().mean((1, 2)).unflatten(0, (-1, M)).mean(1)


class BodiesOneAfterTheOther(Net):
    axes = "(m n) c t v"

    def make(self):
        return nn.Conv2d(C, self.width, 1)

    def enter(self, x):
        return torch.cat([x[..., m] for m in range(M)])

    def leave(self, y):
        return y.square().mean((2, 3)).unflatten(0, (M, -1)).mean(0)

    def to_ours(self, y):
        return y.unflatten(0, (M, -1)).transpose(0, 1).flatten(0, 1)

    def to_theirs(self, z):
        return z.unflatten(0, (-1, M)).transpose(0, 1).flatten(0, 1)


class Recurrent(Net):
    axes = "n t c"

    def make(self):
        return nn.GRU(C * V, self.width, batch_first=True)

    def enter(self, x):
        return x.mean(4).permute(0, 2, 1, 3).flatten(2)

    def leave(self, y):
        return y[0].square().mean(1)

    def to_ours(self, y):
        return y[0].transpose(1, 2)[..., None]

    def to_theirs(self, z):
        return (z[..., 0].transpose(1, 2),)


class TimeFirst(Recurrent):
    axes = "t n c"

    def make(self):
        return nn.GRU(C * V, self.width)

    def enter(self, x):
        return super().enter(x).transpose(0, 1)

    def leave(self, y):
        return y[0].square().mean(0)

    def to_ours(self, y):
        return y[0].permute(1, 2, 0)[..., None]

    def to_theirs(self, z):
        return (z[..., 0].permute(2, 0, 1),)


class Strided(Net):
    axes, ours = "n c t", (0, 1, 2)

    def make(self):
        return nn.Conv1d(C * V, self.width, 3, stride=2, padding=1)

    def enter(self, x):
        return x.mean(4).permute(0, 1, 3, 2).flatten(1, 2)

    def leave(self, y):
        return y.square().mean(2)

    def to_ours(self, y):
        return y[..., None]

    def to_theirs(self, z):
        return z[..., 0]


class Tokens(Net):
    layer_axes = axes = "n (t v) c"

    def make(self):
        layer = nn.TransformerEncoderLayer(self.width, 2, 8, dropout=0.5, batch_first=True)
        return nn.Sequential(nn.Linear(C, self.width), layer)

    def enter(self, x):
        return x.mean(4).permute(0, 2, 3, 1).flatten(1, 2)

    def leave(self, y):
        return y.square().mean(1)

    def to_ours(self, y):
        return y.unflatten(1, (T, V)).permute(0, 3, 1, 2)

    def to_theirs(self, z):
        return z.permute(0, 2, 3, 1).flatten(1, 2)


class WithGraph(nn.Linear):
    def forward(self, pair):
        return super().forward(pair[0]), pair[1]


class Pairs(ChannelsLast):
    def make(self):
        return WithGraph(C, self.width)

    def enter(self, x):
        return super().enter(x), torch.ones(V, V)

    def leave(self, y):
        return super().leave(y[0])

    def to_ours(self, y):
        return y[0].permute(0, 3, 1, 2)

    def to_theirs(self, z):
        return (z.permute(0, 2, 3, 1),)


class Twin(nn.Module):
    """The same network with its layer in our layout: (N M, C, T, V)."""

    layer_names, layer_axes, preprocessing = ("tap",), "(n m) c t v", PREPARE

    def __init__(self, net):
        super().__init__()
        self.net, self.tap = net, nn.Identity()
        if "m" not in net.axes:
            self.layer_axes = "n c t v"
        if "v" not in net.axes:
            self.layer_nodes = {"tap": np.ones((1, V))}  # one node that stands for all joints

    def forward(self, x):
        net = self.net
        order = getattr(net, "ours", None)
        forth = getattr(net, "to_ours", lambda y: y.permute(order))
        back = getattr(net, "to_theirs", lambda z: z.permute(tuple(np.argsort(order))))
        return net.head(net.leave(back(self.tap(forth(net.layer(net.enter(x)))))))


def scores_in(given):
    """Return `ChannelsLast` with its scores inside something else."""

    class Wrapped(ChannelsLast):
        def forward(self, x):
            scores = super().forward(x)
            return given(scores, scores.new_ones(len(scores), 7))

    return Wrapped


def in_parallel():
    net = nn.DataParallel(ChannelsLast())
    net.preprocessing = PREPARE
    return net


def frozen():
    """Return a network in training mode but for its batch norm."""
    net = ChannelsLast()
    net.layer = nn.Sequential(net.layer, nn.Dropout(0.5), Norm())
    net.train()
    net.layer[2].eval()
    return net


class Norm(nn.BatchNorm1d):
    def __init__(self):
        super().__init__(Net.width)
        self.running_mean += 0.3

    def forward(self, y):
        return super().forward(y.flatten(0, 2)).view_as(y)


FOREIGN = {
    "channels last": ChannelsLast,
    "bodies in the batch": BodiesInBatch,
    "one body after the other": BodiesOneAfterTheOther,
    "GRU": Recurrent,
    "GRU, time first": TimeFirst,
    "strided in time": Strided,
    "tokens": Tokens,
    "pairs": Pairs,
    "scores in a tuple": scores_in(lambda scores, other: (scores, other)),
    "scores in a dict": scores_in(lambda scores, other: {"features": other, "logits": scores}),
    "double": lambda: ChannelsLast().double(),
    "in parallel": in_parallel,
    "frozen batch norm": frozen,
}


@pytest.fixture
def loaded(data, monkeypatch):
    """Return a function that loads what a factory makes as a chapter does."""

    def load(factory, **options):
        monkeypatch.setattr(f"{__name__}.made", lambda data: factory(), raising=False)
        return load_checkpoint(f"{__name__}:made", data, **options)

    return load


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_network_says_what_its_twin_in_our_layout_says(kind, data, loaded):
    network = loaded(FOREIGN[kind])
    model = network.model
    assert network.axes == {"layer": checked_axes(model.axes, "layer")}
    assert any("are read as" in note for note in network.notes) != hasattr(model, "layer_axes")
    twin = Twin(getattr(FOREIGN[kind](), "module", FOREIGN[kind]())).eval()
    twin = Checkpoint("twin", twin.double() if kind == "double" else twin, twin.layer_names, PREPARE, {})
    if kind == "double":
        twin = replace(twin, model=adopted(twin.model, "twin", SHAPE, K)[0])
    tables = [numbers(one, data) for one in (network, twin)]
    pd.testing.assert_frame_equal(*[table.drop(columns=["layer_name", "name"], errors="ignore") for table in tables])
    maps = [explain(one, data, "true", GradCAM(), batch_size=5).importance for one in (network, twin)]
    expected = np.broadcast_to(maps[1], maps[0].shape)
    np.testing.assert_allclose(maps[0], expected, rtol=1e-4, atol=1e-6 * expected.max())
    assert expected.any()


def numbers(network, data):
    """Return the table of the smoothness chapter."""
    graphs = dataset_graphs(layer_embeddings(network, data), n_neighbors=4)
    return smoothness_table(label_curves(graphs, data, n_bootstrap=5))


@pytest.mark.parametrize("training", [False, True])
def test_modes_and_statistics_are_left_as_they_were(data, training):
    net = frozen()
    net.layer[2].train(training)
    modes, state = [m.training for m in net.modules()], {k: v.clone() for k, v in net.state_dict().items()}
    x = clip_tensors(data, PREPARE)[0]
    network = Checkpoint("mine", net, ("layer",), PREPARE, {})
    layer_embeddings(network, data)
    explain(network, data, "true", GradCAM())
    predict(net, x)
    cascade_steps(net, x, ["layer"])
    assert [m.training for m in net.modules()] == modes
    for name, tensor in net.state_dict().items():
        torch.testing.assert_close(tensor, state[name])


def layer_of(make, enter=lambda x: x.mean(4), **attributes):
    """Return a network whose layer is ``make()`` on (N, C, T, V), or on what ``enter`` makes of the clips."""

    class One(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = make()

        def forward(self, x):
            y = self.layer(enter(x))
            return y.flatten(1)[:, :K]

    net = One()
    for name, value in attributes.items():
        setattr(net, name, value)
    return net


class FixedLength(nn.Module):
    def forward(self, x):
        return (x.permute(0, 3, 1, 2) @ torch.ones(T, T) @ torch.ones(T, T)).permute(0, 2, 3, 1)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Identity()

    def forward(self, x):
        return sum(self.layer(x[..., m]).flatten(1)[:, :K] for m in range(M))


CONV = lambda width: lambda: nn.Conv2d(C, width, 1)  # noqa: E731


@pytest.mark.parametrize(
    ("net", "fits"),
    [
        (layer_of(CONV(6)), ("n c t v",)),
        (layer_of(CONV(T)), ("n c t v",)),  # as many channels as frames
        (layer_of(CONV(V)), ("n c t v", "n v t c")),  # as many channels as joints
        (layer_of(CONV(M)), ("n c t v",)),  # as many channels as bodies
        (layer_of(FixedLength), ("n c t v", "n t c v")),  # one length alone: three channels could be frames
        (layer_of(lambda: nn.Flatten(2), lambda x: x.mean(4).permute(0, 2, 1, 3)), ("n t c",)),
        (layer_of(lambda: nn.Flatten(1, 2), lambda x: x.mean(4).permute(0, 2, 3, 1)), ("n (t v) c", "n (v t) c")),
        (layer_of(lambda: nn.AdaptiveAvgPool2d((4, V))), ()),  # no axis follows the frames
        (layer_of(lambda: nn.AvgPool2d((1, 2))), ()),  # two nodes, which are no joints
        (layer_of(lambda: nn.AvgPool2d((1, 2)), layer_nodes={"layer": np.ones((2, V))}), ("n c t v",)),
        (layer_of(lambda: nn.Flatten()), ()),
        (layer_of(lambda: nn.Identity(), lambda x: x), ("n c t v m",)),
        (
            layer_of(lambda: nn.Linear(C, 8), lambda x: x.permute(0, 2, 3, 4, 1).reshape(-1, V, M * C)[..., :C]),
            ("(n t) v c",),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_axes_are_read_where_one_reading_fits(net, fits):
    ((_, found),) = readings(net, SHAPE, ["layer"]).values()
    assert set(found) == set(fits)


def test_few_tokens_are_not_taken_for_frames():
    """Every eighth frame of five joints: 25 tokens, which 40 frames might be; but they grow by five at a time."""
    net = layer_of(lambda: nn.Flatten(1, 2), lambda x: x[..., 0].permute(0, 2, 3, 1)[:, ::8])
    assert readings(net, (C, 40, V, 1), ["layer"]) == {"layer": ("(3, 25, 3)", ("n (t v) c", "n (v t) c"))}


def test_a_layer_of_two_readings_is_refused_until_it_is_named(data):
    net = layer_of(CONV(V), layer_names=("layer",))
    network = Checkpoint("mine", net, ("layer",), PREPARE, {})
    message = r"layer 'layer' gives \(3, 5, 12, 5\) .* can be read as '.*', '.*': say which, by .* -p layer_axes"
    for use in (lambda n: layer_embeddings(n, data), lambda n: explain(n, data, "true", GradCAM())):
        with pytest.raises(UserError, match=message):
            use(network)
        use(replace(network, axes={"layer": "n c t v"}))


@pytest.mark.parametrize(
    ("factory", "axes"),
    [(ChannelsLast, "n c t v"), (ChannelsLast, "t n v c"), (BodiesInBatch, "(m n) t v c"), (Strided, "n t c")],
)
def test_a_name_that_the_network_contradicts_is_refused(loaded, factory, axes):
    message = (
        rf"are named '{re.escape(axes)}', but of its output .* what fits is {re.escape(factory.axes)}|that is not '"
    )
    with pytest.raises(UserError, match=message):
        loaded(factory, layer_axes=[axes])


class WithClass(Tokens):
    """A transformer that reads the class off a token of its own, before those of frames and joints, or of frames."""

    layer_axes, of_frames = None, False

    def enter(self, x):
        y = x.mean((3, 4)).transpose(1, 2) if self.of_frames else super().enter(x)
        return torch.cat([y.new_ones(len(y), 1, C), y], 1)


@pytest.mark.parametrize(
    ("axes", "of_frames"), [(None, False), ("n (t v) c", False), (None, True), ("n t c", True)], ids=str
)
def test_a_class_token_is_named_with_its_cure(data, loaded, axes, of_frames):
    made = type("Made", (WithClass,), {"layer_axes": axes, "of_frames": of_frames})
    with pytest.raises(UserError, match=r"is one token that of the class\? .*self.tap\(y\[:, 1:\]\)") as error:
        layer_embeddings(loaded(made), data)
    assert "\n" not in str(error.value)

    class Cured(made):
        layer_names, layer_axes = ("tap",), "n t c" if of_frames else "n (t v) c"

        def make(self):
            self.tap = nn.Identity()
            return super().make()

        def leave(self, y):
            return torch.cat([y[:, :1], self.tap(y[:, 1:])], 1).square().mean(1)

    assert len(numbers(loaded(Cured), data))


@pytest.mark.parametrize("pattern", ["n c v", "n c t t", "n (c t", "n ((c t) v)", "n c t ...", "", "n c t V"])
def test_patterns_that_name_no_axes(pattern):
    with pytest.raises(UserError, match="does not name the axes of layer 'a'; name each once"):
        checked_axes(pattern, "a")


@pytest.mark.parametrize(
    ("axes", "shape", "ours"),
    [
        ("(n m) c t v", (4, 6, 7, 5), lambda y: y.unflatten(0, (2, M))),
        ("n heads t c", (2, 3, 7, 6), lambda y: y.transpose(2, 3).flatten(1, 2)[:, None, :, :, None]),
        ("n t", (2, 7), lambda y: y[:, None, None, :, None]),
        ("t (v n) c m", (7, 10, 6, 2), lambda y: y.unflatten(1, (5, 2)).permute(2, 4, 3, 0, 1)),
    ],
)
def test_axes_in_our_order(axes, shape, ours):
    output = torch.arange(float(np.prod(shape))).view(shape)
    torch.testing.assert_close(by_name(output, axes, "a", SHAPE, 2), ours(output))


@pytest.mark.parametrize("axes", ["n t v", "(n m) c t v", "c n t v", "n c v (t x)"])
def test_an_output_is_held_to_its_pattern(axes):
    message = r"layer 'a' gave \(2, 6, 12, 5\) for 2 clips of 5 joints and 2 bodies; that is not '"
    with pytest.raises(UserError, match=message + re.escape(axes)):
        by_name(torch.zeros(2, 6, 12, 5), axes, "a", SHAPE, 2)


def test_a_layer_has_no_more_frames_than_the_clip():
    with pytest.raises(UserError, match=r"read as 'n c v t' that is 24 frames of clips of 12"):
        by_name(torch.zeros(2, 6, 5, 24), "n c v t", "a", SHAPE, 2)


class Short(Net):
    """A network that needs twenty frames."""

    def make(self):
        return nn.Conv2d(C, self.width, (20, 1))

    def enter(self, x):
        return x.mean(4)

    def leave(self, y):
        return y.mean((2, 3))


def giving(output):
    net = ChannelsLast()
    net.forward = lambda x: output(x)
    return net


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (None, "mine returned NoneType; a torch.nn.Module is needed"),
        (Short(), r"cannot take clips of 3 channels, 12 frames, .*; it does take 24 frames: .*frames=24, fit='pad'"),
        (
            giving(lambda x: x @ x.new_ones(99)),
            "cannot take clips .*RuntimeError.*are joints, channels, bodies and frames",
        ),
        (giving(lambda x: x.mean((3, 4))), r"mine gives \(3, 3, 12\) for 3 clips; scores of shape \(clips, classes\)"),
        (giving(lambda x: (x, x)), "gives tuple, not scores; of two axes are in it: none"),
        (giving(lambda x: {"a": x.sum((2, 3))[..., 0], "b": x.sum((2, 3))[..., 0]}), r"'a' of shape \(3, 3\), 'b'"),
        (giving(lambda x: "scores"), "gives str, not scores"),
    ],
)
def test_networks_that_cannot_be_called_say_why(net, message):
    with pytest.raises(UserError, match=message):
        adopted(net, "mine", SHAPE, K)


def test_the_scores_are_those_with_a_column_a_class():
    net, (note,) = adopted(giving(lambda x: (x.flatten(1), x.sum((2, 3, 4))[:, :K])), "mine", SHAPE, K)
    assert net(torch.ones(4, *SHAPE)).shape == (4, K)
    assert note == "Of what the network gives number 2 is read as its scores."


def test_a_layer_that_is_called_twice_is_refused_and_forgotten_between_passes():
    net = Twice()
    with captured(net, ["layer"]), pytest.raises(UserError, match="layer 'layer' is called more than once in a pass"):
        net(torch.zeros(1, *SHAPE))
    once = nn.Sequential(nn.Identity())
    with captured(once, ["0"]) as outputs:
        for i in range(2):
            once(torch.full((1,), i))
    assert outputs["0"].item() == 1
    assert not once._forward_pre_hooks


def test_maps_of_a_layer_without_joints_say_when_and_no_table_says_where(data, loaded):
    network = loaded(Recurrent)
    assert "There is no axis of joints in <code>layer</code>" in network.notes[-1]
    found = explain(network, data, "true", GradCAM())
    assert np.ptp(found.importance, axis=3).max() == 0
    assert np.ptp(found.importance, axis=2).max() > 0
    assert part_table(found).empty
    for table in (joint_table, masking_curves):
        with pytest.raises(UserError, match="layer 'layer' has no axis of joints: its maps say when, not where"):
            table(found)
    with pytest.raises(UserError, match=r"layer 'layer' has no axis of joints \('n t c'\); reduce must be"):
        layer_embeddings(network, data, reduce="joint")


def test_other_numbers_of_classes_are_refused_where_scores_meet_names(data, loaded):
    network = loaded(lambda: nets_of(7))
    layer_embeddings(network, data)
    with pytest.raises(UserError, match="tells 7 classes apart, and dataset 'star' has 2"):
        explain(network, data, "true", GradCAM())
    with pytest.raises(UserError, match="tells 7 classes apart"):
        evaluate(network.model, data, PREPARE)


def nets_of(n_classes):
    net = ChannelsLast()
    net.head = nn.Linear(net.width, n_classes)
    return net


def test_layers_and_axes_are_given_from_outside(loaded):
    network = loaded(ChannelsLast, layers=["layer.0", "layer.1"], layer_axes=["layer.0: n t v c"])
    assert network.layers == ("layer.0", "layer.1")
    assert network.axes == dict.fromkeys(network.layers, "n t v c")
    assert len(network.notes) == 1
    assert loaded(Tokens, layer_axes=["n (v t) c"]).axes == {"layer": "n (v t) c"}
    with pytest.raises(UserError, match="unknown layer in layer_axes 'lyer'; did you mean 'layer'"):
        loaded(Tokens, layer_axes=["lyer: n t c"])
    with pytest.raises(UserError, match="one pattern for all layers, or one a layer"):
        loaded(Tokens, layer_axes=["n t c", "n c t"])
    with pytest.raises(UserError, match=r'for example -p layers "layer,head"; stgbook model describe'):
        loaded(lambda: setattr(net := ChannelsLast(), "layer_names", ()) or net)


@pytest.mark.parametrize("prefix", ["", "module.", "module._orig_mod.", "net.model."])
def test_weights_come_back_whatever_wraps_them(prefix, tmp_path):
    net, other = ChannelsLast(), ChannelsLast()
    nn.init.normal_(net.head.weight)
    state = {prefix + name: tensor for name, tensor in net.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": state} if prefix else state, tmp_path / "a.pt")
    load_state(other, read_state(tmp_path / "a.pt"), "a.pt")
    torch.testing.assert_close(other.state_dict(), net.state_dict())


def test_weights_of_another_network_are_told_in_one_line():
    state = {
        "module.head.weight": torch.zeros(7, 6),
        "module.layer.0.bias": torch.zeros(6),
        "module.more": torch.zeros(1),
    }
    with pytest.raises(UserError, match=r"the weights in a\.pt are not those of this ChannelsLast") as error:
        load_state(ChannelsLast(), state, "a.pt")
    assert (
        "of 4 tensors, 2 missing, the first 'layer.0.weight'; 1 unexpected, the first 'more'; 1 of another shape, "
        "the first 'head.weight', which is (7, 6) and not (2, 6)"
    ) in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (ChannelsLast, "holds more than weights, which could run code"),
        (lambda: {"a": {"w": torch.zeros(1)}, "b": {"w": torch.zeros(1)}}, r"weights of several networks \(a, b\)"),
        (lambda: {"epoch": 3}, "holds no weights"),
        (lambda: torch.zeros(3), "holds Tensor; the tensors of a `state_dict"),
        (lambda: {"w": torch.full((1,), torch.nan)}, "the tensor 'w' has values that are not finite"),
    ],
)
def test_files_that_hold_no_weights(content, message, tmp_path):
    torch.save(content(), tmp_path / "a.pt")
    with pytest.raises(UserError, match=message):
        read_state(tmp_path / "a.pt")


def test_somebodys_weights_need_a_network_and_a_card_or_its_name(data, tmp_path):
    net = STGCN(STAR, K, C, width=0.06).eval()
    path = tmp_path / "a.pt"
    torch.save({"state_dict": {f"module.{k}": v for k, v in net.state_dict().items()}}, path)
    with pytest.raises(UserError, match=r"holds weights alone: say of which network .*stgcn.*, put a card a\.json"):
        load_checkpoint(str(path), data)
    with pytest.raises(UserError, match=r"are not those of this STGCN: of \d+ tensors, \d+ of another shape"):
        load_checkpoint(str(path), data, architecture="stgcn")
    card = {"name": "a", "architecture": "stgcn", "arguments": {"width": 0.06}, "skeleton": STAR.to_dict()}
    card |= {"class_names": ["wave", "rest"], "in_channels": C, "preprocessing": PREPARE.to_dict()}
    path.with_suffix(".json").write_text(json.dumps(card))
    x = torch.from_numpy(clip_tensors(data, PREPARE)[0])
    found, first = load_checkpoint(str(path), data), checkpoint_digest(str(path))
    torch.testing.assert_close(found.model(x), net(x))
    path.with_suffix(".json").write_text(json.dumps(card | {"weights_sha256": "0"}))
    assert checkpoint_digest(str(path)) != first
    with pytest.raises(UserError, match=r"a\.pt is not what a\.json describes"):
        load_checkpoint(str(path), data)


def test_an_architecture_by_name_takes_the_classes_of_the_data(data, tmp_path):
    torch.save(STGCN(STAR, K, C).state_dict(), tmp_path / "a.pt")
    found = load_checkpoint(str(tmp_path / "a.pt"), data, architecture="stgcn")
    assert found.preprocessing.frames == 300
    assert "are read as those of stgcn" in found.notes[0]


def test_a_factory_in_a_file(data, tmp_path, monkeypatch):
    text = "from torch import nn\n\ndef make(data):\n    net = nn.Sequential(nn.Flatten(), nn.LazyLinear(2))\n"
    (tmp_path / "my_own_nets.py").write_text(text + "    net.layer_names = ('0',)\n    return net\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert load_checkpoint(f"{tmp_path}/my_own_nets.py:make", data).layers == ("0",)
    assert checkpoint_digest(f"{tmp_path}/my_own_nets.py:make")
    sys.modules.pop("my_own_nets")
    with pytest.raises(UserError, match="there is no file"):
        load_checkpoint(f"{tmp_path}/other.py:make", data)
