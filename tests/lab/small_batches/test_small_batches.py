"""SmallBatches: what it offers, and the three accuracies of its nets."""

import random
import time

import numpy as np
import pytest
import torch

from bnlab.lab import SmallBatches
from bnlab.lab.small_batches.small_batches import (
    CHUNK,
    CHUNKS,
    NORMS,
    NUMBERS,
    STEPS,
    batch_accuracy,
    looked_at,
    recomputed_accuracy,
    running_accuracy,
    small_run,
    small_trainings,
)
from bnlab.norms import recompute_statistics
from bnlab.train import evaluate, make_trainer, train
from tests.lab.kit.heard import Heard, collected

STATE = {"batch_size": 4, "classes": 10, "r_max": 3.0, "d_max": 5.0, "lr": 0.1, "seed": 540}


class Spoken(Heard, SmallBatches):
    """A widget that is listened to."""


@pytest.fixture
def widget():
    made = Spoken()
    yield made
    made.close()


def test_the_defaults_show_failure_and_rescue():
    """The chapter says so of the widget as it is first seen."""
    state = {**STATE, "norms": ["batch", "batch_renorm"]}
    for seed in (540, 541, 542):
        nets = collected(small_trainings({**state, "seed": seed}, "compiled"))
        ends = {norm: net["accuracy"][-1][1] for norm, net in nets.items()}
        assert ends["batch_renorm"] > ends["batch"] + 0.1
        trained = {norm: net["train"][-1][1] for norm, net in nets.items()}
        assert trained["batch_renorm"] > trained["batch"] + 0.3


def any_states(number, **fixed):
    """States of the widget, drawn at random, always the same."""
    draw = random.Random(7)
    return [
        {key: draw.choice(values) for key, values in NUMBERS.items()} | fixed for _ in range(number)
    ]


@pytest.mark.parametrize("engine", ["torch", "compiled"])
def test_without_statistics_of_the_batch_there_is_one_accuracy(engine):
    """Both columns are about the same images: else they would differ by the images alone."""
    for state in any_states(6 if engine == "torch" else 25, norms=["group"]):
        net = collected(small_trainings(state, engine, steps=40))["group"]
        assert net["batch"] == [[step, pytest.approx(v)] for step, v in net["accuracy"]], state
        if net["diverged_at"] is None:
            assert net["recomputed"] == net["accuracy"][-1][1], state


@pytest.mark.parametrize("norm", ["batch", "batch_renorm"])
def test_with_them_the_two_differ_and_are_of_the_same_images(norm):
    state = {**STATE, "batch_size": 8, "classes": 2}
    trainer = make_trainer(small_run(norm, state, steps=60), "torch", "cpu")
    for _ in trainer.steps(looks=False):
        pass
    chosen = looked_at(small_run(norm, state), trainer.data.val_y)
    numbers = np.concatenate(chosen)
    x, y = (torch.tensor(part[numbers]) for part in (trainer.data.val_x, trainer.data.val_y))
    assert running_accuracy(trainer, chosen) == pytest.approx(evaluate(trainer.net, x, y)[1])
    assert running_accuracy(trainer, chosen) != batch_accuracy(trainer, chosen)


def test_losses_and_training_accuracy_are_those_of_the_run():
    nets = collected(small_trainings({**STATE, "norms": list(NORMS), "classes": 2}, "compiled"))
    for norm, net in nets.items():
        history = train(small_run(norm, {**STATE, "classes": 2}), "compiled")
        assert [step for step, _ in net["accuracy"]] == list(range(0, STEPS + 1, 20))
        assert net["loss"][-1] == [STEPS, sum(history.loss[-5:]) / 5]
        assert net["train"][-1] == [STEPS, sum(history.accuracy[-20:]) / 20]
        assert net["done"] and net["diverged_at"] is None


