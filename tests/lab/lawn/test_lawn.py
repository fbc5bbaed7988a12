"""Lawn: what it offers, and the trainings of its two nets."""

import math
import time

import numpy as np
import pytest
import torch

from bnlab.lab import Lawn
from bnlab.lab.lawn.lawn import (
    FREES,
    LOOKED_AT,
    LOOKS,
    LRS,
    NUMBERS,
    QUANTITIES,
    SEEDS,
    STEPS,
    WRONGS,
    lawn_run,
    lawn_trainings,
)
from bnlab.train import make_trainer, train
from tests.lab.kit.heard import Heard, collected

STATE = {"free": 0.05, "lr": 0.003, "wrong": 0.3, "seed": SEEDS[0]}


class Spoken(Heard, Lawn):
    """A widget that is listened to."""


@pytest.fixture
def widget():
    made = Spoken()
    yield made
    made.close()


def values(net, key):
    return np.array([value for _, value in net[key]])


def test_from_its_defaults_lawn_holds_weights_and_logits_and_stays_ahead():
    """So says the chapter of the widget as it is first seen, whatever the seed."""
    for seed in SEEDS:
        adam, lawn = collected(lawn_trainings({**STATE, "seed": seed}, "compiled")).values()
        assert values(adam, "weights")[-1] > 1.2 * values(lawn, "weights")[-1]
        assert values(adam, "logits")[-1] > 1.4 * values(lawn, "logits")[-1]
        assert values(lawn, "accuracy")[-1] > values(adam, "accuracy")[-1] + 0.03


def test_with_right_labels_nobody_is_ahead():
    state = {**STATE, "wrong": 0.0}
    adam, lawn = collected(lawn_trainings(state, "compiled")).values()
    assert values(lawn, "accuracy")[-1] == pytest.approx(values(adam, "accuracy")[-1], abs=0.021)
    assert values(adam, "logits")[-1] > values(lawn, "logits")[-1]


def test_norms_stay_from_the_end_of_the_free_phase_on():
    adam, lawn = collected(lawn_trainings({**STATE, "free": 0.2}, "compiled")).values()
    steps = [step for step, _ in lawn["weights"]]
    assert steps == list(range(0, STEPS + 1, 20))
    switch = steps.index(120)
    for key in QUANTITIES:
        until = [point for point in lawn[key] if point[0] <= 120]
        assert until == adam[key][: len(until)], "the free phase is Adam's"
    held = values(lawn, "weights")[switch:]
    assert np.allclose(held, held[0], rtol=1e-6) and values(adam, "weights")[-1] > 1.1 * held[0]


def test_a_free_phase_without_end_is_adam():
    adam, lawn = collected(lawn_trainings({**STATE, "free": 1.0}, "compiled")).values()
    assert adam == lawn


def test_accuracies_and_losses_are_those_of_the_runs():
    nets = collected(lawn_trainings(STATE, "compiled"))
    for name, net in nets.items():
        history = train(lawn_run(name, STATE), "compiled")
        assert [value for _, value in net["accuracy"]] == history.val_accuracy.tolist()
        assert net["loss"][-1] == [STEPS, sum(history.loss[-5:]) / 5]
        assert net["done"] and net["diverged_at"] is None
    noisy, right = (lawn_run("lawn", {**STATE, "wrong": share}) for share in (0.3, 0.0))
    assert noisy.label_noise == 0.3 and right.label_noise == 0.0


def test_torch_and_the_compiled_nets_train_alike():
    state = {**STATE, "free": 0.5}
    one, other = (collected(lawn_trainings(state, e, steps=40)) for e in ("torch", "compiled"))
    for name in LOOKS:
        for key in QUANTITIES:
            assert values(one[name], key) == pytest.approx(values(other[name], key), rel=1e-3), key


def test_norm_and_logits_are_those_of_the_net():
    found = collected(lawn_trainings(STATE, "torch", steps=20))["adam"]
    trainer = make_trainer(lawn_run("adam", STATE, steps=20), "torch", "cpu")
    *_, _ = trainer.steps(looks=False)
    weights = [p.detach() for name, p in trainer.net.named_parameters() if name.endswith("weight")]
    norm = math.sqrt(sum(float(torch.linalg.vector_norm(w)) ** 2 for w in weights))
    assert found["weights"][-1] == [20, pytest.approx(norm, rel=1e-6)]
    with torch.no_grad():
        logits = trainer.net(torch.tensor(trainer.data.val_x[:LOOKED_AT]))
    assert found["logits"][-1] == [20, pytest.approx(float(logits.abs().mean()), rel=1e-6)]


@pytest.mark.parametrize("free", [0.0, 0.02, 1.0])
@pytest.mark.parametrize("lr", [0.3, 1.0])
def test_divergence_is_a_result_and_no_number_is_missing(free, lr):
    nets = collected(lawn_trainings({**STATE, "free": free, "lr": lr}, "compiled"))
    assert (nets["adam"]["diverged_at"] is not None) == (lr == 1.0)
    for net in nets.values():
        assert net["done"]
        for key in QUANTITIES:
            assert np.isfinite(values(net, key)).all()


def test_the_kernel_answers_soon_and_the_newest_request_wins(widget):
    assert widget.wait(60)
    widget.sent.clear()
    begun = time.perf_counter()
    for number in range(1, 30):
        message = {"type": "train", "id": number, "state": {**widget.state, "lr": 0.01}}
        widget._handle_custom_msg(message, [])

    def answered() -> list[int]:
        return [m["id"] for m in list(widget.sent) if m["type"] == "points"]

    while 29 not in answered() and time.perf_counter() < begun + 20:
        time.sleep(0.005)
    widget._handle_custom_msg({"type": "stop", "id": 29}, [])
    assert widget.wait(60)
    found = answered()  # an earlier one may have begun before the newest was asked for
    assert set(found[found.index(29) :]) == {29} and len(set(found)) < 29
    assert widget.sent[-1]["stopped"] is True


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"free": 0.3}, "free must be one of 0, 0.02, 0.05"),
        ({"free": 2.0}, "free must be one of"),
        ({"lr": 7.0}, "lr must be one of 0.0003"),
        ({"wrong": -0.1}, "wrong must be one of 0, 0.1"),
        ({"seed": 1}, "seed must be one of 964"),
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
    with pytest.raises(ValueError, match="exactly the keys free, lr, wrong, seed"):
        widget.state = {"lr": 0.1}
    assert widget.options["stops"] == {
        "free": list(FREES),
        "lr": list(LRS),
        "wrong": list(WRONGS),
        "seed": list(SEEDS),
    }
    assert set(NUMBERS) < set(widget.state)
