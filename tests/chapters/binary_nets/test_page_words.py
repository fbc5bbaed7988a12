"""Sentences of chapter 11 that no code prints; if one fails, the text must change."""

import pytest

from bnlab import claims
from bnlab.chapters.binary_nets import setups
from bnlab.verdicts.table import Table


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


def test_signs_alone_collapse_and_a_wider_window_brings_a_large_part_back(found):
    said, facts = words(found["BNN3"]), found["BNN3"].facts
    assert found["BNN3"].verdict.said == "depends on the scale of the filters"
    assert said["signs"] == said["signs_bare"] == "holds"
    assert said["window"] == said["window_bare"] == "holds"  # "the harm is done on the way back"
    for end in ("", "_bare"):  # "It is not the only one"
        assert facts[f"test_signs{end}_widened"] < facts[f"test_signs{end}_batch"] - 5
        assert facts[f"inside_first_signs{end}_none"] < 25


def test_at_the_rate_of_batch_norm_the_seeds_do_not_decide(found):
    said, facts = words(found["BNN3"]), found["BNN3"].facts
    assert said["same_rate"] == "undecided"
    assert facts["lr_scaled_bare_batch"] > facts["lr_scaled_bare_none"]
    assert facts["test_scaled_bare_unchanged"] < facts["test_scaled_bare_none"] - 20


def test_what_is_said_of_the_three_parts(found):
    said, facts = words(found["BNN1"]), found["BNN1"].facts
    assert said["accuracy"] == "does not hold" and said["filters"] == said["block"] == "holds"
    assert said["clip_added"] == "no effect" and said["clip"] == "undecided"
    assert facts["test_three"] < facts["test_none"]  # "not ahead of nothing but the scale"
    assert found["BNN2"].verdict.word == "shown"  # "they can take BatchNorm's place"
    assert found["BNN2"].facts["steps"] == 2 * facts["steps"]  # "half as many steps"


@pytest.fixture(scope="module")
def tried():
    table = setups.load()
    return lambda method, **options: setups.accuracy(table, method, **options)


def test_what_is_said_of_the_search_is_in_its_table(tried):
    def lost(**options):
        return tried("batch", **options) - tried("none", **options)

    deep, bare, signs = {"depth": 16}, {"shortcuts": False}, {"scale": "none"}
    assert lost() < 3  # "Our first plan could not fail"
    for options in (signs, deep | bare, signs | bare):
        assert lost(**options) > 25  # "most without a scale, and in 16 blocks without shortcuts"
    assert max(lost(**options) for options in (deep, bare)) < 10
    for options in ({"optimizer": "sgd"}, {"stages": 2}, {"first_weights": "positive"}):
        assert abs(lost(**options)) < 5  # "matter less"
    for options in (signs, signs | bare):  # "dividing ... brought back all, in one seed"
        assert tried("divided", **options) > tried("batch", **options) - 3
    assert len(setups.load()["seeds"]) == 1


def test_with_sgd_the_three_parts_want_a_rate_ten_times_as_large():
    rows = Table.of(setups.load()).where(optimizer="sgd", scale="mean_abs")
    best = {}
    for method in ("none", "three"):
        found = {row["lr"]: row["val_accuracy"] or 0 for row in rows.where(method=method)}
        best[method] = max(found, key=found.get)
    assert best == {"none": 0.1, "three": 1.0}