@pytest.mark.parametrize("engine", ["torch", "compiled"])
def test_batch_statistics_are_those_of_batches_like_in_training(engine):
    run = small_run("batch", {**STATE, "classes": 2, "batch_size": 8}, steps=20)
    trainer = make_trainer(run, engine, "cpu")
    chosen = looked_at(run, trainer.data.val_y)
    assert len(chosen) == 37 and all(len(set(trainer.data.val_y[b])) <= 2 for b in chosen)
    x, y = map(torch.tensor, (trainer.data.val_x, trainer.data.val_y))
    expected = np.mean([evaluate(trainer.net, x[b], y[b], True)[1] for b in chosen])
    assert batch_accuracy(trainer, chosen) == pytest.approx(expected, abs=1e-6)


def test_recomputed_statistics_are_those_of_large_batches():
    run = small_run("batch_renorm", STATE, steps=40)
    trainer = make_trainer(run, "torch", "cpu")
    for _ in trainer.steps(looks=False):
        pass
    before = {name: b.clone() for name, b in trainer.net.named_buffers()}
    chosen = looked_at(run, trainer.data.val_y)
    found = recomputed_accuracy(trainer, chosen)
    assert all(bool((b == before[name]).all()) for name, b in trainer.net.named_buffers())
    recompute_statistics(trainer.net, trainer.train_x[: CHUNK * CHUNKS].split(CHUNK))
    assert found == running_accuracy(trainer, chosen)


def test_limits_of_one_and_zero_are_batch_normalization():
    state = {**STATE, "r_max": 1.0, "d_max": 0.0, "norms": ["batch", "batch_renorm"]}
    nets = collected(small_trainings(state, "torch", steps=5))
    one, other = (net["loss"][0][1] for net in nets.values())
    assert one == pytest.approx(other, rel=1e-3)
    open_limits = collected(
        small_trainings({**state, "d_max": 5.0, "r_max": 3.0}, "torch", steps=5)
    )
    assert open_limits["batch_renorm"]["loss"][0][1] != pytest.approx(one, rel=1e-3)


def test_divergence_is_a_result():
    state = {**STATE, "lr": 1e9, "norms": ["group"]}
    net = collected(small_trainings(state, "torch"))["group"]
    assert net["done"] and net["diverged_at"] is not None and net["recomputed"] is None
    assert np.isfinite([value for _, value in net["loss"] + net["accuracy"]]).all()


def test_the_kernel_answers_soon_and_the_newest_request_wins(widget):
    assert widget.wait(60)
    widget.sent.clear()
    begun = time.perf_counter()
    for number in range(1, 30):
        message = {"type": "train", "id": number, "state": {**widget.state, "lr": 0.3}}
        widget._handle_custom_msg(message, [])
    while not any(m["type"] == "points" for m in widget.sent) and time.perf_counter() < begun + 20:
        time.sleep(0.005)
    widget._handle_custom_msg({"type": "stop", "id": 29}, [])
    assert widget.wait(60)
    points = [m for m in widget.sent if m["type"] == "points"]
    assert points and {m["id"] for m in points} == {29}
    assert widget.sent[-1]["stopped"] is True


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"norms": ["layer"]}, "unknown normalizer 'layer'|normalizer"),
        ({"norms": []}, "one or more different"),
        ({"batch_size": 5}, "batch_size must be one of 2, 4, 8"),
        ({"classes": 3}, "classes must be one of 10, 2, 1"),
        ({"r_max": 0.5}, "r_max must be one of 1, 1.2"),
        ({"d_max": -1}, "d_max must be one of 0, 0.2"),
        ({"lr": 7.0}, "lr must be one of"),
        ({"seed": 1}, "seed must be one of"),
        ({"predict": 1}, "True or False"),
    ],
)
def test_a_wrong_state_says_what_is_offered(widget, change, message):
    with pytest.raises(ValueError, match=message):
        widget.state = {**widget.state, **change}
    widget.sent.clear()
    wrong = {"type": "train", "id": 1, "state": {**widget.state, **change}}
    widget._handle_custom_msg(wrong, [])
    assert widget.sent[0]["type"] == "error"


def test_keys_of_a_state_must_be_these(widget):
    with pytest.raises(ValueError, match="exactly the keys norms, batch_size"):
        widget.state = {"lr": 0.1}
    assert set(widget.options["stops"]) == set(NUMBERS)


def test_a_single_name_is_a_list_of_one():
    made = SmallBatches(norms="group", batch_size=2, classes=1)
    assert made.state["norms"] == ["group"]
    made.close()
