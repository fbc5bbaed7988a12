"""Sentences of chapter 11 that no code prints; if one fails, the text must change."""

import json
from pathlib import Path

import pytest

from bnlab import claims
from bnlab.chapters.binary_nets import setups, window
from bnlab.chapters.binary_nets.trainings import BASE, METHODS
from bnlab.verdicts.table import Table

PAGE = Path(__file__).parents[3] / "book" / "11_binary_nets.ipynb"


@pytest.fixture(scope="module")
def found():
    return {name: claims.load(name) for name in ("BNN1", "BNN2", "BNN3")}


def words(evidence):
    return {judgement.effect.name: judgement.word for judgement in evidence.verdict.judgements}


def test_in_the_papers_block_a_scale_is_nearly_enough(found):
    one, three = found["BNN1"].facts, found["BNN3"].facts
    for facts, end in ((one, ""), (three, "scaled_")):  # "costs a point or two of accuracy"
        assert 0.5 < facts[f"test_{end}batch"] - facts[f"test_{end}none"] < 2.5
    assert words(found["BNN3"])["scaled"] == words(found["BNN3"])["scaled_bare"] == "no effect"
    assert BASE.depth == 8  # "in our nets of eight blocks"


def test_signs_alone_collapse_and_a_wider_window_brings_a_large_part_back(found):
    said, facts = words(found["BNN3"]), found["BNN3"].facts
    assert found["BNN3"].verdict.said == "depends on the scale of the filters"
    assert said["signs"] == said["signs_bare"] == "holds"
    assert said["window"] == said["window_bare"] == "holds"  # "a large part of the reason"
    for end in ("", "_bare"):
        assert facts[f"points_window{end}"] > 0.4 * facts[f"points_signs{end}"]
        assert facts[f"test_signs{end}_widened"] < facts[f"test_signs{end}_batch"] - 5  # "the rest"
        assert facts[f"inside_first_signs{end}_none"] < 25


def test_batch_norm_allows_larger_rates(found):
    said, facts = words(found["BNN3"]), found["BNN3"].facts
    assert said["same_rate"] == "undecided"
    assert facts["lr_scaled_bare_batch"] > facts["lr_scaled_bare_none"]
    assert facts["failed_scaled_bare_unchanged"] > 0
    assert facts["worst_scaled_bare_none"] > 50  # "at its own best rate ... in none"


def test_what_is_said_of_the_three_parts(found):
    said, facts = words(found["BNN1"]), found["BNN1"].facts
    assert said["accuracy"] == "does not hold" and said["filters"] == said["block"] == "holds"
    assert said["clip_added"] == "no effect" and said["clip"] == "undecided"  # "that we could see"
    assert facts["test_three"] < facts["test_none"]  # "not ahead of the net with nothing"
    alone = facts["test_standardized"]  # "standardized filters alone end above all three together"
    assert alone > facts["test_three"] + 2 and alone > facts["test_without_clip"] + 2
    assert METHODS["standardized"]["scale"] == "mean_abs"  # "Standardized filters have a scale"
    assert facts["inside_first_signs_block"] > 2 * facts["inside_first_signs"]
    assert facts["inside_first_signs_clip"] == facts["inside_first_signs"]  # "brings nothing"
    assert found["BNN2"].verdict.word == "shown"
    assert found["BNN2"].facts["steps"] == 2 * facts["steps"]  # "together twice as many steps"


def test_what_is_said_of_the_three_parts_on_cifar10():
    photographs = claims.load("BNN1", scale="cifar10")
    said, facts = words(photographs), photographs.facts
    assert photographs.verdict.word == "not shown"
    assert said["accuracy_short"] == said["accuracy"] == "does not hold"
    assert facts["long"] == 3 * facts["short"]  # "half an epoch", "one and a half"
    assert said["needed"] == "no effect" and facts["points_needed"] < 0  # "Nor are they ahead"
    lost = facts["test_batch"] - facts["test_none"]
    assert 3.5 < lost < 4.5  # "leaving BatchNorm out costs about four"


def test_what_is_said_of_the_gradient_of_a_layer():
    assert abs(window.factor(1) - 1) < 0.05  # "the gradient keeps its size"
    assert window.factor(0.25) < 0.2 and window.factor(4) > 4  # "vanish", "explode"


@pytest.fixture(scope="module")
def tried():
    table = setups.load()
    return lambda method, **options: setups.accuracy(table, method, **options)


def test_what_is_said_of_the_search_is_in_its_table(tried):
    def lost(**options):
        return tried("batch", **options) - tried("none", **options)

    assert lost() < 3  # "Eight of the paper's blocks learn without BatchNorm"
    for options in ({"scale": "none"}, {"depth": 16, "shortcuts": False}):
        assert lost(**options) > 25  # "nets that do not", one of them "has a scale"
    assert len(setups.load()["seeds"]) == 1  # "With one seed that counts for nothing"
    rows = Table.of(setups.load()).where(optimizer="sgd", method="three", lr=1.0)
    assert len(list(rows)) == 1  # of which the folded table says that it was tried later


def test_each_sentence_that_is_guarded_here_is_on_the_page():
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    for sentence in (
        "costs a point or two of accuracy",
        "a large part of the reason",
        "the gradient keeps its size",
        "Clipping brings nothing into the window",
        "standardized filters alone end above all three together",
        "With one seed that counts for nothing",
        "leaving BatchNorm out costs about",
        "Nor are they ahead of the net with nothing",
    ):
        assert sentence in text, sentence
