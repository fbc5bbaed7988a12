"""From numbers, one a seed, to the word of a part."""

import numpy as np
import pytest

from bnlab.draw.style import PARTS
from bnlab.verdicts.parts import PART_WORDS, Effect, judge

EDGE = 1e-6


def between(low, high):
    """Values, half of each, whose interval lies within (low, high) and nearly fills it."""
    middle, half = (low + high) / 2, (high - low) / 2
    values = np.array([-1.0, 1.0] * 32)
    wide = judge(Effect("e", "e", "u", 0.0), values)
    return middle + values * half / wide.high * (1 - EDGE)


# margin 1: an interval on each side of each edge, and across it, for both signs
@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (1, 3, "holds"),
        (0.9, 3, "undecided"),
        (-1, 1, "no effect"),
        (-1, 0.5, "no effect"),
        (-0.5, 1, "no effect"),
        (-0.5, 1.1, "undecided"),
        (-1.1, 0.5, "undecided"),
        (-2, 2, "undecided"),
        (-3, -0.9, "undecided"),
        (-3, -1, "opposite"),
    ],
)
def test_more(low, high, word):
    assert judge(Effect("e", "e", "u", 1.0), between(low, high)).word == word


@pytest.mark.parametrize(
    ("low", "high", "both", "one"),
    [
        (-1, 1, "holds", "holds"),
        (-3, -1.1, "does not hold", "holds"),
        (-3, -0.9, "undecided", "holds"),
        (0.9, 1.1, "undecided", "undecided"),
        (1, 3, "does not hold", "does not hold"),
        (-3, 3, "undecided", "undecided"),
    ],
)
def test_same_on_both_sides_and_on_one(low, high, both, one):
    values = between(low, high)
    assert judge(Effect("e", "e", "u", 1.0, "same"), values).word == both
    assert judge(Effect("e", "e", "u", 1.0, "same", upper=True), values).word == one
    about = Effect("e", "e", "u", 1.0, "about", target=7.0)
    assert judge(about, values + 7).word == both
    assert judge(Effect("e", "e", "u", 1.0, "identity"), values).word == one


def test_a_margin_of_zero_asks_for_the_sign_alone():
    effect = Effect("e", "e", "u", 0.0)
    assert judge(effect, between(0, 1)).word == "holds"
    assert judge(effect, between(-1, 0)).word == "opposite"
    assert judge(effect, between(-0.1, 1)).word == "undecided"
    assert judge(effect, np.zeros(8)).word == "no effect"


def test_a_judgement_keeps_what_it_rests_on():
    found = judge(Effect("e", "e", "u", 1.0), [2.0, 3.0, 4.0])
    assert found.mean == 3.0 and found.low < 3.0 < found.high
    assert found.values.tolist() == [2.0, 3.0, 4.0]
    assert set(PARTS) == set(PART_WORDS)


@pytest.mark.parametrize(
    ("effect", "counts_if", "measured"),
    [
        (Effect("e", "e", "decades", 0.5), "more than 3.2 times", "10 times"),
        (Effect("e", "e", "decades", 0.0), "larger at all", "10 times"),
        (Effect("e", "e", "decades", 0.301, "same"), "0.5 to 2 times as large", "10 times"),
        (Effect("e", "e", "decades", 0.05, "same", upper=True), "at most 1.12 times", "10 times"),
        (Effect("e", "e", "decades", 0.5, "about", target=2.0), "32 to 320 times", "10 times"),
        (Effect("e", "e", "decades", -9.0, "identity"), "at most 10⁻⁹ times", "10 times"),
        (Effect("e", "e", "", 0.02), "more than 2 points", "100 points"),
        (Effect("e", "e", "", 0.01), "more than 1 point", "100 points"),
        (Effect("e", "e", "", 0.02, "same"), "within 2 points, up or down", "100 points"),
        (Effect("e", "e", "of the gain", 0.7), "more than 70 % of the gain", "100 % of the gain"),
        (Effect("e", "e", "of cosine", 0.3), "more than 0.30", "1.00"),
    ],
)
def test_sizes_are_said_as_readers_say_them(effect, counts_if, measured):
    assert effect.counts_if.replace("\u00a0", " ") == counts_if
    found = judge(effect, np.ones(8))
    assert found.measured.replace("\u00a0", " ") == f"{measured} (95 %: {measured})"
    assert counts_if in str(found).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "at most"}, "Known: more, same, about, identity"),
        ({"target": 2.0}, "only the kind 'about' has a target"),
        ({"upper": True}, "only the kind 'same' can be of one side"),
        ({"kind": "same", "margin": -1.0}, "the margin of this kind is 0 or more"),
        ({"kind": "more", "margin": -1.0}, "the margin of this kind is 0 or more"),
        ({"kind": "about", "margin": -1.0, "target": 3.0}, "the margin of this kind is 0"),
        ({"predicted": (2.0, 1.0)}, "lower end of a prediction first"),
    ],
)
def test_a_part_that_cannot_be_judged_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Effect("e", "e", "u", **{"margin": 1.0, **options})
