"""Times are ratios to the first module; how long, nobody can test on a busy machine."""

import time

import pytest
import torch
from torch import nn

from bnlab.measure.cost.cost import measure_cost


class Sleep(nn.Module):
    """Takes its time forward."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds
        self.weight = nn.Parameter(torch.ones(2))

    def forward(self, x):
        time.sleep(self.seconds)
        return x * self.weight


def test_ratio_of_times():
    costs = measure_cost({"short": Sleep(0.01), "long": Sleep(0.03)}, torch.ones(3, 2), rounds=3)
    assert list(costs) == ["short", "long"] and costs["short"] == 1
    assert 2 < costs["long"] < 4


def test_the_backward_pass_counts_and_reaches_parameters_and_input():
    seen = []

    class Spy(nn.Linear):
        def forward(self, x):
            y = super().forward(x)
            self.weight.register_hook(lambda g: seen.append("weight"))
            x.register_hook(lambda g: seen.append("input")) if x.requires_grad else None
            return y

    measure_cost({"spy": Spy(2, 2)}, torch.ones(3, 2), rounds=1)
    assert {"weight", "input"} == set(seen)


def test_modules_stay_as_they_were():
    norm, x = nn.BatchNorm1d(2).eval(), torch.randn(4, 2)
    before = {k: v.clone() for k, v in norm.state_dict().items()}
    measure_cost({"norm": norm}, x, rounds=1)
    assert not norm.training and norm.weight.grad is None and not x.requires_grad
    assert all(torch.equal(before[k], v) for k, v in norm.state_dict().items())


@pytest.mark.parametrize(
    ("modules", "rounds", "message"),
    [({}, 1, "at least one module"), ({"a": nn.Identity()}, 0, "rounds must be 1 or more")],
)
def test_bad_arguments(modules, rounds, message):
    with pytest.raises(ValueError, match=message):
        measure_cost(modules, torch.ones(2, 2), rounds)
