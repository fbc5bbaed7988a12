"""S1 and S2 on CIFAR-10, with tiny nets on digits in place of it."""

import numpy as np
import pytest
import torch

from bnlab.chapters.covariate_shift import moving_channels, s1_cifar10, s2_cifar10
from bnlab.chapters.covariate_shift.cifar10_claims import S1_CIFAR10, S2_CIFAR10
from bnlab.chapters.covariate_shift.moving_channels import NOISE, watch
from bnlab.measure import layer_inputs, measure_input_shift
from bnlab.train import Run, Trainer
from bnlab.verdicts import race
from bnlab.verdicts.race import Arm
from bnlab.verdicts.table import Table

SMALL = Run(net="plain", depth=2, width=4, batch_size=8, steps=10, eval_every=10, lr=0.1)
RATES = (0.1, 0.3)  # a short ladder: the search ends


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(race, "RATES", RATES)
    for module in (s1_cifar10, s2_cifar10):
        monkeypatch.setattr(module, "BASE", SMALL)
        arms = {name: Arm(arm.fields, RATES[:1]) for name, arm in module.ARMS.items()}
        monkeypatch.setattr(module, "ARMS", arms)
    monkeypatch.setattr(s2_cifar10, "ALONE", {NOISE: Arm({"norm": "noisy_batch"}, RATES[:1])})


@pytest.mark.parametrize(("module", "claim"), [(s1_cifar10, S1_CIFAR10), (s2_cifar10, S2_CIFAR10)])
def test_every_effect_has_a_number_a_seed_and_some_seeds_are_measured_again(module, claim):
    data = module.measure(seeds=[5, 6])
    values = module.values(data)
    assert set(values) == {effect.name for effect in claim.effects}
    assert all(numbers.shape == (2,) and np.isfinite(numbers).all() for numbers in values.values())
    assert {"lr_none", "test_batch"} <= set(module.facts(data))
    again = module.repeat(data, [6])
    for one, other in ((data, again), (data["moves"], again["moves"])):
        assert other["rows"][-1] in one["rows"]
        wanted, found = (Table.of(x).where(seed=6).rows for x in (one, other))
        assert sorted(map(str, wanted)) == sorted(map(str, found))
    assert Table.of(again).where(seed=0).rows == Table.of(data).where(seed=0).rows


def test_s1_counts_all_rates_of_the_search():
    data = s1_cifar10.measure(seeds=[5])
    assert {(arm, lr) for arm, lr, seed, *_ in data["rows"] if seed == 5} == {
        (arm, lr) for arm in ("none", "batch") for lr in RATES
    }


def test_looking_does_not_change_what_becomes_of_a_training():
    for norm in ("none", "batch"):
        run = SMALL.replace(norm=norm, seed=3)
        assert watch(run)[:-1] == race.train_one(run)


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_the_moves_are_the_distances_of_the_channels_inputs(norm):
    run = SMALL.replace(norm=norm, seed=3)
    trainer, moments, names = Trainer(run, "cpu"), [], ["body.3", "head", "body.1", "body.4"]
    for _ in trainer.steps(looks=False):
        x = trainer.train_x[: moving_channels.PROBE_IMAGES]
        moments.append(layer_inputs(trainer.net, x, names))
    step = measure_input_shift(moments[0], moments[1])
    expected = [step.relative[step.names.index(name)] for name in names]
    moves = watch(run)[-1]
    np.testing.assert_allclose([*moves[0], *moves[1]], expected, rtol=1e-3)
    assert len(moves) == 4
    assert (
        moves[2]
        == pytest.approx(  # the last look is that after the first step
            _whole(moments[0], moments[1], names[:2]), rel=1e-3
        )
    )


def _whole(first, last, names):
    shift = measure_input_shift(first, last)
    at = [shift.names.index(name) for name in names]
    both = [(first.variance[k].mean() + last.variance[k].mean()) / 2 for k in at]
    return list(shift.wasserstein[at] / np.sqrt(both))


def test_what_is_kept_of_a_channel_comes_from_all_columns_of_the_image():
    for size in (4, 8, 16, 32):
        count = moving_channels.PROBE_IMAGES * size**2
        kept = torch.arange(1024) * count // 1024 if count > 1024 else torch.arange(count)
        seen = torch.bincount(kept % size, minlength=size) / len(kept)
        assert seen.min() > 0.5 / size


def test_the_noise_alone_is_no_batch_norm_and_moves_the_inputs():
    run = SMALL.replace(norm="noisy_batch")
    trainer = moving_channels.make_trainer(run, noise_alone=True)
    assert not any("Batch" in type(module).__name__ for module in trainer.net.modules())
    with torch.no_grad():
        first, second = (trainer.net.train()(trainer.train_x[:8]) for _ in range(2))
        assert not torch.equal(first, second)
        assert torch.equal(*(trainer.net.eval()(trainer.train_x[:8]) for _ in range(2)))
    plain = Trainer(run.replace(norm="none"), "cpu")
    assert torch.equal(trainer.net.eval()(trainer.train_x), plain.net.eval()(plain.train_x))


def test_a_net_that_diverges_at_once_has_no_moves():
    *_, diverged_at, moves = watch(SMALL.replace(lr=1e30))
    assert diverged_at is not None
    assert moves is None
    data = {"base": SMALL.to_dict(), "seeds": [0], "moves": {"columns": moving_channels.MOVED}}
    data["moves"]["rows"] = [["none", 0.1, 0, None]]
    assert np.isnan(moving_channels.movement(data, "none", 0.1)).all()
