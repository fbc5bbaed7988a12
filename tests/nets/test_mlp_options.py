"""Options of the MLP: order, biases, dropout, statistics that are frozen."""

import pytest
import torch
from torch import nn

from bnlab.engines.compiled.initial import checked
from bnlab.engines.compiled.nets import Net
from bnlab.engines.stack import StackTrainer, is_stackable
from bnlab.nets import make_net
from bnlab.nets.dropout import Dropout, drawing
from bnlab.norms import Normalizer, recompute_statistics
from bnlab.train import Run, train

X = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def mlp(norm: str = "batch", depth: int = 2, seed: int = 0, **options) -> nn.Module:
    return make_net("mlp", (1, 8, 8), 10, depth, 8, norm, {}, seed, **options)


def kinds(net: nn.Module) -> list[str]:
    return [type(module).__name__ for module in net.body]


@pytest.mark.parametrize(
    "options, layer",
    [
        ({}, "Linear BatchNorm ReLU"),
        ({"order": "relu_norm"}, "Linear ReLU BatchNorm"),
        ({"dropout": 0.2}, "Linear Dropout BatchNorm ReLU"),
        ({"dropout": 0.2, "order": "relu_norm"}, "Linear ReLU Dropout BatchNorm"),
        ({"dropout": 0.2, "dropout_at": "after_layer"}, "Linear BatchNorm ReLU Dropout"),
    ],
)
def test_what_a_hidden_layer_is_made_of(options, layer):
    assert kinds(mlp(**options)) == ["Flatten", *layer.split() * 2]


def test_dropout_before_the_head_stands_there_once():
    assert kinds(mlp(dropout=0.2, dropout_at="before_head"))[-2:] == ["ReLU", "Dropout"]


def test_the_options_leave_the_first_weights_alone():
    usual = [p for p in mlp().parameters() if p.ndim == 2]
    for options in ({"order": "relu_norm"}, {"bias": False}, {"dropout": 0.5}):
        other = [p for p in mlp(**options).parameters() if p.ndim == 2]
        assert all(torch.equal(a, b) for a, b in zip(usual, other, strict=True)), options


def test_the_usual_options_are_the_usual_net():
    usual, same = mlp(), mlp(order="norm_relu", bias=True, dropout=0.0)
    assert usual.state_dict().keys() == same.state_dict().keys()
    assert torch.equal(usual(X), same(X))


def test_without_biases_only_the_head_and_the_normalizers_have_some():
    biases = [name for name, _ in mlp(bias=False).named_parameters() if name.endswith("bias")]
    assert biases == ["body.2.bias", "body.5.bias", "head.bias"]


def test_a_bias_before_batch_norm_changes_nothing_but_rounding():
    net = mlp()
    before = net(X)
    with torch.no_grad():
        net.body[1].bias += 3.0
    assert torch.allclose(net(X), before, atol=1e-4)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_leaves_out_its_share_and_keeps_the_mean(p):
    layer, ones = Dropout(p), torch.ones(200, 100)
    y = layer(ones)
    assert abs((y == 0).double().mean().item() - p) < 0.01
    assert torch.allclose(y[y > 0], torch.tensor(1 / (1 - p)))
    assert layer.eval()(ones) is ones


def test_dropout_is_that_of_its_seed_layer_and_step():
    def mask(net: nn.Module, number: int = 0) -> torch.Tensor:
        return list(drawing(net).values())[number](torch.ones(64, 8)) == 0

    net = mlp(dropout=0.5)
    first, second = mask(net), mask(net)
    assert torch.equal(first, mask(mlp(dropout=0.5)))
    others = (second, mask(mlp(dropout=0.5), 1), mask(mlp(dropout=0.5, seed=1)))
    assert not any(torch.equal(first, other) for other in others)


def test_dropout_does_not_touch_the_random_state_of_torch():
    state = torch.get_rng_state()
    mlp(dropout=0.5)(X)
    assert torch.equal(torch.get_rng_state(), state)


def test_recomputed_statistics_see_no_dropout():
    one, other = mlp(), mlp(dropout=0.5)
    for net in (one, other):
        recompute_statistics(net, [X])
    pairs = [[m for m in net.modules() if isinstance(m, Normalizer)] for net in (one, other)]
    for a, b in zip(*pairs, strict=True):
        assert torch.equal(a.running_var, b.running_var)


def test_frozen_statistics_neither_move_nor_come_from_the_batch():
    net = mlp(frozen_statistics=True).train()
    norms = [m for m in net.modules() if isinstance(m, Normalizer)]
    assert net.training and not any(norm.training for norm in norms)
    before = [norm.running_mean.clone() for norm in norms]
    assert torch.allclose(net(X)[:1], net(X[:1]), atol=1e-6)
    assert all(torch.equal(n.running_mean, b) for n, b in zip(norms, before, strict=True))


@pytest.mark.parametrize(
    "options, words",
    [
        ({"order": "relu"}, "unknown order 'relu'.*norm_relu, relu_norm"),
        ({"dropout_at": "end"}, "unknown dropout_at 'end'.*before_norm, after_layer, before_head"),
        ({"dropout": 1.0}, "dropout must be 0 or more and less than 1, got 1.0"),
        ({"dropout": -0.1}, "dropout must be 0 or more and less than 1, got -0.1"),
        ({"bias": "no"}, "bias must be True or False, got 'no'"),
        ({"frozen_statistics": 2}, "frozen_statistics must be True or False, got 2"),
    ],
)
def test_a_bad_option_is_named(options, words):
    with pytest.raises(ValueError, match=words):
        mlp(**options)


def test_a_normalizer_with_a_nonlinearity_has_no_order():
    with pytest.raises(ValueError, match=r"relu_norm.*FilterResponse.*contains its nonlinearity"):
        options = {"learnable_eps": True}
        make_net("mlp", (1, 8, 8), 10, 1, 8, "filter_response", options, order="relu_norm")


@pytest.mark.parametrize("options", [{"bias": False}, {"dropout": 0.5}])
def test_what_cannot_be_stacked_is_not(options):
    run = Run(depth=1, width=8, norm="batch", net_options=options)
    assert is_stackable(run.replace(net_options={})) and not is_stackable(run)


@pytest.mark.parametrize("options", [{"order": "relu_norm"}, {"frozen_statistics": True}])
def test_what_can_be_stacked_trains_the_same(options):
    run = Run(depth=2, width=8, norm="batch", net_options=options, steps=5, precision="float64")
    stack = StackTrainer([run, run.replace(seed=1)], "cpu")
    losses = [records[0].loss for records in stack.steps() if records[0]][1:]
    assert abs(train(run, "torch", "cpu").loss - losses).max() < 1e-9


def test_the_start_of_nets_that_draw_follows_rules():
    assert checked(Net("mlp", 2, 8, "noisy_batch", net_options='{"dropout": 0.5}'))["counters"]
