"""What chapter 05 says in words still follows from the evidence."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from bnlab import claims
from bnlab.chapters.smoothness import s5_lp_norms
from bnlab.chapters.smoothness.three_sharpnesses import three_sharpnesses
from bnlab.measure import measure_curvature, measure_landscape
from bnlab.nets import make_net
from bnlab.runs.losses import squared_error
from bnlab.verdicts.interval import interval

PAGE = Path(__file__).parents[3] / "book" / "05_smoothness.ipynb"


def test_early_the_loss_is_smoother_and_then_the_order_turns():
    f = claims.load("S4").facts
    assert f["range_early_6_0_1"] > f["change_early_6_0_1"] > 3 * f["beta_early_6_0_1"] > 3
    assert 20 < f["size_share_change_6_0_1"] < 30  # "about half of that at most"
    assert 45 < f["size_share_range_6_0_1"] < 55  # "about half of that at most"
    assert f["relative_6_0_1"] > 2 * f["beta_early_6_0_1"]  # "β shows less of it"
    # "Late, range and β are larger with BatchNorm in .. seeds": one number stands for both
    assert f["range_late_6_0_1"] < 1 and f["turned_6_0_1"] == f["turned_beta_6_0_1"] > 8
    assert f["turned_6_0_03"] > 8 and f["turned_beta_6_0_03"] == 0  # "At rate 0.03 only the range"
    assert max(f["loss_late_6_0_1"], f["loss_late_6_0_03"]) < 1  # "has the smaller loss"
    assert f["beta_late_6_0_03"] > 1  # "and yet the larger β"
    assert f["beta_early_15_0_03"] < 0.9  # "the larger β at depth 15"
    for place in ("6_0_1", "6_0_03", "6_0_3"):
        assert f[f"range_early_{place}"] > 3  # "BatchNorm makes the loss .. flatter"


def test_on_photographs_nothing_turns():
    f = claims.load("S4", scale="cifar10").facts
    for lr in ("0_1", "0_03"):
        # "the ratio grows", "the difference grows"
        assert 1 < f[f"range_early_{lr}"] < f[f"range_late_{lr}"]
        assert {f[f"{name}_turned_{lr}"] for name in ("range", "change", "beta")} == {0}
    assert f["loss_batch_late_0_1"] > 1  # "BatchNorm's loss is still"


def test_the_weights_and_the_rate_make_smoothness_too():
    f = claims.load("S4").facts
    assert abs(f["scaled_loss_0_5"] - 1) < 1e-3  # "the loss is the same"
    assert abs(f["scaled_beta_0_5"] / f["beta_early_6_0_1"] - 1) < 0.2  # "BatchNorm's whole lead"
    assert f["sharp_first_none"] > 5 * f["sharp_first_batch"]  # "is there at the start"
    assert f["sharp_none_0_3"] < f["sharp_none_0_1"] < f["sharp_first_none"] / 3
    assert f["sharp_batch_1"] < f["sharp_batch_0_3"]  # "BatchNorm's comes down"
    assert 0.8 < f["edge_batch_1"] < 1  # "close to the limit of 2"
    assert (
        f["edge_lost_batch_1"] == 0 and 2 * f["edge_lost_none_1"] > f["seeds"]
    )  # "most .. diverge"


def test_most_of_the_gain_does_not_need_a_small_beta():
    evidence = claims.load("S5")
    g = evidence.facts
    lacks = [g[f"missing_{norm}"] for norm in ("l1_batch", "l2_batch", "linf_batch")]
    assert max(lacks[:2]) < 20 and lacks[2] < 40  # "keeps most of BatchNorm's gain"
    assert g["beta_missing_linf_batch"] > 60  # "without most of the smaller β"
    shrinks = [g[f"{name}_missing_linf_batch"] for name in ("range", "change")]
    assert max(shrinks) < 10  # "its range and change are as small"
    assert 90 < g["placebo"] < 110  # "the placebo all of it"
    assert g["lr_linf_batch"] == 1.0 and s5_lp_norms.LOOK_LR == 0.1  # "trains best at 1"
    # "At rate 0.1 BatchNorm itself gains next to nothing"
    none, batch = (s5_lp_norms.losses(evidence.data, norm, 0.1) for norm in ("none", "batch"))
    low, high = interval(np.log10(none / batch))
    assert -0.05 < low < high < 0.1
    assert g["lr_batch"] > 3 * g["lr_none"]  # "Smoothness pays, if at all, at larger rates"
    # "But most of that lead is scale"
    assert g["linear_ahead_l1_batch"] > 12 and g["linear_explained"] > 70


def test_the_theorem_takes_little_and_its_factor_is_above_1():
    s6 = claims.load("S6")
    h = s6.facts
    assert s6.verdict.word == "holds by algebra" and h["error"] < 1e-12  # "holds to rounding"
    assert h["violated"] > 99  # "the printed bound fails for nearly every unit"
    assert h["removed_every"] < 2 and h["removed_one"] < 6  # "take only"
    assert h["scale_6"] > 1.3 < h["scale_15"]  # "its factor is above 1 here"
    assert h["through_15"] > 10 * h["through_6"] > 30  # "each layer makes the gradient longer"


def test_the_three_sharpnesses():
    s4, w1, l3 = (claims.load(name).facts for name in ("S4", "W1", "L3"))
    text = str(three_sharpnesses(S4=s4, W1=w1, L3=l3))
    assert "{" not in text and all(f"Chapter {one}" in text for one in ("05", "06", "08"))
    # "at γ = 1 BatchNorm makes the loss flatter"
    assert min(w1["one_held"], w1["one_through"]) > 3 and s4["beta_early_6_0_1"] > 1
    sharp = {name: l3[f"{name}_sharpness"] for name in ("batch", "group_2", "layer")}
    assert sharp["batch"] < sharp["group_2"] < sharp["layer"]
    # "A larger γ or more layers can undo that"
    assert w1["four_larger"] > 1 > s4["beta_early_15_0_03"]
    # "Whether it says who trains best is undecided"
    assert l3["tau_sharpness_low"] < 0 < l3["tau_sharpness_high"] and l3["normalizers"] == 12


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_beta_of_a_tiny_step_is_at_most_the_largest_eigenvalue(norm):
    """ "never above the largest eigenvalue of H in absolute value"."""
    net = make_net("mlp", (1, 8, 8), 10, depth=2, width=16, norm=norm, seed=0).double()
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(32, 1, 8, 8, generator=generator, dtype=torch.float64)
    y = torch.randint(10, (32,), generator=generator)
    beta = measure_landscape(net, cross_entropy, x, y, [1e-6]).effective_beta
    few = {"top": 1, "bottom": 1, "probes": 0, "tolerance": 1e-5}
    found = measure_curvature(net, cross_entropy, x, y, **few)
    largest = max(abs(float(found.top[0])), abs(float(found.bottom[0])))
    assert 0.05 * largest < beta <= largest * (1 + 1e-3)


def test_for_the_squared_error_gauss_newton_is_fisher_up_to_a_constant():
    """Of equation 1 of chapter 06: the sum over the outputs of their gradients' outer products."""
    net = make_net("mlp", (1, 8, 8), 10, depth=1, width=8, norm="none", seed=0).double()
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(8, 1, 8, 8, generator=generator, dtype=torch.float64)
    y = torch.randint(10, (8,), generator=generator)
    parameters, rows = list(net.parameters()), []
    for image, k in itertools.product(x, range(10)):
        parts = torch.autograd.grad(net(image[None])[0, k], parameters)
        rows.append(torch.cat([part.flatten() for part in parts]))
    fisher = torch.linalg.matrix_norm(torch.stack(rows), 2) ** 2 / len(x)
    few = {"kind": "gauss_newton", "top": 1, "bottom": 0, "probes": 0, "tolerance": 1e-6}
    found = measure_curvature(net, squared_error, x, y, **few)
    assert float(found.top[0]) == pytest.approx(float(fisher) * 2 / 10, rel=1e-3)


def test_chapters_06_and_08_can_link_to_the_section():
    text = PAGE.read_text(encoding="utf-8")
    assert '"## Three sharpnesses, one loss' in text
