"""Sentences of chapter 10 that no code prints; if one fails, the text must change."""

import pytest

from bnlab import claims

HONEST = 0.94
"""Nats: the loss of a net that knows the digits, and how often labels lie."""


@pytest.fixture(scope="module")
def found():
    return {name: claims.load(name) for name in ("LW1", "LW2", "LW3")}


def words(evidence):
    return {judgement.effect.name: judgement.word for judgement in evidence.verdict.judgements}


def test_weights_and_logits_inflate_where_the_rate_is_large(found):
    said, facts = words(found["LW1"]), found["LW1"].facts
    assert said["logits_pinned"] == said["weights_pinned"] == "holds"
    assert said["gradient_pinned"] == "undecided"  # "so that part is undecided"
    assert 8 < facts["pinned_gradient_shrunk"] < 15  # "to about a tenth"
    assert facts["own_weights_grown"] < 1.1  # "the weights stay as they are"
    assert facts["own_lr"] < facts["pinned_lr"]  # "too large"
    assert facts["pinned_test"] < facts["own_test"] - 3


def test_a_gradient_can_vanish_without_harm_and_harm_can_come_without_it(found):
    facts = found["LW1"].facts
    assert facts["clean_pinned_gradient_shrunk"] > 10 * facts["pinned_gradient_shrunk"]
    assert facts["clean_pinned_test"] > facts["clean_own_test"]
    assert facts["long_gradient_shrunk"] < 3 and facts["long_test"] < facts["own_test"] - 5


def test_the_cure_helps_and_weight_decay_helps_more(found):
    said, facts = words(found["LW2"]), found["LW2"].facts
    assert said["gradient_pinned"] == said["logits_pinned"] == "holds"
    assert facts["gain_pinned"] > 2 and facts["behind_pinned"] > 2
    assert said["accuracy_own"] == "undecided"  # "too little for our margin to decide"
    assert 0.5 < facts["gain_own"] < 1.5 and 0.5 < facts["behind_own"] < 1.5  # "about a point"
    moved = [facts[f"{how}_pinned_moved"] for how in ("alone", "lawn", "decay")]
    assert moved == sorted(moved)  # "weight decay keeps it more so"
    early = facts["stopped_own_stopped_test"]  # "more than LAWN at this rate", and less
    assert facts["stopped_own_lr"] == facts["lawn_pinned_lr"]
    assert facts["lawn_pinned_test"] < early < facts["lawn_own_test"]


def test_weight_decay_ends_at_the_honest_loss_and_shrinks_the_weights(found):
    facts = found["LW2"].facts
    assert abs(facts["decay_pinned_loss"] - HONEST) < 0.15  # "nearly the honest one"
    assert facts["lawn_pinned_loss"] < HONEST / 2  # "wrong labels by heart"
    assert facts["decay_pinned_weights"] < facts["lawn_pinned_weights"] / 2


def test_an_optimizer_alone_at_its_best_rate_has_learnt_few_wrong_labels(found):
    facts = found["LW3"].facts
    for optimizer in ("adam", "sgd"):  # "ends before it has learnt the wrong labels"
        assert abs(facts[f"{optimizer}_alone_loss"] - HONEST) < 0.25
        assert facts[f"{optimizer}_decay_test"] > facts[f"{optimizer}_lawn_test"]
