"""BNN1 on CIFAR-10: which nets are compared, for how long, and what follows."""

import numpy as np
import pytest

from bnlab import claims
from bnlab.chapters.binary_nets import bnn1_cifar10 as bnn1
from bnlab.chapters.binary_nets.bnn1_three_parts import BASE as DIGITS
from bnlab.chapters.binary_nets.trainings import Setup
from bnlab.train import Run
from bnlab.verdicts.race import COLUMNS, Arm

TINY = Run(net="binary", depth=1, width=4, optimizer="adam", steps=20, eval_every=20)
NET = ("norm", "clip", "optimizer", "optimizer_options")


def test_the_nets_are_those_of_the_digits_but_for_their_size():
    for method in ("batch", "three", "without_clip", "none"):
        here = bnn1.BASE.replace(**bnn1.ARMS[method].fields)
        there = Setup(method).run(DIGITS, 0.01, 0)
        usual = {"shortcuts": True, "scale": "mean_abs", "first_weights": "centred"}
        assert {**usual, **here.net_options} == there.net_options
        assert [getattr(here, name) for name in NET] == [getattr(there, name) for name in NET]


def test_the_short_trainings_differ_from_the_long_ones_in_their_steps_alone():
    for name in ("batch", "three"):
        short = bnn1.BASE.replace(**bnn1.ARMS[f"{name}_short"].fields)
        assert (short.steps, short.eval_every) == (bnn1.SHORT, bnn1.SHORT)
        longer = {"steps": bnn1.LONG, "eval_every": bnn1.LONG}
        assert short.replace(**longer) == bnn1.BASE.replace(**bnn1.ARMS[name].fields)


def test_bnn1_repeats_itself_and_each_effect_has_a_number_a_seed(monkeypatch):
    monkeypatch.setattr(bnn1, "BASE", TINY)
    hurried = {"steps": 10, "eval_every": 10}
    arms = {
        name: Arm(arm.fields | (hurried if name.endswith("short") else {}), (1e-4,))
        for name, arm in bnn1.ARMS.items()
    }
    monkeypatch.setattr(bnn1, "ARMS", arms)
    data = bnn1.measure([7])
    found = bnn1.values(data)
    assert set(found) == {effect.name for effect in claims.claim("BNN1", "cifar10").effects}
    assert all(len(numbers) == 1 for numbers in found.values())
    assert bnn1.facts(data)["short"] == bnn1.SHORT
    assert bnn1.repeat(data, [7])["rows"] == data["rows"]


def test_a_lead_that_vanishes_makes_the_verdict_depend_on_the_number_of_steps():
    ends = {
        **{"batch": 0.6, "three": 0.6, "without_clip": 0.6, "none": 0.5},
        **{"batch_short": 0.5, "three_short": 0.4},
    }
    rows = [
        [arm, lr, seed, 1.0, 1.0, *(2 * [end - (lr != 0.01) / 10]), None]
        for arm, end in ends.items()
        for lr in (0.003, 0.01, 0.03)
        for seed in (0, *bnn1.SEEDS)
    ]
    data = {
        "base": bnn1.BASE.to_dict(),
        "seeds": list(bnn1.SEEDS),
        "tuning_seeds": [0],
        "arms": list(ends),
        "columns": list(COLUMNS),
        "rows": rows,
    }
    found = bnn1.values(data)
    np.testing.assert_allclose(found["accuracy_short"], 0.1)
    np.testing.assert_allclose(found["needed"], 0.1)
    facts = bnn1.facts(data)
    assert facts["lr_three"] == 0.01 and facts["points_accuracy_short"] == pytest.approx(10)
    verdict = claims.decide(claims.claim("BNN1", "cifar10"), found)
    assert verdict.said == "depends on the number of steps"
