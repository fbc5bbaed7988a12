"""What the cards say to do in PyTorch, held against its own layers and against the trainings."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from bnlab.chapters.clinic import t1_modes, t3_frozen, t4_accumulation, t7_dropout, t8_penalty
from bnlab.chapters.clinic.setting import (
    BASE,
    accuracy,
    batches_of,
    start_from,
    stepped,
    tensors,
    trained,
    updated,
)
from bnlab.nets import make_net
from bnlab.optim.parts import names_of
from bnlab.train import make_trainer

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")

SMALL = BASE.replace(depth=2, steps=8, eval_every=8, seed=1437, precision="float64")


def own_layers() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3))


@pytest.mark.parametrize("engine", ["torch", "compiled"])
def test_a_training_can_start_from_the_weights_of_another(engine):
    state = copy.deepcopy(trained(SMALL, engine).net.state_dict())
    other = make_trainer(SMALL.replace(seed=1438), engine, "cpu")
    start_from(other, state)
    assert all(torch.equal(a, state[n]) for n, a in other.net.state_dict().items())
    assert other.evaluate(*other.part("val")) == pytest.approx(
        trained(SMALL, engine).evaluate(*other.part("val"))
    )
    other.update(np.arange(32), 1)
    assert not torch.equal(other.net.head.weight, state["head.weight"])


def test_the_two_engines_train_the_same():
    one, other = (trained(SMALL, engine).net.state_dict() for engine in ("torch", "compiled"))
    for name, value in one.items():
        assert torch.allclose(value.double(), other[name].double(), atol=1e-9), name


def test_batches_of_some_classes_hold_these_alone():
    trainer = make_trainer(SMALL, "torch", "cpu")
    for numbers in batches_of(trainer.data.train_y, (7, 8), 0, 16, 5):
        assert set(trainer.data.train_y[numbers]) == {7, 8}


def test_a_loss_that_is_not_finite_stops_a_training():
    trainer = make_trainer(SMALL.replace(norm="none", lr=1e300), "torch", "cpu")
    with pytest.raises(RuntimeError, match="of seed 1437 has the loss"):
        list(updated(trainer, trainer.batches))


def test_batches_of_one_class_move_the_statistics_and_not_the_weights():
    trainer = trained(SMALL)
    before = copy.deepcopy(trainer.net.state_dict())
    t1_modes.see_one_class(trainer)
    for name, value in trainer.net.state_dict().items():
        assert torch.equal(value, before[name]) == ("running" not in name), name


def test_averaged_weights_have_the_statistics_of_the_start():
    average, trainer = t1_modes.averaged(SMALL)
    norm = average.body[2]
    assert torch.equal(norm.running_mean, torch.zeros(64, dtype=torch.float64))
    states = [copy.deepcopy(dict(one.net.named_parameters())) for one in stepped(SMALL)]
    mean = states[0]["head.weight"].detach()
    for state in states[1:]:
        mean = t1_modes.AVERAGED * mean + (1 - t1_modes.AVERAGED) * state["head.weight"].detach()
    assert torch.allclose(average.head.weight, mean, atol=1e-12)
    assert not torch.equal(trainer.net.head.weight, average.head.weight)


def test_requires_grad_false_trains_the_head_and_moves_the_statistics():
    """What ``trained="head"`` does is what torch's ``requires_grad=False`` does."""
    run = SMALL.replace(optimizer_options={"trained": "head"})
    trainer = trained(run, "torch")
    net = make_trainer(SMALL, "torch", "cpu").net.train()
    for name, parameter in net.named_parameters():
        parameter.requires_grad = name in names_of(net, "head")
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=run.lr)
    other = make_trainer(SMALL, "torch", "cpu")
    for step, numbers in enumerate(other.batches, 1):
        x, y = other.batch(numbers, step)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
    for name, value in net.state_dict().items():
        assert torch.allclose(value, trainer.net.state_dict()[name]), name
    assert t3_frozen.movement(make_net("mlp", (1, 8, 8), 10, 2, 64, "batch").double(), net) > 0


def test_only_evaluation_mode_freezes_torchs_own_layer():
    net, x = own_layers(), torch.randn(8, 6)
    net[1].requires_grad_(False)
    before = net[1].running_mean.clone()
    net.train()
    net[1].eval()
    net(x)
    assert torch.equal(net[1].running_mean, before)
    net.train()
    net(x)
    assert not torch.equal(net[1].running_mean, before)


def test_one_value_a_channel_is_refused_by_torch_and_drop_last_helps():
    net, data = own_layers().train(), torch.utils.data.TensorDataset(torch.randn(9, 6))
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        net(torch.randn(1, 6))
    for (x,) in torch.utils.data.DataLoader(data, batch_size=4, drop_last=True):
        assert net(x).shape == (4, 3)


def test_accumulated_gradients_of_torchs_own_layers_are_not_those_of_the_batch():
    def gradient(net: nn.Module, parts: int) -> torch.Tensor:
        net.zero_grad()
        for x in X.chunk(parts):
            (net(x).square().mean() / parts).backward()
        return torch.cat([p.grad.flatten() for p in net.parameters()])

    X = torch.randn(32, 6, generator=torch.Generator().manual_seed(1))
    net = own_layers().train()
    eight, one = gradient(net, 8), gradient(net, 1)
    assert (eight - one).norm() > 0.1 * one.norm()
    net[1] = nn.LayerNorm(5)
    assert torch.allclose(gradient(net, 8), gradient(net, 1), atol=1e-6)


def test_the_accumulated_gradient_is_that_of_ghost_batches():
    (_, ghost, whole, layer), _ = t4_accumulation.differences(SMALL)
    assert max(ghost, layer) < 1e-12 and whole > 0.1


def test_the_shift_of_a_known_factor():
    net = make_net("mlp", (1, 8, 8), 10, 1, 16, "batch")
    x = torch.randn(200, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        net.body[2].running_var.copy_(2 * net.body[1](x.flatten(1)).var(0))
    assert t7_dropout.shifts(net, x)[0] == pytest.approx(np.log10(2), abs=1e-3)


def test_the_matrix_of_a_net_whose_samples_do_not_meet_is_diagonal():
    trainer = make_trainer(SMALL.replace(norm="layer"), "torch", "cpu")
    x, y = tensors(trainer, "test")
    matrix, summed = t8_penalty.matrix_of(trainer.net, x[:5], y[:5])
    assert torch.equal(matrix, torch.diag(matrix.diagonal()))
    assert torch.allclose(summed, matrix.diagonal())
    batch = make_trainer(SMALL, "torch", "cpu").net
    assert (t8_penalty.matrix_of(batch, x[:5], y[:5])[0] > 0).all()


def test_accuracy_looks_and_changes_nothing():
    trainer = trained(SMALL, "torch")
    before = copy.deepcopy(trainer.net.state_dict())
    for mode in (False, True):
        accuracy(trainer.net, *tensors(trainer, "test"), batch_statistics=mode)
    assert all(torch.equal(v, before[n]) for n, v in trainer.net.state_dict().items())
