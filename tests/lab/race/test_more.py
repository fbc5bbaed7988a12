"""What a race offers beyond the usual, on Python's side."""

import itertools
import time

import numpy as np
import pytest

from bnlab.data import digits
from bnlab.lab import Race
from bnlab.lab.race.digits import LEVELS, guesses, seen
from bnlab.lab.race.race import DECAYS, LENGTHS, MOMENTA, check_state
from bnlab.lab.race.run import race_run
from bnlab.train import Run, make_trainer, train
from tests.lab.race.test_race import Heard, curve


def test_the_usual_race_is_the_run_of_ever():
    assert race_run("none", momentum=0.0, weight_decay=0.0, lr=0.3) == race_run("none", lr=0.3)
    assert race_run("none", lr=0.3).optimizer_options == {}
    run = race_run("batch", momentum=0.9, weight_decay=1e-3)
    assert run.optimizer_options == {"momentum": 0.9, "weight_decay": 1e-3}
    assert isinstance(run, Run) and run.optimizer == "sgd"


@pytest.mark.parametrize(("momentum", "decay"), [*itertools.product(MOMENTA, DECAYS)])
def test_every_stop_of_the_new_controls_is_a_state(momentum, decay):
    race = Race(momentum=momentum, weight_decay=decay)
    for steps in LENGTHS:
        state = {**race.state, "steps": steps}
        assert check_state(state, race.options) == state
    race.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"momentum": 1.0}, "momentum must be one of 0, 0.5, 0.9"),
        ({"momentum": -0.5}, "momentum must be one of"),
        ({"weight_decay": 1.0}, "weight_decay must be one of 0, 0.0001"),
        ({"slow": 1}, "slow must be True or False"),
        ({"momentum": True}, "momentum must be one of"),
    ],
)
def test_bad_arguments_list_what_is_offered(arguments, message):
    with pytest.raises(ValueError, match=message):
        Race(**arguments)


def test_a_kernel_trains_with_them():
    race = Heard(steps=20, depth=2)
    assert race.options["lengths"] == [20, *LENGTHS]
    race.ask("train", 1, momentum=0.9, weight_decay=0.01, lr=0.03)
    assert race.wait(60)
    for norm in ("none", "batch"):
        run = race_run(norm, momentum=0.9, weight_decay=0.01, lr=0.03, depth=2, seed=100, steps=20)
        means = train(run).loss.reshape(-1, 5).mean(1)
        assert [v for _, v in curve(race.of(1, "points"), norm, "loss")] == pytest.approx(
            means.tolist()
        )
    race.close()


def last_step(race, number):
    return max((step for step, _ in curve(race.of(number, "points"), "batch", "loss")), default=0)


def test_a_kernel_goes_slowly_if_asked_and_stops_at_once():
    race = Heard(steps=300, depth=1, batch_size=2)
    race.state = {**race.state, "slow": True}
    begun = time.perf_counter()
    race.ask("train", 1)
    while last_step(race, 1) < 30:
        time.sleep(0.01)
    assert time.perf_counter() - begun > 0.8  # a tenth of ten seconds, and not of one
    race.state = {**race.state, "slow": False}  # as the page says when the box is unticked
    step, begun = last_step(race, 1), time.perf_counter()
    assert race.wait(60) and last_step(race, 1) == 300
    assert time.perf_counter() - begun < 8 or step > 250
    race.ask("train", 2, slow=True)
    time.sleep(0.3)
    race.ask("stop", 2)
    assert race.wait(10) and last_step(race, 2) < 300
    race.close()


def test_the_images_are_one_of_each_digit():
    data, looked_at = digits(), seen()
    assert looked_at["labels"] == list(range(10))
    for number, label, letters in zip(*looked_at.values(), strict=True):
        assert data.val_y[number] == label
        pixels = np.array([LEVELS.index(letter) for letter in letters])
        assert np.array_equal(((pixels - 5) / 6).astype(np.float32), data.val_x[number].ravel())


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_guesses_of_a_kernel_are_those_of_the_net_and_change_no_training(norm):
    race = Heard(norms=("none", "batch"), steps=40, depth=2)
    race.ask("train", 1, lr=0.1)
    assert race.wait(60)
    told = [m["guesses"] for m in race.of(1, "points") if m["norm"] == norm and m["guesses"]]
    trainer = make_trainer(race_run(norm, lr=0.1, depth=2, seed=100, steps=40))
    records = [*trainer.steps()]
    assert told[-1] == guesses(trainer)
    losses = np.array([record.loss for record in records[1:]]).reshape(-1, 5).mean(1)
    assert [v for _, v in curve(race.of(1, "points"), norm, "loss")] == pytest.approx(
        losses.tolist()
    )
    race.close()
