"""Sentences of chapter 09 that no code prints; if one fails, the text must change."""

from bnlab import claims
from bnlab.chapters.mimicnorm import m1_matches as m1


def test_what_the_chapter_says_of_the_start_follows_from_the_evidence():
    facts = claims.load("M3").facts
    assert claims.load("M3").verdict.word == "shown"
    assert facts["centred_last"] < 0.05 < 0.9 < facts["none_last"]  # "keeps inputs apart"
    assert abs(facts["batch_1"]) < 0.05 < 0.3 < facts["centred_1"]  # "in the first layer already"
    assert facts["centred_1"] > 2 * facts["centred_5"] > 4 * facts["centred_10"] - 0.1


def test_what_it_says_of_the_two_halves_follows_from_the_evidence():
    facts = claims.load("M4").facts
    ends = {name: facts[f"test_{name}_moderate"] for name in ("mimic", "last_norm", "weight_mean")}
    spread = max(ends.values()) - min(ends.values())
    assert spread < 2  # "within two points of both", "either half is nearly enough"
    assert ends["mimic"] == max(ends.values())
    assert facts["test_neither_moderate"] < min(ends.values()) - 3
    assert facts["test_mimic_large"] > 95 > 80 > facts["test_last_norm_large"]
    assert facts["diverged_weight_mean_large"] == facts["seeds"]  # "diverges in every net"
    assert 2 < facts["rate_times"] < 5  # "our seeds leave the claim open": the margin is 3.2
    assert facts["diverged_neither"] > facts["diverged_last_norm"]


def test_what_it_says_of_trained_nets_follows_from_the_evidence():
    m = claims.load("M1")
    facts, words = m.facts, {j.effect.name: j.word for j in m.verdict.judgements}
    assert words["residual"] == "holds"  # "In the residual net they do"
    assert abs(facts["lead_deep"]) < 2  # "both have about"
    photos = claims.load("M1", scale="cifar10")
    assert photos.verdict.word == "shown"  # "they match it within two points"
    # "at a tenth of BatchNorm's rate"
    assert abs(10 * facts["lr_mimic_deep"] / facts["lr_batch_deep"] - 1) < 0.01
    assert m1.DECIDE == ("residual", "plain")


def test_what_it_says_of_memory_and_of_fixup_follows_from_the_evidence():
    facts = claims.load("M2").facts
    for net in ("residual", "plain"):  # "depends on the net and on the kernels"
        assert facts[f"saved_mimic_{net}_single"] > facts[f"saved_mimic_{net}_fused"] + 10
    facts = claims.load("M5").facts
    assert facts["test_fixup_400"] < facts["test_none_400"]  # "still behind no normalizer then"
