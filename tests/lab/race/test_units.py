"""What a race tells of single units, and the strength of its noise."""

import copy

import numpy as np
import pytest
import torch

from bnlab.engines.compiled.catalogue import variants
from bnlab.engines.compiled.step import State, example, gradient_step
from bnlab.engines.compiled.watch import UNITS
from bnlab.lab import Race
from bnlab.lab.kit.points import BLOCK
from bnlab.lab.race.run import race_run
from bnlab.lab.race.units import with_units
from bnlab.train import make_trainer, train
from tests.lab.race.test_race import Heard, curve


@pytest.mark.parametrize("norm", ["none", "batch", "noisy_batch"])
def test_units_are_those_of_the_batch_before_its_update(norm):
    trainer = make_trainer(race_run(norm, depth=2, steps=3, lr=0.3))
    net = copy.deepcopy(trainer.net).train()
    numbers = next(iter(make_trainer(trainer.run).batches))
    layers = []
    for module in net.modules():
        if isinstance(module, torch.nn.ReLU):
            module.register_forward_hook(lambda _m, _x, y: layers.append(y.detach().double()))
    net(torch.from_numpy(trainer.data.train_x[numbers]))
    expected = [
        [float(y[:, c].mean()), float(y[:, c].var(unbiased=False))]
        for y in layers
        for c in range(UNITS)
    ]
    found = [rows for _, rows in with_units(trainer, 1)]
    assert found[0] is None and len(found) == 4
    assert np.allclose(found[1], expected, atol=1e-6)
    assert not np.allclose(found[2], expected, atol=1e-3), "the second batch is another one"


def test_an_evaluation_is_not_looked_at():
    run = race_run("batch", depth=1, steps=20).replace(eval_every=1)
    rows = [rows for _, rows in with_units(make_trainer(run), 1)]
    again = [rows for _, rows in with_units(make_trainer(run.replace(eval_every=20)), 1)]
    assert rows == again


def test_the_programs_of_the_page_tell_the_same():
    net = variants("units")["noisy_batch", 2].module(seed=3)
    x, y, *rest = example(net, (1, 8, 8), 16)
    torch.manual_seed(0)
    x, y = torch.randn_like(x), torch.arange(16, dtype=torch.int32) % 10
    metrics = gradient_step(net.train(), watch="units")(x, y, *rest)[-1].reshape(-1, 2)
    outputs = []
    fresh = variants("units")["noisy_batch", 2].module(seed=3).train()
    fresh.load_state_dict(State.of(net).params.unpack(rest[0]), strict=False)
    for module in fresh.modules():
        if isinstance(module, torch.nn.ReLU):
            module.register_forward_hook(lambda _m, _x, y: outputs.append(y.detach()))
    fresh(x)
    expected = torch.stack(
        [
            some
            for y in outputs
            for some in (y[:, :UNITS].mean(0), y[:, :UNITS].var(0, unbiased=False))
        ]
    )
    assert torch.allclose(
        metrics.reshape(2, UNITS, 2).transpose(1, 2).reshape(-1, UNITS), expected, atol=1e-5
    )


OFFER = ("none", "batch", "noisy_batch")


def test_a_kernel_sends_the_layers_and_minds_the_noise():
    race = Heard(norms=OFFER, offer=OFFER, claim="S2", layers=True, steps=20, depth=3, noise=2.0)
    race.ask("train", 1)
    assert race.wait(60)
    points = race.of(1, "points")
    for norm in OFFER:
        layers = curve(points, norm, "layers")
        assert [step for step, _ in layers] == [BLOCK, 2 * BLOCK, 3 * BLOCK, 4 * BLOCK]
        assert {len(rows) for _, rows in layers} == {3 * UNITS}
    setting = {"depth": 3, "lr": 0.3, "batch_size": 64, "seed": 264, "steps": 20}
    history = train(race_run("noisy_batch", noise=2.0, **setting))
    means = history.loss.reshape(-1, BLOCK).mean(1)
    assert [v for _, v in curve(points, "noisy_batch", "loss")] == pytest.approx(means.tolist())
    race.close()


def test_noise_comes_in_multiples_of_the_papers():
    assert race_run("noisy_batch", noise=1.0) == race_run("noisy_batch")
    assert race_run("batch", noise=4.0) == race_run("batch")
    options = race_run("noisy_batch", noise=0.0).norm_options
    assert options == {"n_mu": 0.0, "n_sigma": 1.0, "r_mu": 0.0, "r_sigma": 0.0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"offer": OFFER, "claim": "S2", "noise": 3.0}, "noise must be one of 0, 0.25"),
        ({"offer": OFFER, "claim": "S2", "layers": 1}, "layers must be True or False"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Race(**arguments)


def test_without_noisy_batch_norm_there_is_no_noise_to_choose():
    race = Race()
    assert "noise" not in race.state and "noises" not in race.options
    with pytest.raises(ValueError, match="exactly the keys"):
        race.state = {**race.state, "noise": 1.0}
    race.close()


def test_layers_of_other_normalizers_need_a_kernel():
    with_layer = Race(layers=True)
    assert with_layer.options["compiled"] is None and with_layer.options["units"] == UNITS
    with_layer.close()
