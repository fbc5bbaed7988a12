"""Sentences of chapter 12 that no code prints; if one fails, the text must change."""

import itertools

import numpy as np
import pytest

import tests.web.choices_reference as widget
from bnlab import claims
from bnlab.lab.choices.supernets import SEEDS
from bnlab.verdicts.table import Table


@pytest.fixture(scope="module")
def facts():
    return {name: claims.load(name).facts for name in ("N1", "N2", "N3", "N4", "N5")}


def words(name):
    return {one.effect.name: one.word for one in claims.load(name).verdict.judgements}


def test_in_short(facts):
    """'Early, this score ranks them about as well as their number of layers', parameters better."""
    said, found = words("N1"), facts["N1"]
    assert said["beyond_layers"] == "undecided"
    assert abs(found["score_100"] - found["tau_layers"]) < 0.03
    assert said["beyond_parameters"] == "opposite"
    assert words("N5")["lost"] == words("N5")["beyond_random"] == "undecided"  # "hardly"


def test_early_the_score_ranks_nets_of_different_depth_and_no_others(facts):
    """'But it was ... before training'; 'Among nets with equally many layers (b) ...'."""
    said = words("N1")
    assert said["early"] == "holds" and said["alike"] == "no effect"
    assert abs(facts["N1"]["score_alike_100"]) < 0.05


def test_why_the_deeper_net_wins():
    """'After 100 steps all scales in the widget still lie within about a tenth of 1.'"""
    starts = np.cumsum([0, *widget.SIZES])
    for seed in SEEDS:
        scales = widget.stored_scales("all", seed, 100)
        blocks = [[s for s in scales[a:b] if s] for a, b in itertools.pairwise(starts)]
        every = [scale / 1000 for block in blocks for scale in block]
        assert min(every) > 0.89 and max(every) < 1.11
        # "more than the operations of all layers together differ by"
        assert sum(max(b) - min(b) for b in blocks) < 1000 * min(every)


def test_training_adds_late_and_little_to_the_number_of_layers(facts):
    found = facts["N1"]
    assert found["deeper_100"] > 99.9 and found["deeper_400"] > 99  # "prefers the deeper one"
    assert 0.03 < found["score_400"] - found["tau_layers"] < 0.15  # "in the end a little more"
    assert abs(found["tau_parameters"] - found["ceiling"]) < 0.1  # "about as much as"
    assert found["tau_parameters"] > found["score_400"]  # "the number of parameters told more"
    assert 0.05 < found["score_alike_400"] < found["tau_parameters_alike"] / 2  # "late and little"
    rising = [found[f"score_alike_{step}"] for step in (40, 100, 200, 400)]
    assert rising == sorted(rising)  # "There the score rose with training."


def test_all_batch_norms_are_enough_for_this_score_and_the_last_ones_do_not_learn(facts):
    said, found = words("N2"), facts["N2"]
    assert said["norms_less"] == "holds"  # "training all BatchNorms is enough"
    assert found["val_norms_400"] < found["val_all_400"] / 2  # "Yet the paths"
    assert max(found["val_last_400"], found["val_last_width_32"]) < 20  # "near chance"
    assert said["last_learned"] == "opposite"  # "ranks worse than the number of layers"


def test_what_the_searches_find(facts):
    said, found = words("N5"), facts["N5"]
    assert said["lost"] == "undecided"  # "by more than our margin, ... the seeds do not decide"
    assert claims.claim("N5").effects[0].margin == 0.02  # "two points"
    assert 0.025 < found["seen_beyond_random"] < 0.035  # "three points ... seen"
    assert found["layers_accuracy"] < found["layers_score"]  # "leaves layers out"
    assert found["parameters_accuracy"] > found["parameters_score"]  # "takes wider ones"
    assert found["test_accuracy"] > found["test_score"] + 2  # "better nets on average"
    rows = Table.of(claims.load("N5").data).where(found="score")
    assert set(rows.column("layers")) == {4}  # "The score takes all four layers"


def test_the_factor_depends_on_what_one_counts(facts):
    found = facts["N4"]
    assert found["lookup"] > 50 * found["indicator"] > 500 * found["search"] / 5
    assert found["lookup"] * 33_600 / found["images"] > 600_000  # "ours would exceed 600,000, too"


def test_the_setting_is_that_of_the_text(facts):
    data = claims.load("N1").data
    assert data["marks"] == [40, 100, 200, 400]  # "After 100 of 400 steps"
    assert facts["N1"]["nets"] == 32 and 1100 in data["seeds"]  # "draws 32 of them"
    assert facts["N1"]["seeds"] == 12 and len(widget.PATHS) == 500  # "500 nets"
    assert data["base"]["steps"] == 60
