"""The Plane: its runs, its line, and what it answers to a page."""

import json

import pytest

from bnlab.chapters.mean_field import wide_net
from bnlab.lab import Plane
from bnlab.lab.kit.page import rules
from bnlab.lab.kit.points import take_turns
from bnlab.lab.plane import plane
from bnlab.train import Trainer, make_trainer, train

STATE = {
    "norm": "batch",
    "depth": 2,
    "momentum": 0.9,
    "gamma": 1.0,
    "rate": 0.1,
    "seed": 1,
    "predict": False,
}


@pytest.fixture
def widget():
    made = Plane(depth=2)
    made.sent = []
    made.send = lambda content, buffers=None: made.sent.append(content)
    made._worker._send = made.send
    yield made
    made.close()


def point(**changes):
    names = ("norm", "depth", "momentum", "gamma", "rate", "seed")
    return plane.plane_run(**{name: {**STATE, **changes}[name] for name in names})


def test_a_point_is_a_run_at_the_rate_of_the_paper():
    run = point(gamma=2.0)
    assert (run.lr, run.gamma, run.loss) == (0.5, 2.0, "squared_error")
    assert run.optimizer_options == {"momentum": 0.9} and run.batch_size == 64
    assert point(norm="none", gamma=2.0) == point(norm="none"), "without γ there is one net"


def test_the_line_is_drawn_from_measured_curvatures():
    stored = json.loads(plane.CURVATURE.read_text("utf-8"))
    count = len(plane.DEPTHS) * len(plane.SEEDS) * (len(plane.GAMMAS) + 1)
    assert len(stored) == count
    for norm, gamma in (("batch", 0.25), ("none", 1.0)):
        found = plane.curvature(norm, 2, gamma, 1)
        assert stored[plane.key(norm, 2, gamma, 1)] == pytest.approx(found, rel=0.02)


def test_the_line_divides_the_plane():
    """Half the predicted rate trains, four times as much diverges."""
    stored = json.loads(plane.CURVATURE.read_text("utf-8"))
    for gamma in (0.25, 1.0, 4.0):
        star = wide_net.largest_rate(stored[plane.key("batch", 4, gamma, 0)])
        ends = [
            train(point(depth=4, gamma=gamma, rate=factor * star, seed=0), "compiled").diverged_at
            for factor in (0.5, 4.0)
        ]
        assert ends[0] is None and ends[1] is not None


def test_the_page_has_an_optimizer_with_momentum():
    found = rules("squares")
    assert found["optimizer"] == "momentum"
    assert found["nets"]["batch"]["inputs"] == {"weight_decay": 0.0, "momentum": 0.0}
    assert rules("nets")["optimizer"] == "sgd"


def test_the_kernel_trains_the_points_that_were_asked_for(widget):
    cells = [[1.0, 0.1], [1.0, 10.0]]
    widget._hear(widget, {"type": "train", "id": 7, "state": {**STATE, "cells": cells}}, [])
    assert widget.wait(30)
    kinds = [message["type"] for message in widget.sent if message["id"] == 7]
    assert kinds[-1] == "finished"
    points = [m for m in widget.sent if m["type"] == "points"]
    assert {m["norm"] for m in points} == {"1|0.1", "1|10"}
    (trained,) = [m for m in points if m["norm"] == "1|0.1" and m["done"]]
    (gone,) = [m for m in points if m["norm"] == "1|10" and m["done"]]
    records = list(Trainer(point(rate=10.0), "cpu").steps(looks=False))
    assert trained["diverged_at"] is None and gone["diverged_at"] == records[-1].step
    losses = [loss for m in points if m["norm"] == "1|0.1" for loss in m["loss"]]
    assert [step for step, _ in losses] == list(range(5, 101, 5))


def test_kernel_and_compiled_engine_agree():
    found = {}
    for engine in ("torch", "compiled"):
        records = make_trainer(point(), engine).steps()
        contents = [c for _, c in take_turns({"one": records}) if c]
        found[engine] = [loss for content in contents for _, loss in content["loss"]]
    assert found["torch"] == pytest.approx(found["compiled"], rel=2e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"norm": "layer"}, "batch, none"),
        ({"depth": 3}, "depth must be one of 2, 4, 8"),
        ({"momentum": 0.5}, "momentum must be one of 0, 0.9"),
        ({"gamma": 3.0}, "gamma must be one of"),
        ({"rate": 0.3}, "rate must be one of"),
        ({"seed": 9}, "seed must be one of 0, 1, 2"),
        ({"predict": 1}, "True or False"),
        ({"cells": 1}, "pairs"),
        ({"cells": [[1.0]]}, "pairs"),
        ({"cells": [[1.0, 7.0]]}, "rate must be one of"),
        ({"more": 1}, "exactly the keys"),
    ],
)
def test_states_that_are_not_offered(widget, change, message):
    with pytest.raises(ValueError, match=message):
        widget.check({**STATE, **change}, widget.options)
    widget._hear(widget, {"type": "train", "id": 3, "state": {**STATE, **change}}, [])
    assert widget.sent[-1]["type"] == "error"


def test_a_state_that_is_no_dict(widget):
    with pytest.raises(ValueError, match="exactly the keys"):
        widget.check([1], widget.options)
    with pytest.raises(ValueError, match="depth"):
        Plane(depth=5)
