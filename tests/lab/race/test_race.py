"""The Python side of Race: messages in, messages out, with real trainings."""

import itertools
import json
import os
import statistics
import subprocess
import sys
import threading
import time

import pytest
import torch

from bnlab.lab import Race
from bnlab.lab.kit.worker import Worker
from bnlab.lab.race.race import BATCH_SIZES, DEPTHS, LRS, check_state


class Heard(Race):
    """A Race that keeps what it sends."""

    def __init__(self, **arguments):
        self.sent = []
        super().__init__(**arguments)
        self.wait(60)

    def send(self, content, buffers=None):
        json.dumps(content, allow_nan=False)  # what the browser cannot read must not leave
        self.sent.append((time.perf_counter(), content))

    def ask(self, kind, number, **state):
        message = {"type": kind, "id": number}
        if kind == "train":
            message["state"] = {**self.state, **state}
        self._handle_custom_msg(message, [])

    def of(self, number, kind=None):
        messages = [m for _, m in self.sent if m["id"] == number]
        return [m for m in messages if kind in (None, m["type"])]


def curve(messages, norm, which):
    return [point for m in messages if m["norm"] == norm for point in m[which]]


@pytest.fixture(scope="module")
def short():
    race = Heard(steps=20)
    yield race
    race.close()


@pytest.fixture
def race():
    race = Heard(steps=300)
    yield race
    race.close()
    assert race.wait(10)


GRID = list(itertools.product(LRS, BATCH_SIZES[::2], DEPTHS[::4]))
PAIRS = list(itertools.combinations(("none", "batch", "layer", "group"), 2))


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_every_setting_trains_or_diverges(short, pair):
    for number, (lr, batch_size, depth) in enumerate(GRID[PAIRS.index(pair) :: len(PAIRS)]):
        short.sent.clear()
        short.ask("train", number, norms=list(pair), lr=lr, batch_size=batch_size, depth=depth)
        assert short.wait(60)
        points = short.of(number, "points")
        assert short.of(number)[-1]["type"] == "finished"
        for norm in pair:
            last = [m for m in points if m["norm"] == norm][-1]
            assert last["done"]
            if last["diverged_at"] is None:
                assert [step for step, _ in curve(points, norm, "loss")] == [5, 10, 15, 20]
                assert [step for step, _ in curve(points, norm, "accuracy")] == [0, 20]
            else:
                assert 0 < last["diverged_at"] <= 20


def test_points_are_means_of_five_losses_and_validation_accuracies(short):
    from bnlab.lab.race.run import race_run
    from bnlab.train import train

    short.ask("train", 1000, norms=["none", "batch"], lr=0.1, batch_size=16, depth=2, seed=101)
    short.wait(60)
    history = train(race_run("batch", lr=0.1, batch_size=16, depth=2, seed=101, steps=20))
    points = short.of(1000, "points")
    means = history.loss.reshape(-1, 5).mean(1)
    assert [v for _, v in curve(points, "batch", "loss")] == pytest.approx(means.tolist())
    assert [v for _, v in curve(points, "batch", "accuracy")] == history.val_accuracy.tolist()


def test_curves_grow_together(race):
    race.ask("train", 1)
    race.wait(60)
    order = [m["norm"] for m in race.of(1, "points")]
    assert {"none", "batch"} == set(order[:2])
    first_end = min(order[::-1].index(norm) for norm in ("none", "batch"))
    assert first_end <= 2
    assert race.of(1)[-1] == {
        "type": "finished",
        "id": 1,
        "stopped": False,
        "device": race.options["device"],
        "seconds": race.of(1)[-1]["seconds"],
    }


def test_messages_about_a_net_keep_their_distance(race):
    race.ask("train", 1, norms=["none", "batch"])
    race.wait(60)
    times = [t for t, m in race.sent if m.get("norm") == "batch" and not m["done"]]
    # The median: a busy machine may deliver two of them together.
    assert statistics.median(b - a for a, b in itertools.pairwise(times)) > 0.03


def test_newest_of_200_fast_messages_wins(race):
    for number in range(200):
        race.ask("train", number, lr=LRS[number % len(LRS)], depth=2)
    last = time.perf_counter()
    assert race.wait(60)
    assert {m["id"] for t, m in race.sent if t > last} == {199}
    assert race.of(199)[-1]["type"] == "finished"
    ends = [m for _, m in race.sent if m["type"] == "finished"]
    assert [m["id"] for m in ends] == list(range(200))  # whoever waited for an older one knows
    assert [m["id"] for m in ends if not m["stopped"]] == [199]


def test_one_thread_at_most(race):
    for number in range(20):
        race.ask("train", number)
        assert sum(thread.name == "race" for thread in threading.enumerate()) <= 1
    race.wait(60)
    assert not any(thread.name == "race" for thread in threading.enumerate())


def test_stop_ends_at_once_and_says_so(race):
    race.ask("train", 1, depth=12)
    while not race.of(1, "points"):
        time.sleep(0.005)
    race.ask("stop", 1)
    assert race.of(1)[-1]["stopped"] is True
    count = len(race.sent)
    assert race.wait(2)
    assert len(race.sent) == count, "nothing is sent after a stop"


def test_stop_of_an_older_training_changes_nothing(race):
    race.ask("train", 1)
    race.ask("train", 2)
    race.ask("stop", 1)
    race.wait(60)
    assert race.of(2)[-1]["stopped"] is False


