"""Sentences of chapter 11 that no code prints; if one fails, the text must change."""

import pytest

from bnlab import claims
from bnlab.chapters.binary_nets import setups


@pytest.fixture(scope="module")
def found():
    return {name: claims.load(name) for name in ("BNN1", "BNN2", "BNN3")}


def words(evidence):
    return {judgement.effect.name: judgement.word for judgement in evidence.verdict.judgements}


@pytest.fixture(scope="module")
def tried():
    table = setups.load()
    return lambda method, **options: setups.accuracy(table, method, **options)


def test_what_is_said_of_the_search_is_in_its_table(tried):
    def lost(**options):
        return tried("batch", **options) - tried("none", **options)

    deep, bare, signs = {"depth": 16}, {"shortcuts": False}, {"scale": "none"}
    assert lost() < 3  # "Our first plan could not fail"
    for options in (deep, bare, signs, deep | bare, signs | bare):
        assert lost(**options) > 5  # "hurts where there are many blocks, no shortcuts or no scale"
    for options in ({"optimizer": "sgd"}, {"stages": 2}, {"first_weights": "positive"}):
        assert abs(lost(**options)) < 5  # "matter less in the paper's block"
    assert tried("three", optimizer="sgd") < tried("none", optimizer="sgd") - 3
    assert len(setups.load()["seeds"]) == 1  # "with one seed"
