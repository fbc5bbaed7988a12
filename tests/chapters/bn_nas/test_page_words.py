"""Sentences of chapter 12 that no code prints; if one fails, the text must change."""

import numpy as np
import pytest

from bnlab import claims
from bnlab.verdicts.table import Table


@pytest.fixture(scope="module")
def facts():
    return {name: claims.load(name).facts for name in ("N1", "N2", "N3", "N4", "N5")}


def words(name):
    return {one.effect.name: one.word for one in claims.load(name).verdict.judgements}


def test_early_the_score_ranks_nets_of_different_depth_and_no_others(facts):
    said = words("N1")
    assert said["early"] == "holds" and said["alike"] == "no effect"
    assert said["beyond_layers"] == "undecided"  # "no more than the number of layers"
    assert said["beyond_parameters"] == "opposite"  # "worse than the number of parameters"
    assert facts["N1"]["score_beside_layers_100"] < 0.05


def test_training_adds_late_and_little_to_the_number_of_layers(facts):
    found = facts["N1"]
    assert abs(found["score_100"] - found["tau_layers"]) < 0.03  # "tells early no more"
    assert 0.03 < found["score_400"] - found["tau_layers"] < 0.15  # "in the end a little more"
    assert abs(found["tau_parameters"] - found["ceiling"]) < 0.1  # "about as well as"
    assert 0.05 < found["score_alike_400"] < found["tau_parameters_alike"] / 2  # "late, and little"
    assert found["score_beside_parameters_400"] > 0.1  # "beside parameters it does know something"


def test_all_batch_norms_are_enough_for_this_score_and_the_last_ones_do_not_learn(facts):
    said, found = words("N2"), facts["N2"]
    assert said["norms_less"] == "holds" and said["last_less"] == "undecided"
    assert found["val_norms_400"] < found["val_all_400"] / 2  # "far fewer digits"
    assert max(found["val_last_400"], found["val_last_width_32"]) < 20  # "near chance"
    assert found["score_last_400"] < found["score_norms_400"] - 0.1  # "ranks worse"


def test_what_the_searches_find(facts):
    said, found = words("N5"), facts["N5"]
    assert said["lost"] == said["beyond_random"] == "undecided"
    assert abs(found["test_score"] - found["test_random"]) < 0.5  # "level"
    assert 0.025 < found["seen_beyond_random"] < 0.035  # "three points would have been seen"
    assert found["layers_accuracy"] < found["layers_score"]
    assert found["parameters_accuracy"] > found["parameters_score"]  # "takes wider ones"
    assert found["test_accuracy"] > found["test_score"] + 2
    rows = Table.of(claims.load("N5").data).where(found="score")
    assert set(rows.column("layers")) == {4}  # "always takes all four layers"


def test_the_factor_depends_on_what_one_counts(facts):
    found = facts["N4"]
    assert found["lookup"] > 50 * found["indicator"] > 500 * found["search"] / 5
    assert found["search_tenth"] < 200
    assert found["lookup"] * 33_600 / found["images"] > 600_000  # "ours, too, would be above"


def test_one_unit_is_repeated_with_the_rates_of_the_text(facts):
    data = claims.load("N1").data
    assert data["marks"] == [40, 100, 200, 400]  # "after 100 of 400 steps"
    assert facts["N1"]["nets"] == 32 and 1100 in data["seeds"]
    assert np.isclose(facts["N3"]["score_0"], facts["N1"]["tau_layers"])
