"""What an optimizer decays and what it moves."""

import copy

import pytest
import torch

from bnlab.engines.stack import is_stackable
from bnlab.nets import make_net
from bnlab.optim.parts import names_of
from bnlab.runs.optimizers import make_optimizer
from bnlab.train import Run

NAMES = {
    "weights": ["body.1.weight", "head.weight"],
    "gamma": ["body.2.weight"],
    "layers": ["body.1.weight", "body.1.bias", "head.weight", "head.bias"],
    "head": ["head.weight", "head.bias"],
}


def mlp(norm: str = "batch"):
    return make_net("mlp", (1, 8, 8), 10, 1, 8, norm)


@pytest.mark.parametrize("part", NAMES)
def test_the_parts_of_an_mlp(part):
    assert list(names_of(mlp(), part)) == NAMES[part]


@pytest.mark.parametrize("norm", [torch.nn.BatchNorm1d, torch.nn.LayerNorm])
def test_the_parts_of_a_net_with_layers_of_torch(norm):
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), norm(3), torch.nn.Linear(3, 2))
    assert names_of(net, "gamma") == ("1.weight",)
    assert names_of(net, "weights") == ("0.weight", "2.weight")
    assert names_of(net, "head") == ("2.weight", "2.bias")


def moved(net, name: str, **options) -> dict[str, torch.Tensor]:
    """By how much each parameter moves in a step whose gradient is 1 everywhere."""
    before = copy.deepcopy(net)
    optimizer = make_optimizer(name, net, 0.1, **options)
    for parameter in net.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    olds = dict(before.named_parameters())
    return {n: (p - olds[n]).detach() for n, p in net.named_parameters()}


@pytest.mark.parametrize("decay", ["all", "weights", "gamma"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_decay_of_sgd_acts_on_its_part_alone(decay, momentum):
    net = mlp()
    start = {name: p.detach().clone() for name, p in net.named_parameters()}
    options = {"weight_decay": 0.5, "decay": decay, "momentum": momentum}
    for name, step in moved(net, "sgd", **options).items():
        pulled = 0.5 if name in names_of(net, decay) else 0.0
        assert torch.allclose(step, -0.1 * (1 + pulled * start[name])), name


@pytest.mark.parametrize("name", ["sgd", "adam"])
@pytest.mark.parametrize("trained", ["layers", "head"])
def test_what_is_not_trained_stays(name, trained):
    net = mlp()
    for parameter, step in moved(net, name, weight_decay=0.5, trained=trained).items():
        assert (step != 0).any() == (parameter in names_of(net, trained)), parameter


@pytest.mark.parametrize(
    "options, words",
    [
        ({"decay": "beta"}, "unknown decay 'beta'.*all, weights, gamma"),
        ({"trained": "body"}, "unknown trained 'body'.*all, layers, head"),
        ({"decay": None}, "unknown decay None"),
    ],
)
def test_a_bad_part_is_named_by_the_run(options, words):
    with pytest.raises(ValueError, match=words):
        Run(optimizer_options=options)
    with pytest.raises(ValueError, match=words):
        make_optimizer("sgd", mlp(), 0.1, **options)


def test_a_part_that_is_empty_is_refused():
    with pytest.raises(ValueError, match="MLP has no parameters in the part 'gamma'"):
        make_optimizer("sgd", mlp("none"), 0.1, decay="gamma")


def test_lawn_has_no_parts():
    with pytest.raises(ValueError, match="unknown option of optimizer 'lawn_sgd': 'decay'"):
        Run(optimizer="lawn_sgd", optimizer_options={"decay": "weights"})


@pytest.mark.parametrize("options", [{"decay": "weights"}, {"trained": "head"}])
def test_parts_are_not_stacked(options):
    run = Run(depth=1, width=8, norm="batch")
    assert is_stackable(run) and not is_stackable(run.replace(optimizer_options=options))
