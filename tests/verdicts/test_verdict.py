"""From the words of the parts to the word of a claim, and what is said of it."""

import itertools

import numpy as np
import pytest

from bnlab.draw.style import VERDICTS
from bnlab.verdicts.verdict import WORDS, Claim, Effect, decide

AT = {"holds": 2.0, "no effect": 0.0, "opposite": -2.0, "undecided": 1.0}


def values(mean):
    """Eight values that lie closely around a mean; around the margin they lie on both sides."""
    width = 0.8 if mean == AT["undecided"] else 0.01
    return mean + width * np.array([-1, 1] * 4)


def claim(*names, **options):
    """A claim of parts with a margin of 1; the first is the core."""
    effects = tuple(Effect(n, f"number {n}", "u", 1.0, says=f"{n} is large") for n in names)
    return Claim("X1", "paper", "authors", "sentence", effects=effects, **options)


def verdict(core, condition=(), **options):
    """The verdict on a claim whose parts come out so; several of the core are its settings."""
    names = [f"c{k}" for k in range(len(core))] + [f"k{k}" for k in range(len(condition))]
    found = {n: values(AT[w]) for n, w in zip(names, (*core, *condition), strict=True)}
    if len(core) > 1:
        options = {"core": tuple(names[: len(core)]), "setting": "depth", **options}
    return decide(claim(*names, **options), found)


@pytest.mark.parametrize(
    ("core", "condition", "word"),
    [
        (["holds"], [], "shown"),
        (["holds"], ["holds"], "shown"),
        (["holds"], ["no effect"], "shown in part"),
        (["holds"], ["opposite"], "shown in part"),
        (["holds"], ["undecided"], "shown in part"),
        (["no effect"], ["holds"], "not shown"),
        (["opposite"], ["holds"], "reversed"),
        (["undecided"], ["holds"], "undecided"),
        (["undecided"], ["opposite"], "undecided"),
        (["holds", "holds"], [], "shown"),
        (["holds", "holds"], ["no effect"], "shown in part"),
        (["holds", "no effect"], ["holds"], "depends"),
        (["opposite", "holds"], ["holds"], "depends"),
        (["holds", "no effect", "undecided"], [], "depends"),
        (["holds", "undecided"], [], "undecided"),
        (["no effect", "undecided"], [], "undecided"),
        (["opposite", "opposite"], ["holds"], "reversed"),
        (["opposite", "no effect"], [], "not shown"),
    ],
)
def test_the_core_decides_and_a_condition_can_only_make_it_partly_shown(core, condition, word):
    found = verdict(core, condition)
    assert found.word == word and found.seeds == 8
    assert found.said == ("depends on depth" if word == "depends" else word)
    assert {j.effect.name for j in found.core} == {f"c{k}" for k in range(len(core))}


def test_only_the_core_can_reverse_a_claim():
    for words in itertools.product(AT, repeat=3):
        found = verdict(words[:1], words[1:])
        assert (found.word == "reversed") == (words[0] == "opposite")


@pytest.mark.parametrize("kind", ["same", "about", "identity"])
def test_reversed_cannot_come_from_a_part_that_claims_no_direction(kind):
    effect = Effect("e", "a number", "u", 1.0, kind, upper=kind == "same")
    item = Claim("X1", "paper", "authors", "sentence", effects=(effect,))
    words = {decide(item, {"e": values(mean)}).word for mean in np.linspace(-50, 50, 101)}
    assert "reversed" not in words and "not shown" in words


def test_an_identity_is_no_success_and_a_broken_one_is_not_shown():
    effects = (Effect("e", "error", "decades", -9.0, "identity"),)
    item = Claim("X1", "paper", "authors", "sentence", effects=effects)
    found = decide(item, {"e": values(-15.0)})
    assert (found.word, found.said) == ("holds by algebra", "holds by algebra, checked")
    assert decide(item, {"e": values(-3.0)}).word == "not shown"
    mixed = (*effects, Effect("a", "number", "u", 1.0))
    item = Claim("X1", "paper", "authors", "sentence", effects=mixed, core=("a",))
    assert decide(item, {"e": values(-15.0), "a": values(2.0)}).word == "shown"


def test_every_word_has_a_look():
    assert tuple(VERDICTS) == WORDS


def test_the_sentence_names_what_failed_and_what_the_seeds_leave_open():
    assert verdict(["holds"], ["holds"]).sentence == "All of it holds on digits."
    found = verdict(["holds"], ["no effect", "undecided"])
    assert found.sentence == (
        "Its core holds: c0 is large. It is not shown that k0 is large. The seeds do not decide "
        "whether k1 is large."
    )
    found = verdict(["holds", "opposite"]).sentence
    assert found == (
        "Its core holds: c0 is large. Its core goes the other way; claimed is that c1 is large."
    )


@pytest.mark.parametrize(
    ("ranges", "word"),
    [
        ([None, None], "none"),
        ([(1, 3), None], "right"),
        ([(1, 3), (-1, 1)], "right"),
        ([(1, 3), (1, 3)], "wrong"),
        ([None, (1, np.inf)], "wrong"),
    ],
)
def test_a_prediction_is_right_if_each_of_its_ranges_holds_the_mean(ranges, word):
    effects = tuple(Effect(n, n, "u", 1.0, predicted=p) for n, p in zip("ab", ranges, strict=True))
    item = Claim("X1", "paper", "authors", "sentence", effects=effects)
    assert decide(item, {"a": values(2.0), "b": values(0.0)}).prediction == word


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"core": ("z",)}, "its core 'z' is none of its effects"),
        ({"core": ("a", "b")}, "say what 'setting' is varied"),
    ],
)
def test_a_core_that_cannot_decide_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        claim("a", "b", **options)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a": np.ones(16)}, "no values for .*'b'"),
        ({"a": np.ones(16), "b": np.ones(15)}, "different numbers of seeds"),
        ({"a": np.ones(7), "b": np.ones(7)}, "at least 8 seeds, got 7"),
    ],
)
def test_no_verdict_on_incomplete_evidence(values, message):
    effects = tuple(Effect(name, name, "u", 1.0) for name in "ab")
    claim = Claim("X1", "paper", "authors", "sentence", effects=effects)
    with pytest.raises(ValueError, match=message):
        decide(claim, values)


def test_a_claim_without_effects_has_no_verdict():
    with pytest.raises(ValueError, match="no values for any effect"):
        decide(Claim("X1", "paper", "authors", "sentence"), {})
