"""What chapter 07 says in words still follows from the evidence.

Sentences of the chapter that no code prints; if a test fails, the text must change.
"""

import numpy as np

from bnlab import claims
from bnlab.chapters.batch_renorm import r3_few_samples as small
from bnlab.chapters.batch_renorm.methods import select
from bnlab.chapters.batch_renorm.two_nets import of_net


def words(evidence):
    return {one.effect.name: one.word for one in evidence.verdict.judgements}


def test_r1_and_its_gradient():
    found = claims.load("R1").facts
    assert found["output_largest"] < 1e-12  # "our code obeys it", "up to rounding"
    assert found["gradient_largest"] < 1e-9  # "is r times BatchNorm's"
    assert found["sum_largest"] < 1e-9  # "over the batch it sums to zero"


def test_r2_and_r5_hold():
    assert claims.load("R2").verdict.word == "shown"  # "with 32 samples nothing is lost"
    assert claims.load("R5").verdict.word == "shown"  # "four times smaller or larger"


def test_r3_in_the_perceptron():
    evidence = claims.load("R3")
    found, said = evidence.facts, words(evidence)
    assert said["mlp"] == "holds"  # "In the perceptron the claim holds"
    assert said["conv"] == said["conv_alone"] == "undecided"  # "the seeds do not decide"
    assert found["training_batch_2"] > 8 * found["inference_batch_2"]  # "nearly all of the harm"
    for name in ("batch_2", "batch_4", "batch_renorm_2"):  # "inference has the smaller share"
        assert found[f"inference_{name}"] < found[f"training_{name}"]
    best = max(found[f"test_running_{norm}_2"] for norm in small.NORMS)
    assert best == found["test_running_group_2"]  # "the best of the three" with groups of two
    gains = [found["gain_32"], found["gain_4"], found["gain_2"]]
    assert min(gains) > 0 and gains[2] > 20  # "costs nothing with 32, gains with four and two"


def test_r3_in_the_convolutional_net():
    found = claims.load("R3").facts
    medians = [found[f"median_errors_{norm}_conv"] for norm in small.RUNNING]
    assert abs(medians[0] - medians[1]) < 0.7  # "the medians are close"
    assert found["test_running_batch_conv_32"] - found["test_running_batch_conv_4"] < 1
    assert found["test_running_batch_conv_32"] - found["test_running_batch_conv_2"] < 2
    for size in (2, 4):  # "the worst in this convolutional net"
        others = [found[f"test_running_{norm}_conv_{size}"] for norm in small.RUNNING]
        assert found[f"test_running_group_conv_{size}"] < min(others) - 3


def test_r3_needs_its_limits():
    data = of_net(claims.load("R3").data, "mlp")
    place = small.controlled(data, "batch_renorm", schedule="unlimited")
    ends = select(data, *place, "test_running")
    assert np.mean(ends < 0.2) > 0.5  # "most of our perceptrons learn nothing"


def test_r4_in_both_nets():
    evidence = claims.load("R4")
    found, said = evidence.facts, words(evidence)
    assert said["two_mlp"] == said["kept_mlp"] == "holds"
    assert found["lost_batch_four"] < 1  # "loses next to nothing"
    assert abs(found["times_four"] - 1) < 0.1  # "level"
    assert said["four_conv"] == "opposite"  # "With four classes it even makes fewer errors"
    assert said["two_conv"] == "undecided"  # "with two classes perhaps not by our margin"
    (two,) = [one for one in evidence.verdict.judgements if one.effect.name == "two_conv"]
    assert two.high < 0  # "It even makes fewer errors"
    assert found["train_batch_two"] < found["test_running_batch_two"] - 20  # "But in training"
    for classes in ("two", "four"):
        assert found[f"lost_batch_conv_{classes}"] < 0  # "loses nothing"


def test_the_stress_test_of_r4():
    evidence = claims.load("R4")
    found = evidence.facts
    assert abs(found["test_running_batch_pure"] - 10) < 2  # "which is guessing"
    assert found["train_batch_renorm_pure"] < 85  # "in training, too, it is often wrong"
    for name in ("at_once", "unlimited"):  # "change next to nothing"
        assert abs(found[f"schedule_{name}"] - found["schedule_paper"]) < 2
    assert abs(found["constant_test_running_pure"] - found["test_running_group_pure"]) < 1
    assert found["constant_test_running_two"] < 20  # "it learns at no rate of the grid"
    assert found["constant_broken_two"] > found["constant_grid_two"] / 2  # most diverge


def test_on_photographs():
    r3, r4 = (claims.load(name, scale="cifar10") for name in ("R3", "R4"))
    assert r3.verdict.word == r4.verdict.word == "not shown"  # "we saw no clear gain"
    assert r3.facts["points_gain"] < r3.facts["points_cost"] / 5  # "hardly any came back"
    assert r3.facts["end_batch_renorm_4"] < r3.facts["end_batch_4"]  # "In training it is ahead"
    assert r4.facts["points_mixed"] < -2  # "it had less to lose"
    others = [r3.facts["test_batch_4"], r3.facts["test_batch_renorm_4"]]
    assert r3.facts["test_group"] < min(others) - 3  # group norm "was behind"
