"""Training: it learns, it resumes to the same weights, and test clips are never touched."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from analysis_lib.datasets.dataset import SkeletonDataset
from analysis_lib.datasets.preparation.recipe import Preprocessing, clip_tensor, clip_tensors
from analysis_lib.errors import DataError, UserError
from analysis_lib.networks.st_gdn import Whitening, inverse_root
from analysis_lib.networks.stgcn import STGCN
from analysis_lib.networks.training import fit as fit_module
from analysis_lib.networks.training.epochs import Recipe, TrainingState, learning_rate, optimiser
from analysis_lib.networks.training.fit import _is_stale, evaluate, fit, hold_out
from analysis_lib.skeletons.skeleton import Skeleton

STICK = Skeleton("stick", ("foot", "knee", "hip"), ((0, 1), (1, 2)), centre=2)
PREPARE = Preprocessing(frames=8, steps=("first-bodies",))
RECIPE = Recipe(epochs=4, batch_size=8, lr=0.02, warmup=1, holdout=0.2, mixed_precision=False)


@pytest.fixture
def data(rng):
    """Two classes that differ in the height of the foot; 8 subjects."""
    labels = np.tile([0, 1], 24)
    clips = [rng.normal(size=(1, 8, 3, 3)) + [0, 3 * label, 0] for label in labels]
    return SkeletonDataset(
        "stick",
        STICK,
        clips,
        labels,
        ("low", "high"),
        subjects=np.repeat(np.arange(8), 6),
        splits={"train": np.arange(48)},
    )


def new_model():
    torch.manual_seed(0)
    return STGCN(STICK, 2, width=0.125, dropout=0.2)


def weights(model):
    return {k: v.clone() for k, v in model.state_dict().items()}


def untimed(history):
    """Return a history without what no two runs share; each epoch took some time."""
    assert all(record["seconds"] > 0 for record in history)
    return [{key: value for key, value in record.items() if key != "seconds"} for record in history]


def test_a_separable_problem_is_learnt(data):
    model = new_model()
    history = fit(model, data, PREPARE, replace(RECIPE, epochs=12), progress=False)
    assert history[-1]["loss"] < history[0]["loss"]
    assert evaluate(model, data, PREPARE)["accuracy"] == 1.0


@pytest.mark.parametrize("options", [{}, {"schedule": "step", "repeats": 2, "averaged": 3}])
def test_a_killed_run_resumes_to_the_same_weights(data, tmp_path, options):
    whole, recipe = new_model(), replace(RECIPE, **options)
    history = fit(whole, data, PREPARE, recipe, progress=False)

    def stop_after_two(record):
        if record["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(new_model(), data, PREPARE, recipe, tmp_path / "state.pt", progress=False, on_epoch=stop_after_two)
    resumed = new_model()
    resumed_history = fit(resumed, data, PREPARE, recipe, tmp_path / "state.pt", progress=False)
    assert untimed(resumed_history) == untimed(history)
    for key, value in weights(resumed).items():
        torch.testing.assert_close(value, weights(whole)[key], rtol=0, atol=0)


def test_a_state_of_another_recipe_is_refused(data, tmp_path):
    short = replace(RECIPE, epochs=1)
    fit(new_model(), data, PREPARE, short, tmp_path / "state.pt", progress=False)
    with pytest.raises(UserError, match="written for another network, another recipe or other data"):
        fit(new_model(), data, PREPARE, RECIPE, tmp_path / "state.pt", progress=False)


def test_a_state_of_another_network_is_refused_though_all_its_modules_look_alike(data, tmp_path):
    """Another adjacency: without it the state would bring its own, and the card would tell of a network that is not."""
    one, other = new_model(), STGCN(replace(STICK, centre=0), 2, width=0.125, dropout=0.2)
    assert repr(one) == repr(other)
    fit(one, data, PREPARE, RECIPE, tmp_path / "state.pt", progress=False)
    with pytest.raises(UserError, match=r"^.*state.pt was written for another network, another recipe or other data; "):
        fit(other, data, PREPARE, RECIPE, tmp_path / "state.pt", progress=False)


def test_a_state_that_does_not_tell_the_structure_is_gone_on_with(data, tmp_path):
    """States were written so before."""
    path, recipe = tmp_path / "state.pt", replace(RECIPE, epochs=1)
    fit(new_model(), data, PREPARE, recipe, path, progress=False)
    state = torch.load(path, weights_only=True)
    del state["identity"]["structure"]
    torch.save(state, path)
    resumed = new_model()
    assert len(fit(resumed, data, PREPARE, recipe, path, progress=False)) == 1
    torch.testing.assert_close(weights(resumed), state["model"])
    del state["identity"]["data"]
    torch.save(state, path)
    with pytest.raises(UserError, match="other data"):
        fit(new_model(), data, PREPARE, recipe, path, progress=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schedule": "cosin"}, "unknown schedule 'cosin'; did you mean 'cosine'"),
        ({"repeats": 0}, "got epochs=4, batch_size=8, repeats=0, averaged=0"),
        ({"averaged": 5}, "got epochs=4, batch_size=8, repeats=1, averaged=5"),
    ],
)
def test_recipes_that_cannot_work(options, message):
    with pytest.raises(UserError, match=message):
        replace(RECIPE, **options)


def test_a_damaged_state_is_refused(data, tmp_path):
    (tmp_path / "state.pt").write_bytes(b"no training state")
    with pytest.raises(UserError, match="is no training state"):
        fit(new_model(), data, PREPARE, RECIPE, tmp_path / "state.pt", progress=False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.pop("model"), "'model'"),
        (lambda s: s["model"]["fcn.bias"].fill_(float("nan")), "its model: the tensor 'fcn.bias' has values that are"),
        (lambda s: s["model"].pop("fcn.bias"), "1 missing, the first 'fcn.bias'"),
        (lambda s: s.update(history="x"), "its history must be a list"),
        (lambda s: s["history"][0].update(loss=float("inf")), "'0.loss' must be a finite number"),
        (lambda s: s["history"][0].update(epoch=2), "has not the epochs 1, 2"),
        (lambda s: s["optimiser"]["param_groups"][0].update(momentum="x"), "other settings"),
        (lambda s: s["optimiser"]["state"][0].update(momentum_buffer=torch.ones(1)), "belongs to other weights"),
        (lambda s: s["optimiser"]["state"][0]["momentum_buffer"].fill_(float("nan")), "'momentum_buffer' has values"),
        (lambda s: s.update(optimiser=[]), "is damaged"),
    ],
)
def test_a_state_with_anything_amiss_is_refused(data, tmp_path, change, words):
    path = tmp_path / "state.pt"
    fit(new_model(), data, PREPARE, RECIPE, path, progress=False)
    state = torch.load(path, weights_only=True)
    change(state)
    torch.save(state, path)
    with pytest.raises(DataError, match=words) as caught:
        fit(new_model(), data, PREPARE, RECIPE, path, progress=False)
    assert str(caught.value).startswith(f"{path} is damaged (")
    assert str(caught.value).endswith("; remove it to start afresh")


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(data, tmp_path, monkeypatch):
    def full(file, content):
        file.write_text("half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match=r"cannot write .*state\.pt: No space left on device"):
        fit(new_model(), data, PREPARE, RECIPE, tmp_path / "other" / "state.pt", progress=False)
    assert list((tmp_path / "other").iterdir()) == []


def test_scores_that_are_not_finite_are_refused(data):
    model = new_model()
    with torch.no_grad():
        model.fcn.bias[0] = float("nan")
    with pytest.raises(DataError, match="STGCN: the tensor 'scores' has values that are not finite"):
        evaluate(model, data, PREPARE)


def test_the_held_out_record_is_that_of_the_last_weights(data):
    model = new_model()
    seen = []
    history = fit(model, data, PREPARE, RECIPE, progress=False, on_epoch=seen.append)
    assert seen == history
    _, held = hold_out(data, RECIPE.holdout, RECIPE.seed)
    found = evaluate(model, data.take(held), PREPARE)
    assert found["accuracy"] == pytest.approx(history[-1]["held_accuracy"])
    assert found["loss"] == pytest.approx(history[-1]["held_loss"], rel=1e-5)


def test_patience_stops_a_run_that_gets_worse(data):
    """Labels at random: the held-out loss can only rise once the training clips are learnt."""
    shuffled = np.random.default_rng(1).permutation(data.labels)
    noise = replace(data, labels=shuffled)
    recipe = replace(RECIPE, epochs=60, lr=0.05, patience=3)
    assert len(fit(new_model(), noise, PREPARE, recipe, progress=False)) < 60


@pytest.mark.parametrize(
    ("losses", "stale"),
    [
        ([1, 1, 1, 1], False),  # fewer epochs than are averaged
        ([5, 4, 3, 2, 1, 1, 1, 1, 1], False),  # still falling on average
        ([1, 1, 1, 1, 1, 2, 2, 2], False),  # lowest 3 epochs ago, patience 3
        ([1, 1, 1, 1, 1, 2, 2, 2, 2], True),
        ([9, 9, 9, 9, 9, 0, 9, 9, 9], False),  # one lucky epoch does not stop it at once
    ],
)
def test_staleness_by_hand(losses, stale):
    assert _is_stale([{"held_loss": x} for x in losses], patience=3) is stale


def test_held_out_cells_are_whole_and_every_class_stays(data):
    kept, held = hold_out(data, 0.2, seed=3)
    assert sorted([*kept, *held]) == list(range(48))
    assert 0.2 <= len(held) / 48 < 0.35

    def cells(index):
        return set(zip(data.labels[index].tolist(), data.subjects[index].tolist(), strict=True))

    assert not cells(kept) & cells(held)
    assert set(data.labels[kept]) == {0, 1}


def test_the_rate_rises_then_falls_to_zero_or_by_steps():
    recipe = Recipe(epochs=10, warmup=2, lr=1.0)
    rates = [learning_rate(recipe, e) for e in np.linspace(0, 10, 101)]
    assert np.argmax(rates) == 20
    assert rates[20] == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.0, abs=1e-12)
    assert (np.diff(rates[:21]) > 0).all()
    assert (np.diff(rates[20:]) < 0).all()
    by_steps = replace(recipe, schedule="step", steps=(0.5, 8))
    found = [learning_rate(by_steps, e) for e in np.linspace(0, 10, 101)]
    assert found[:21] == rates[:21]
    assert found[20:] == pytest.approx([1.0] * 30 + [0.1] * 30 + [0.01] * 21)


def test_repeats_show_each_clip_so_often(data, monkeypatch):
    shown = []
    monkeypatch.setattr(fit_module, "clip_tensor", lambda *given: shown.append(id(given[0])) or clip_tensor(*given))
    recipe = replace(RECIPE, epochs=1, repeats=3)
    fit(new_model(), data, PREPARE, recipe, progress=False)
    kept, _ = hold_out(data, recipe.holdout, recipe.seed)
    assert sorted(shown) == sorted([id(data.sequences[i]) for i in kept] * 3)


def test_the_mean_of_the_last_weights_has_statistics_of_its_own(data):
    """By hand: the mean over the ends of the last epochs, then the batch statistics of one plain pass."""
    ends = []
    model, plain = STGCN(STICK, 2, width=0.125, dropout=0.0), replace(PREPARE, fit="pad")  # nothing at random
    recipe = replace(RECIPE, averaged=2, batch_size=48, holdout=0, schedule="step", steps=())
    history = fit(model, data, plain, recipe, progress=False, on_epoch=lambda record: ends.append(weights(model)))
    for name, value in model.named_parameters():
        torch.testing.assert_close(value.detach(), (ends[-1][name] + ends[-2][name]) / 2)
    x, _ = clip_tensors(data, plain)
    joint_major = torch.from_numpy(x).permute(3, 1, 0, 2, 4).reshape(9, -1)  # (V C, N T M)
    torch.testing.assert_close(model.data_bn.running_mean, joint_major.mean(1), atol=1e-4, rtol=0)
    torch.testing.assert_close(model.data_bn.running_var, joint_major.var(1), atol=1e-4, rtol=0)
    assert "mean_held_loss" not in history[-1]
    held = fit(new_model(), data, PREPARE, replace(recipe, holdout=0.2), progress=False)
    assert {"held_loss", "mean_held_loss"} <= set(held[-1])


class White(nn.Module):
    """Whitens joints, and says how high the first is."""

    def __init__(self):
        super().__init__()
        self.white, self.fc = Whitening(3, axis=3), nn.Linear(3, 2)

    def forward(self, x):
        return self.fc(self.white(x[..., 0]).mean(2)[:, 1])


def test_the_mean_of_the_last_weights_whitens_by_statistics_of_its_own(data):
    model, plain = White(), replace(PREPARE, fit="pad")
    fit(model, data, plain, replace(RECIPE, averaged=2, batch_size=48, holdout=0), progress=False)
    x, _ = clip_tensors(data, plain)
    joints = torch.from_numpy(x)[..., 0].reshape(-1, 3)
    torch.testing.assert_close(model.white.running_mean, joints.mean(0), atol=1e-5, rtol=0)
    spread = torch.cov(joints.T, correction=0) + model.white.eps * torch.eye(3)
    torch.testing.assert_close(model.white.running_root, inverse_root(spread, model.white.iterations))


def test_whole_people_can_be_held_out(data):
    kept, held = hold_out(data, 0.2, seed=3, people=True)
    assert sorted([*kept, *held]) == list(range(48))
    assert not set(data.subjects[kept]) & set(data.subjects[held])
    assert len(set(data.subjects[held])) == 2


def test_one_class_only(data):
    with pytest.raises(DataError, match="at least two classes"):
        fit(new_model(), data.take(np.flatnonzero(data.labels == 0)), PREPARE, RECIPE)


def test_a_diverging_loss_is_named(data):
    with pytest.raises(UserError, match="lower the learning rate"):
        fit(new_model(), data, PREPARE, replace(RECIPE, lr=1e30, clip_norm=1e30, warmup=0), progress=False)


def test_weights_that_overflow_are_never_written(tmp_path):
    model = new_model()
    state = TrainingState.open(model, optimiser(model.parameters(), RECIPE), {}, tmp_path / "state.pt")
    model.fcn.bias.data.fill_(torch.inf)
    with pytest.raises(DataError, match=r"^after epoch 1 \(a lower learning rate may help\): the tensor 'fcn.bias'"):
        state.finish_epoch({"epoch": 1})
    assert not list(tmp_path.iterdir())


def test_evaluation_by_hand(data):
    model = new_model()
    result = evaluate(model, data.take([0, 1, 2]), PREPARE)
    scores = torch.from_numpy(result["scores"])
    chosen = torch.log_softmax(scores, dim=1)[range(3), [0, 1, 0]]
    assert result["loss"] == pytest.approx(-chosen.mean().item(), rel=1e-6)
    assert result["accuracy"] == (scores.argmax(1).numpy() == [0, 1, 0]).mean()
    assert model.training  # the mode is restored


@pytest.mark.parametrize("name", ["cuda:97", "meta", "no such thing", "gpu"])
def test_a_device_that_is_not_there_is_refused_in_one_line(name, data):
    with pytest.raises(UserError, match=f"^this machine has no device '{name}'; give cpu"):
        fit(new_model(), data, PREPARE, RECIPE, progress=False, device=name)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_run_begun_on_the_processor_goes_on_on_a_gpu(data, tmp_path):
    def stop_after_two(record):
        if record["epoch"] == 2:
            raise KeyboardInterrupt

    recipe = replace(RECIPE, epochs=12)
    with pytest.raises(KeyboardInterrupt):
        fit(new_model(), data, PREPARE, recipe, tmp_path / "state.pt", progress=False, on_epoch=stop_after_two)
    model = new_model()
    fit(model, data, PREPARE, recipe, tmp_path / "state.pt", progress=False, device="cuda")
    assert {p.device.type for p in model.parameters()} == {"cpu"}
    assert evaluate(model, data, PREPARE)["accuracy"] == 1.0
