"""Times are ratios to the first module; how long, nobody can test on a busy machine."""

import pytest
import torch
from torch import nn

from bnlab.measure.cost import cost
from bnlab.measure.cost.cost import measure_cost


class Clock:
    """Stands still, but for what the modules say that they take."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now


class Takes(nn.Module):
    """Takes so many seconds forward, one after the other."""

    def __init__(self, clock, *seconds):
        super().__init__()
        self.clock, self.seconds, self.calls = clock, seconds, 0
        self.weight = nn.Parameter(torch.ones(2))

    def forward(self, x):
        self.clock.now += self.seconds[self.calls % len(self.seconds)]
        self.calls += 1
        return x * self.weight


def test_ratio_of_times(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(cost, "time", clock)
    modules = {"short": Takes(clock, 0.25), "long": Takes(clock, 0.75)}
    assert measure_cost(modules, torch.ones(3, 2), rounds=3) == {"short": 1, "long": 3}


def test_what_else_the_machine_does_in_one_round_does_not_count(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(cost, "time", clock)
    # The first two calls are before the rounds.
    late = Takes(clock, 0.5, 0.5, 0.5, 64.0, 0.5)
    modules = {"first": Takes(clock, 0.25), "late": late}
    assert measure_cost(modules, torch.ones(3, 2), rounds=3)["late"] == 2


def test_the_clock_of_this_machine_runs():
    costs = measure_cost({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)}, torch.ones(3, 2), rounds=3)
    assert costs["a"] == 1 and costs["b"] > 0


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