def test_divergence_is_a_result(race):
    race.ask("train", 1, norms=["none", "batch"], lr=10.0)
    race.wait(60)
    ends = [m for m in race.of(1, "points") if m["norm"] == "none" and m["done"]]
    assert [m["diverged_at"] > 0 for m in ends] == [True]
    assert race.of(1)[-1]["type"] == "finished"
    assert "NaN" not in json.dumps([m for _, m in race.sent])


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ({"lr": 11.0}, "lr must be one of 0.003, 0.0056"),
        ({"lr": float("nan")}, "lr must be one of"),
        ({"batch_size": 5}, "batch_size must be one of 2, 4, 8, 16, 32, 64, 128, 256, got 5"),
        ({"depth": True}, "depth must be one of 1, 2, 3"),
        ({"norms": ["none"]}, "norms must be 2 to 5 different ones"),
        ({"norms": ["none", "bach"]}, "Did you mean 'batch'"),
        ({"norms": ["none", "instance"]}, "needs images"),
        ({"norms": ["batch", "batch"]}, "different"),
        ({"norms": None}, "norms must be a list"),
        ({"predict": 1}, "predict must be True or False"),
        ({"other": 1}, "exactly the keys"),
    ],
)
def test_bad_state_is_answered_with_a_sentence(short, part, text):
    short.sent.clear()
    short.ask("train", 2000, **part)
    assert [m["type"] for m in short.of(2000)] == ["error"]
    assert text in short.of(2000)[0]["text"]


def test_failure_in_training_reaches_the_reader():
    sent = []

    def broken():
        def steps():
            raise RuntimeError("out of memory")
            yield

        return steps()

    worker = Worker(sent.append)
    worker.start(3, broken, "cpu")
    assert worker.wait(10)
    assert sent == [{"type": "error", "id": 3, "text": "RuntimeError: out of memory"}]


def test_thread_setting_of_the_notebook_stays(short):
    before = torch.get_num_threads()
    short.ask("train", 3000)
    short.wait(60)
    assert torch.get_num_threads() == before


def test_instance_norm_races_on_images():
    race = Heard(norms=("batch", "instance"), net="plain", width=8, steps=20, depth=2)
    race.ask("train", 1)
    assert race.wait(60)
    assert curve(race.of(1, "points"), "instance", "accuracy")[-1][0] == 20
    race.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lr": 0}, "lr must be one of"),
        ({"lr": -1.0}, "lr must be one of"),
        ({"norms": ("none", "instance")}, "needs images"),
        ({"norms": "batch"}, "2 to 5"),
        ({"net": "vgg"}, "unknown net 'vgg'.* mlp, plain"),
        ({"width": 60}, "multiple of 8"),
        ({"steps": 0}, "steps must be"),
        ({"seed": 7}, "seed must be one of 100, 101, 102"),
        ({"device": "gpu0"}, "device 'gpu0' cannot be used here"),
        ({"norms": ("none", "noisy_batch")}, "unknown normalizer 'noisy_batch'"),
        ({"offer": ("none", "rms")}, "unknown normalizer 'rms'.* noisy_batch"),
        ({"offer": "batch"}, "offer must be 2 or more"),
        ({"offer": ("none", "noisy_batch")}, "unknown normalizer 'batch'"),
        ({"claim": "S3"}, "unknown claim 'S3'.* B1, S2"),
        ({"claim": "S2", "seed": 100}, "seed must be one of 264, 265"),
    ],
)
def test_bad_arguments_list_what_is_offered(arguments, message):
    with pytest.raises(ValueError, match=message):
        Race(**arguments)


def test_a_chapter_may_offer_other_normalizers_and_other_seeds():
    offer = ("noisy_batch", "none", "batch")
    race = Heard(norms=offer, offer=offer, claim="S2", steps=20)
    names = [norm["name"] for norm in race.options["norms"]]
    assert names == race.state["norms"] == ["none", "batch", "noisy_batch"]
    assert race.state["seed"] == 264 and race.options["counted"] is None
    race.ask("train", 1, lr=0.1)
    assert race.wait(60)
    assert [step for step, _ in curve(race.of(1, "points"), "noisy_batch", "loss")][-1] == 20
    race.close()


def test_counted_runs_are_those_of_the_claim():
    race = Race(offer=("none", "batch", "noisy_batch"), claim="S2")
    counted = race.options["counted"]
    assert counted["claim"] == "S2" and counted["norms"] == ["none", "batch", "noisy_batch"]
    assert 0.3 in counted["lr"] and counted["seed"] == race.options["seeds"]
    race.close()


def test_state_set_from_python_is_checked(short):
    with pytest.raises(ValueError, match="lr must be one of"):
        short.state = {**short.state, "lr": 0.2}
    short.state = {**short.state, "norms": ["group", "none"]}
    assert short.state["norms"] == ["none", "group"], "in the order of the book"


def test_traits_can_be_sent(short):
    json.dumps([short.options, short.state], allow_nan=False)
    assert check_state(short.state, short.options) == short.state


ALONE = """
import torch
from bnlab.lab import Race
race = Race()
{code}
"""


def alone(code):
    """Run Python in a process of its own, with two threads for torch."""
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
    command = [sys.executable, "-c", ALONE.format(code=code)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def test_a_race_leaves_the_threads_of_the_notebook_alone():
    done = alone("race.wait(); print(torch.get_num_threads())")
    assert done.stdout.strip() == "2", done.stderr


def test_python_can_end_while_a_race_trains():
    state = "{**race.state, 'depth': 12, 'batch_size': 256}"
    done = alone(
        f"race.wait(); race._hear(race, {{'type': 'train', 'id': 1, 'state': {state}}}, [])\n"
        "import time; time.sleep(0.2)"
    )
    assert done.returncode == 0, done.stderr
