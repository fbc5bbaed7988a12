"""Landscape: what it offers, what Python sends, and that it is what the measurements say."""

import json

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from bnlab import random
from bnlab.lab import Landscape
from bnlab.lab.landscape.landscape import NORMS, SEEDS, landscape_run
from bnlab.lab.landscape.slide import MULTIPLES, PLANE, along, in_order, sideways, walk
from bnlab.measure import measure_landscape
from bnlab.train import Trainer

STATE = {
    **{"norms": ["none", "batch"], "lr": 0.1, "depth": 2, "step": 10, "length": 2.0},
    **{"seed": SEEDS[0], "predict": False},
}


@pytest.fixture
def widget():
    made = Landscape(depth=2, step=10)
    made.wait(60)
    yield made
    made.close()


def test_it_begins_with_what_it_is_given(widget):
    assert widget.state == STATE
    assert json.loads(json.dumps(widget.options)) == widget.options


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"norms": ["none", "layer"]}, "unknown normalizer 'layer'"),
        ({"norms": []}, "one or more"),
        ({"lr": 0.2}, "lr must be one of 0.01"),
        ({"depth": 5}, "depth must be one of"),
        ({"step": 55}, "step must be one of"),
        ({"length": 3.0}, "length must be one of"),
        ({"seed": 1}, "seed must be one of"),
        ({"predict": 1}, "predict must be True or False"),
    ],
)
def test_what_it_does_not_offer_is_refused(widget, change, message):
    with pytest.raises(ValueError, match=message):
        widget.state = {**STATE, **change}
    with pytest.raises(ValueError, match=message):
        Landscape(**{**STATE, **change})
    assert widget.state == STATE


def test_the_multiples_are_quarters_of_octaves():
    assert MULTIPLES[0] == 1 / 8 and MULTIPLES[-1] == 8 and {0.5, 1.0, 2.0, 4.0} <= set(MULTIPLES)
    assert np.allclose(np.diff(np.log2(MULTIPLES)), 0.25, atol=0.01)
    assert PLANE[0] == -4 and PLANE[-1] == 4 and 0 in PLANE


def test_every_net_is_looked_at_at_the_start_and_at_the_end(widget):
    found = list(widget.begin(STATE))
    assert [(norm, one["step"], one["done"]) for norm, one in found] == [
        *((norm, 0, False) for norm in STATE["norms"]),
        *((norm, 10, False) for norm in STATE["norms"]),
        *((norm, 10, True) for norm in STATE["norms"]),
    ]
    for _, one in found:
        json.dumps(one, allow_nan=False)
        assert (one["plane"] is not None) == one["done"]


@pytest.mark.parametrize("norm", NORMS)
def test_the_curves_are_those_of_the_measurement(norm):
    run = landscape_run(norm, lr=0.1, depth=2, seed=SEEDS[1])
    *_, last = walk(run, 10)
    trainer = Trainer(run.replace(steps=11), "cpu")
    for record in trainer.steps(looks=False):
        if record.step == 10:
            break
    numbers = list(Trainer(run.replace(steps=11), "cpu").batches)[10]
    batch = trainer.batch(numbers, 1)
    wanted = measure_landscape(trainer.net, cross_entropy, *batch, [0.1 * m for m in MULTIPLES])
    assert last["losses"] == pytest.approx(wanted.losses.tolist(), rel=1e-6)
    assert last["changes"] == pytest.approx(wanted.gradient_changes.tolist(), rel=1e-6)
    assert last["size"] == pytest.approx(wanted.gradient_norm)


def test_the_plane_holds_the_line_along_the_gradient():
    *_, last = walk(landscape_run("batch", lr=0.1, depth=2, seed=SEEDS[0]), 10)
    plane, middle = np.array(last["plane"]), len(PLANE) // 2
    assert plane.shape == (len(PLANE), len(PLANE))
    assert plane[middle, middle] == pytest.approx(last["loss"], rel=1e-5)
    for multiple in (0.5, 1.0, 2.0, 4.0):
        along = last["losses"][MULTIPLES.index(multiple)]
        assert plane[PLANE.index(multiple), middle] == pytest.approx(along, rel=1e-4)


def test_the_other_direction_is_across_and_as_long():
    slope = random.uniform(1, 2, 500) - 0.3
    aside = sideways(slope, 7)
    assert abs(aside @ slope) < 1e-9 * (slope @ slope)
    assert np.linalg.norm(aside) == pytest.approx(np.linalg.norm(slope))
    assert not np.allclose(aside, sideways(slope, 8))
    assert in_order(np.array([1e16, 1.0, -1e16])) == 0  # from the first to the last


def test_a_net_that_diverges_says_when():
    found = list(walk(landscape_run("none", lr=1.0, depth=6, seed=SEEDS[0]), 50))
    assert found[-1]["diverged_at"] and found[-1]["done"] and found[-1]["losses"] is None


def test_a_loss_that_is_not_finite_is_none():
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    with torch.no_grad():
        net[1].weight.fill_(1e36)
        net[1].weight[0] *= 0.5
    x = torch.ones(4, 1, 8, 8)
    found = along(net, (x, torch.zeros(4, dtype=torch.long)), 1e37, 0)
    assert None in found["losses"]
    json.dumps(found, allow_nan=False)
