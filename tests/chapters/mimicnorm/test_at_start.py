"""M2 and M3: bytes that are kept, and pairs of inputs in nets at their start."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from bnlab.chapters.mimicnorm import m2_memory as m2
from bnlab.chapters.mimicnorm import m3_at_start as m3
from bnlab.chapters.mimicnorm.figures import apart, memory
from bnlab.chapters.signals.b3_to_b6_l1_at_start import batch
from bnlab.claims import claim
from bnlab.measure import measure_signals
from bnlab.measure.mean_field.theory import EXPLOSION
from bnlab.train import build
from bnlab.verdicts import evidence

SMALL = m3.BASE.replace(depth=3, width=16)


@pytest.fixture(scope="module")
def start():
    return m3.measure([0, 1])


@pytest.fixture(scope="module")
def kept():
    return m2.measure([0, 1])


@pytest.mark.parametrize(("net", "slope"), [("none", 1.0), ("centred", m3.CHI)])
def test_the_slope_of_the_recursion_at_equal_inputs_is_chi(net, slope):
    c = torch.tensor([1 - 1e-9, 1.0], dtype=torch.float64)
    below, at = m3.next_cosine(c, net)
    assert float(at) == pytest.approx(1)
    assert float((at - below) / 1e-9) == pytest.approx(slope, rel=1e-3)


def test_chi_is_that_of_batchnorm_nets():
    assert pytest.approx(EXPLOSION) == m3.CHI
    assert pytest.approx(1.467, abs=1e-3) == 10 ** (2 * m3.RATE)


def test_in_theory_pairs_become_alike_without_centring_and_uncorrelated_with_it():
    first = torch.tensor([0.5], dtype=torch.float64)
    ends = {net: float(m3.recursion(first, net, 30)[-1]) for net in ("none", "centred")}
    assert ends["none"] > 0.95
    assert abs(ends["centred"]) < 1e-3


def test_the_dual_function_is_the_mean_product_of_two_relus():
    generator = torch.Generator().manual_seed(0)
    u, v = torch.randn(2, 1_000_000, generator=generator, dtype=torch.float64)
    other = 0.6 * u + 0.8 * v
    found = float((u.relu() * other.relu()).mean())
    assert float(m3.dual_relu(torch.tensor(0.6))) == pytest.approx(found, rel=0.01)


def test_cosines_are_those_of_the_signals_before_the_relu():
    net, (x, _) = build(SMALL), batch(0)
    found = [float(m3.pair_cosines(z).mean()) for z in m3.before_relu(net, x)]
    expected = measure_signals(net, None, x, layers=nn.Linear).cosine[: SMALL.depth]
    assert found == pytest.approx(list(expected))


def test_with_batchnorm_the_normalizers_outputs_are_looked_at():
    net, (x, _) = build(SMALL.replace(norm="batch")), batch(0)
    signals = m3.before_relu(net, x)
    assert len(signals) == SMALL.depth
    for z in signals:
        assert float(z.mean(0).abs().max()) < 1e-9


def test_weight_mean_takes_the_mean_of_each_unit_of_the_hidden_layers():
    net = build(SMALL.replace(**m3.NETS["centred"]))
    *hidden, head = [m for m in net.modules() if isinstance(m, nn.Linear)]
    assert len(hidden) == SMALL.depth
    means = [layer.weight.mean(1).abs().max().item() for layer in (*hidden, head)]
    assert max(means[:-1]) < 1e-12 < 1e-3 < means[-1]


def test_growth_is_the_slope_from_first_to_last_layer(start):
    differences = [1e-6 * 10 ** (0.1 * layer) for layer in range(30)]
    at = start["columns"].index("difference")
    rows = [[*row[:at], differences, *row[at + 1 :]] for row in start["rows"]]
    assert m3.growth({**start, "rows": rows}, "centred") == pytest.approx([0.1, 0.1])


def test_m3_has_all_of_its_effects_and_after_the_relu_no_cosine_is_near_zero(start):
    found, facts = m3.values(start), m3.facts(start)
    assert set(found) == {effect.name for effect in claim("M3").effects}
    assert found["plain"].min() > 0.9
    assert abs(found["centred"]).max() < 0.1
    assert facts["centred_after"] == pytest.approx(1 / math.pi, abs=0.03)
    assert facts["centred_apart"] < 0.2


def test_a_scalar_keeps_its_input_and_a_fused_batchnorm_too(kept):
    for net in m2.NETS:
        kinds = m2.column(kept, net, "fused", "batch", "by_kind")[0]
        assert kinds["BatchNorm"] > 0.4 * sum(kinds.values())
    residual = m2.column(kept, "residual", "fused", "mimic", "by_kind")[0]
    assert residual["Scale"] > 0.2 * sum(residual.values())
    assert "Scale" not in m2.column(kept, "plain", "fused", "mimic", "by_kind")[0]


def test_in_the_plain_net_all_but_the_last_batchnorm_is_saved(kept):
    mimic, none = (m2.column(kept, "plain", "fused", one)[0] for one in ("mimic", "none"))
    assert 0 < mimic - none < 5000


def test_the_saved_share_is_that_of_batchnorms_bytes(kept):
    at = kept["columns"].index("saved")
    rows = [list(row) for row in kept["rows"]]
    for row in rows:
        row[at] = 600 if row[2] == "mimic" else 1000
    found = m2.values({**kept, "rows": rows})
    assert set(found) == {effect.name for effect in claim("M2").effects}
    assert all(one == pytest.approx([0.4, 0.4]) for one in found.values())


def test_bytes_do_not_depend_on_the_seed_and_a_peak_needs_a_gpu(kept):
    assert all(np.ptp(one) == 0 for one in m2.values(kept).values())
    assert m2.facts(kept)["peak"] == m2.NOT_MEASURED


@pytest.mark.parametrize(("name", "figure"), [("M2", memory), ("M3", apart)])
def test_figures_at_the_start_tell_their_numbers(name, figure, kept, start):
    data = {"M2": kept, "M3": start}[name]
    drawing = figure(evidence.Evidence(claim(name), data, {}))
    assert len(drawing.svgs) == 2
    facts, said = claim(name).facts(data), {"M2": "saved_mimic_plain_fused", "M3": "none_last"}
    number = facts[said[name]]
    assert (f"{number:.0f} %" if name == "M2" else f"to {number:.2f}") in drawing.alt
