"""Sentences of chapter 10 that no code prints; if one fails, the text must change."""

import json
from pathlib import Path

import pytest
import torch

from bnlab import claims
from bnlab.chapters.lawn import lw4_large_batches as lw4

PAGE = Path(__file__).parents[3] / "book" / "10_lawn.ipynb"
HONEST = 0.94
"""The loss of a net that knows the digits, and how often labels lie."""


@pytest.fixture(scope="module")
def found():
    return {name: claims.load(name) for name in ("LW1", "LW2", "LW3", "LW4")}


def words(evidence):
    return {judgement.effect.name: judgement.word for judgement in evidence.verdict.judgements}


def test_with_sgd_and_in_other_batches_it_gains_less(found):
    least = found["LW2"].facts["gain_own"]
    assert 0.5 <= least < 1.5  # "about 1 point ahead"
    third, fourth = found["LW3"].facts, found["LW4"].facts
    others = [third["adam_gain"], third["sgd_gain"]]
    others += [fourth[f"{one}_{size}_gain"] for one in ("adam", "sgd") for size in lw4.SIZES]
    assert max(others) < least


def test_weights_and_logits_inflate_where_the_rate_is_large(found):
    said, facts = words(found["LW1"]), found["LW1"].facts
    assert said["logits_pinned"] == said["weights_pinned"] == "holds"
    assert said["gradient_pinned"] == "undecided"  # "so the seeds do not decide this part"
    assert said["gradient_own"] == "no effect"  # less than our margin
    assert facts["own_weights_percent"] < 10 and facts["own_lr"] < facts["pinned_lr"]
    assert facts["pinned_test"] < facts["own_test"] - 3  # "accuracy is lost"


def test_a_gradient_can_vanish_without_harm_and_harm_can_come_without_it(found):
    facts = found["LW1"].facts
    assert facts["clean_pinned_gradient_shrunk"] > 10 * facts["pinned_gradient_shrunk"]
    assert facts["clean_pinned_test"] > facts["clean_own_test"]  # "without harm"
    assert facts["long_gradient_shrunk"] < 3 and facts["long_test"] < facts["own_test"] - 5
    assert facts["long_steps"] == 10 * facts["steps"]  # "ten times as many steps"


def test_the_cure_helps_and_weight_decay_helps_more(found):
    said, facts = words(found["LW2"]), found["LW2"].facts
    assert said["gradient_pinned"] == said["logits_pinned"] == "holds"  # "what it promises"
    assert facts["gain_pinned"] > 2 and facts["behind_pinned"] > 2
    assert facts["gain_own"] > 0 and facts["behind_own"] > 0  # "does better", "was ahead"
    assert said["accuracy_own"] == "undecided"  # "a whole point ... the seeds do not decide"
    early = facts["stopped_own_stopped_test"]  # "Early stopping is more accurate ... and less"
    assert facts["lawn_pinned_test"] < early < facts["lawn_own_test"]
    clean = found["LW1"].facts["clean_pinned_test"]  # "Adam alone ... is better than both"
    assert clean > max(facts["lawn_clean_test"], facts["decay_clean_test"])


def test_on_cifar10_it_is_not_shown_to_gain():
    photographs = claims.load("LW2", scale="cifar10")
    said, facts = words(photographs), photographs.facts
    assert photographs.verdict.word == "not shown"  # "no gain is shown"
    assert said["gradient_own"] == "no effect" and facts["gradient_ratio"] < 1
    assert said["accuracy_own"] == "undecided"  # therefore "On average"
    assert facts["behind"] > 0 > facts["gain"]  # "behind weight decay", "not ahead of Adam alone"
    assert facts["end_alone"] > 1  # "leaves the loss far from tiny"
    page = PAGE.read_text(encoding="utf-8")
    assert "no gain is shown" in page and "leaves the loss far from tiny" in page


def test_weight_decay_ends_at_the_honest_loss_and_shrinks_the_weights(found):
    facts = found["LW2"].facts
    assert abs(facts["decay_pinned_loss"] - HONEST) < 0.15  # "near the honest one"
    assert facts["lawn_pinned_loss"] < HONEST / 2  # "many wrong labels by heart"
    assert facts["decay_pinned_weights"] < facts["lawn_pinned_weights"] / 2


def test_an_optimizer_alone_at_its_best_rate_has_learnt_few_wrong_labels(found):
    facts = found["LW3"].facts
    for optimizer in ("adam", "sgd"):  # "ends before it has learnt the wrong labels"
        assert abs(facts[f"{optimizer}_alone_loss"] - HONEST) < 0.25
        assert facts[f"{optimizer}_decay_test"] > facts[f"{optimizer}_lawn_test"]
    said = words(found["LW4"])  # "SGD none that is seen", and no great gain
    assert said["full_adam"] == said["full_sgd"] == "no effect"
    assert found["LW4"].facts["sgd_full_gain"] < 0


@pytest.fixture(scope="module")
def train_held():
    """The function of the page, and what it stands on."""
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = {"torch": torch}
    for mark in ("def tangent(", "import cross_entropy", "def train_held("):
        (source,) = [one for one in code if mark in one]
        exec(source, names)
    return names["train_held"]


@pytest.mark.parametrize("seed", [964, 965])
def test_a_smaller_norm_ends_near_the_honest_loss_and_a_too_small_one_learns_less(train_held, seed):
    for lr in (0.001, 0.01):
        (loss, _), (_, right) = train_held(0.5, lr, seed)
        assert abs(loss - HONEST) < 0.1  # "near the honest loss at both rates"
        (less, _), (_, worse) = train_held(0.3, lr, seed)
        assert less > loss + 0.3 and worse < right - 0.05  # "learnt less well, too"
    (loss, _), _ = train_held(1, 0.01, seed)
    assert loss < HONEST / 2
