"""What chapter 11 lets its reader try does what the text says, at that link and seed."""

import pytest

from bnlab.lab.bits.bits import trainings

START = {
    "norms": ["batch", "signs", "none"],
    "depth": 8,
    "shortcuts": "off",
    "start": "centred",
    "clip": 0.0,
    "optimizer": "adam",
    "lr": 0.01,
    "seed": 1204,
}


def curves(**state):
    found = {}
    for name, content in trainings({**START, **state}, "compiled"):
        curve = found.setdefault(name, {"accuracy": [], "inside": [], "flips": []})
        for key in curve if content else ():
            curve[key].extend(value for _, value in content.get(key, []))
        if content and content["diverged_at"] is not None:
            found[name]["accuracy"] = [0.0]
    return found


def ends(found):
    return {name: curve["accuracy"][-1] for name, curve in found.items()}


@pytest.fixture(scope="module")
def start():
    return curves()


def test_at_first_the_scale_is_ahead_and_signs_alone_are_outside_of_the_window(start):
    at_end = ends(start)
    assert at_end["none"] > at_end["batch"] + 0.02 and at_end["signs"] < at_end["batch"] - 0.3
    inside = {name: curve["inside"][0] for name, curve in start.items()}
    assert inside["signs"] < 0.3 and min(inside["batch"], inside["none"]) > 0.75


def test_shortcuts_help_signs_alone_most(start):
    gain = {name: end - ends(start)[name] for name, end in ends(curves(shortcuts="on")).items()}
    assert max(gain, key=gain.get) == "signs" and gain["signs"] > 0.25


def test_positive_weights_flip_at_once_and_two_nets_end_lower(start):
    positive = curves(start="positive")
    for name, curve in positive.items():
        assert curve["flips"][0] > 0.3 > 0.1 > start[name]["flips"][0]
    for name in ("batch", "none"):
        assert ends(positive)[name] < ends(start)[name] - 0.05


def test_at_a_rate_five_times_as_large_only_batch_norm_learns():
    large = ends(curves(lr=0.05))
    assert large["batch"] > 0.6 and max(large["none"], large["signs"]) < 0.2


def test_with_sgd_signs_alone_explode_and_clipping_only_stops_that():
    assert ends(curves(optimizer="sgd", lr=0.1, norms=["signs"]))["signs"] == 0.0
    clipped = ends(curves(optimizer="sgd", lr=0.1, clip=0.02, norms=["signs"]))
    assert 0.0 < clipped["signs"] < 0.25
