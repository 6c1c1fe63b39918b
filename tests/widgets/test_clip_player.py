"""A player of clips: their own poses, the maps of any method on their own frames, and what the network said."""

import numpy as np
import pytest
import torch
from torch import nn

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import Preprocessing
from analysis_lib.explain.attributions import clip_maps
from analysis_lib.explain.gradcam import GradCAM
from analysis_lib.explain.method import Maps
from analysis_lib.explain.plain_baselines import MotionEnergy
from analysis_lib.networks.checkpoints import Checkpoint
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.skeletons.skeleton import Skeleton
from analysis_lib.widgets.clip_player import clip_player, method_player

STICK = Skeleton("stick", ("foot", "knee", "hip"), ((0, 1), (1, 2)), centre=2)
CLASSES = ("kick", "jump", "nod", "wave")


@pytest.fixture
def data(rng):
    clips = [rng.normal(size=(1, rng.integers(5, 12), 3, 3)) for _ in range(3)]
    return SkeletonDataset("toy", STICK, clips, [0, 1, 3], CLASSES)


@pytest.fixture
def network():
    torch.manual_seed(0)
    model = STGCN(STICK, 4, width=0.125).eval()
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    prepare = Preprocessing(frames=8, fit="pad", steps=("largest-bodies", "centre-clip"))
    return Checkpoint("toy", model, model.layer_names, prepare, {})


def test_the_player_holds_the_maps_of_its_clips_on_their_own_frames(network, data):
    maps = clip_maps(network, data, "wave", GradCAM())
    player = clip_player(network, data, maps, layer=3)
    np.testing.assert_allclose(player.peaks, [[m[i].max() for m in maps.maps] for i in range(3)], rtol=1e-4)
    assert [c["frames"] for c in player.clips] == [s.shape[1] for s in data.sequences]
    assert (player.layer, player.layers[3]) == (3, "layer 4 of 10")
    for clip, true, said in zip(player.clips, data.labels, maps.scores.argmax(axis=1), strict=True):
        wrong = "" if true == said else f", named {CLASSES[said]}"
        assert clip["name"].removesuffix(" (1)") == CLASSES[true] + wrong


def test_a_method_without_layers_is_called_by_its_name(network, data):
    lengths, values = np.array([8, 8, 5]), np.ones((3, 1, 8, 3), np.float32)
    maps = Maps(("shapley",), (-values,), (lengths,), np.eye(4)[data.labels], data.labels)
    player = clip_player(network, data, maps)
    assert (player.layers, player.peaks) == (["shapley"], [[1], [1], [1]])
    assert [clip["name"] for clip in player.clips] == ["kick", "jump", "wave"]


def test_the_reader_chooses_among_methods(network, data):
    player = method_player(network, data, {"GradCAM": GradCAM(), "motion": MotionEnergy()})
    assert (player.layers, player.layer) == (["GradCAM", "motion"], 0)
    peaks = [clip_maps(network, data, "true", method).maps[-1] for method in (GradCAM(), MotionEnergy())]
    np.testing.assert_allclose(player.peaks, [[m[i].max() for m in peaks] for i in range(3)], rtol=1e-4)


def test_of_several_bodies_the_one_is_played_that_the_network_sees(network, rng):
    clip = np.concatenate([0.1 * rng.normal(size=(1, 6, 3, 3)), rng.normal(size=(1, 6, 3, 3))])
    pair, alone = (SkeletonDataset("toy", STICK, [x], [0], CLASSES) for x in (clip, clip[1:]))
    first, second = (clip_player(network, d, clip_maps(network, d, "true", GradCAM())) for d in (pair, alone))
    assert first.clips[0]["bodies"] == 1
    assert first.poses == second.poses
