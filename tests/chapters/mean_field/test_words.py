"""What chapter 06 says in words still follows from the evidence."""

import pytest

from bnlab import claims
from bnlab.chapters.mean_field import w2_rate_plane
from bnlab.chapters.mean_field.wide_net import BASE


@pytest.fixture(scope="module")
def found():
    return {name: claims.load(name) for name in ("W1", "W2", "W3", "W4")}


def test_the_verdicts_are_those_that_the_text_has_in_mind(found):
    words = [one.verdict.word for one in found.values()]
    assert words == ["shown in part", "shown in part", "shown", "undecided"]


def test_one_net_has_two_matrices(found):
    w1 = found["W1"].facts
    assert w1["one_held"] > 3 and w1["four_larger"] > 1  # "With held statistics that is what ..."
    assert 2 < w1["crossing_digits_held"] < 3.5  # "near γ = 3 this advantage is used up"
    assert w1["four_through"] > 1  # "the other one is still ... times smaller"
    assert w1["one_through"] > 2 * w1["one_held"]  # "a theory that holds them has a larger λ"
    assert abs(w1["through_gaussian_batch_3"] / w1["last_term"] - 1) < 0.15
    assert w1["through_gaussian_batch_9"] > 2 * w1["last_term"]  # "and not the deep one"
    assert 3 < w1["crossing_gaussian_through"] < 4  # "A limit remains"
    large = claims.load("W1", scale="cifar10")
    assert large.verdict.word == "shown"  # "all of W1 holds there"
    assert large.facts["four_through_larger"] > 1
    assert w1["paper_gaussian_batch_9"] > 3  # "gradients explode with depth", "the sum stays flat"
    assert w1["paper_digits_batch_3"] > 1  # "It is smaller than the held λ"


def test_only_one_number_finds_the_border(found):
    w2 = found["W2"].facts
    assert w2["through_low"] > 0.5 and w2["through_high"] < 2  # "within a factor of two"
    assert w2["held_low"] > 2 and w2["held_high"] > 3  # "too small", "misses the border"
    assert w2["paper_high"] < 3 and w2["paper_batch_3_0_25"] > 1 / 3  # "right ... elsewhere"
    assert w2["paper_batch_3_0_1"] < 1 / 3  # "too large at γ = 0.1"
    assert 50 < w2["span"] < 200  # "two decades and not three"
    assert 500 < w2["paper_span"] < 2000  # "spans three decades in our net"
    assert w2["weights_share"] < 0.5  # "biases and BatchNorm's own parameters ... make up most"
    gammas = [(BASE.depth, "batch", gamma) for gamma in found["W2"].data["gammas"]]
    through = [w2_rate_plane.stars(found["W2"].data, net).mean() for net in gammas]
    paper = [w2_rate_plane.predicted_star(net) for net in gammas]
    held = [w2_rate_plane.stars(found["W2"].data, net, "held").mean() for net in gammas]
    # "smaller than the held λ, and so is the one that counts": η* is larger in both cases
    assert all(one > low < other for one, low, other in zip(through, held, paper, strict=True))


def test_the_rule_is_looser_at_other_depths(found):
    w2 = found["W2"].facts
    others = [w2[f"through_{net}"] for net in ("batch_9_1", "none_1", "none_9")]
    assert min(others) > 2.8 > 2 > w2["through_high"]  # "the rule is looser"


def test_smaller_gamma_and_half_of_the_limit(found):
    w3, w4 = found["W3"].facts, found["W4"].facts
    assert 30 < w3["share_0_25"] < 70 and 30 < w3["share_3"] < 70  # "about half of the effect"
    best = [w4[f"best_{gamma}"] for gamma in ("0_1", "0_25", "0_5", "1", "2")]
    assert best == sorted(best)  # "grows from ... to"
    assert 0.4 < w4["mean"] < 0.65  # "About half of η* is the best rate on average"


def test_both_places_of_batchnorm_help(found):
    w1 = found["W1"].facts
    sharp = [w1[f"{net}_through"] for net in ("hidden_batch", "last_none", "hidden_none")]
    assert sharp == sorted(sharp)  # "both help, and the hidden layers more"
