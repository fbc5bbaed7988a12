"""M1, M4 and M5: what is trained, and what follows from the trainings."""

import numpy as np
import pytest
import torch

from bnlab import claims
from bnlab.chapters.mimicnorm import m1_matches as m1
from bnlab.chapters.mimicnorm import m4_usable_rates as m4
from bnlab.chapters.mimicnorm import m5_over_steps as m5
from bnlab.chapters.mimicnorm.figures import matches, over_steps, rates
from bnlab.chapters.mimicnorm.trainings import (
    BASE,
    COLUMNS,
    METHODS,
    NETS,
    completed,
    run_of,
    trained,
)
from bnlab.norms.weight.eligible import is_parametrized
from bnlab.train import Trainer, build, train
from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.work import HERE

SMALL = BASE.replace(depth=2, width=8)


def scalars(net):
    return [p.item() for p in net.parameters() if p.ndim == 0]


def has(method, net="residual"):
    """Whether a net has weight mean, a BatchNorm at its end, and scalars."""
    made = build(run_of(SMALL, net, method, 0.1, 0).replace(depth=2, width=8))
    mean = any(is_parametrized(m) for m in made.modules() if hasattr(m, "parametrizations"))
    buffers = [name for name, _ in made.named_buffers() if "running_mean" in name]
    return mean, any("head" in name for name in buffers), bool(scalars(made))


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("none", (False, False, False)),
        ("neither", (False, False, True)),
        ("weight_mean", (True, False, True)),
        ("last_norm", (False, True, True)),
        ("mimic", (True, True, True)),
        ("batch", (False, False, False)),
    ],
)
def test_each_method_has_its_parts_and_no_other(method, expected):
    assert has(method) == expected


def test_the_branches_of_neither_start_with_mimicnorms_scalars():
    net = build(run_of(SMALL, "residual", "neither", 0.1, 0))
    assert scalars(net) == pytest.approx([1.44, 0.72])


def test_only_plain_nets_with_mimicnorm_start_with_its_variance():
    plain = run_of(BASE, "plain", "mimic", 0.1, 0)
    assert plain.method_options == {"variance": 2.8}
    assert run_of(BASE, "residual", "mimic", 0.1, 0).method_options == {}
    assert run_of(BASE, "plain", "batch", 0.1, 0).norm == "batch"
    assert [run_of(BASE, net, "batch", 0.1, 0).depth for net in NETS] == [8, 12, 30]


def test_fixups_scalars_take_a_tenth_of_the_rate():
    groups = Trainer(run_of(SMALL, "residual", "fixup", 0.1, 0), "cpu").optimizer.param_groups
    found = {p.ndim == 0: group["lr"] for group in groups for p in group["params"]}
    assert found == pytest.approx({True: 0.01, False: 0.1})


def test_a_mark_has_what_a_training_of_so_many_steps_ends_with():
    case = ("residual", "mimic", 0.1, 3)
    short, long = trained(HERE, SMALL.replace(width=4), [case], [10, 20])
    assert short[:5] == [*case, 10] and long[4] == 20
    alone = train(run_of(SMALL.replace(width=4, steps=10, eval_every=10), *case))
    assert short[5:] == [
        round(float(alone.val_accuracy[-1]), 4),
        round(alone.test_accuracy, 4),
        None,
    ]


def test_what_an_earlier_measurement_trained_is_taken_over():
    cases = [("residual", "mimic", lr, 3) for lr in (0.1, 0.2)]
    base = SMALL.replace(width=4)
    old = ["residual", "mimic", 0.1, 3, 5, 0.5, 0.5, None]
    rows = completed(HERE, base, cases, [5], {"base": base.to_dict(), "rows": [old]})
    assert rows == [old, *trained(HERE, base, cases[1:], [5])]
    with pytest.raises(ValueError, match="another Run"):
        completed(HERE, SMALL, cases, [5], {"base": base.to_dict(), "rows": [old]})


def test_a_net_that_diverged_has_no_accuracy_at_the_marks_after_that():
    rows = trained(HERE, SMALL, [("residual", "none", 100.0, 3)], [10, 20])
    assert [row[4] for row in rows] == [10, 20]
    assert all(row[5:7] == [None, None] and row[7] <= 10 for row in rows)


def table(entries, seeds, tuning=()):
    """A measurement whose trainings have these accuracies in each seed."""
    rows = [
        [net, method, lr, seed, steps, score, score, None]
        for (net, method, lr, steps), score in entries.items()
        for seed in (*tuning, *seeds)
    ]
    return {
        "base": BASE.to_dict(),
        "seeds": list(seeds),
        "tuning_seeds": list(tuning),
        "columns": list(COLUMNS),
        "rows": rows,
    }


@pytest.fixture
def matched():
    """BatchNorm is best at the third rate, MimicNorm at the second, two points behind."""
    entries = {
        (net, method, lr, mark): 0.9 - 0.3 * abs(k - best) - lead + mark / 1e4
        for net in NETS
        for method, best, lead in (("batch", 2, 0.0), ("mimic", 1, 0.02))
        for k, lr in enumerate(m1.LRS[net])
        for mark in m1.MARKS
    }
    return table(entries, [820, 821], m1.TUNING_SEEDS)


def test_m1_compares_each_method_at_its_own_best_rate(matched):
    assert m1.best_lr(matched, "plain", "batch") == 0.3
    assert m1.best_lr(matched, "deep", "mimic") == 0.01
    found = m1.values(matched)
    assert set(found) == {effect.name for effect in claims.claim("M1").effects}
    assert all(one == pytest.approx([0.02, 0.02]) for one in found.values())
    assert m1.facts(matched)["lead_deep_50"] == pytest.approx(2)


def test_m1_refuses_to_count_a_seed_that_chose_the_rates():
    with pytest.raises(ValueError, match="chose the learning rates"):
        m1.measure([0, 820])


@pytest.fixture
def swept():
    """With the last BatchNorm usable up to 1, the same net without it up to 0.1, bare to 0.003."""
    top = {"last_norm": 1.0, "neither": 0.1, "none": 0.003}
    entries = {
        (m4.NET, method, lr, m4.STEPS): 0.9 if lr <= top[method] else 0.1
        for method in m4.SWEPT
        for lr in m4.LRS[method]
    }
    entries |= {
        (m4.NET, method, lr, m4.STEPS): 0.5 + lr / 10
        for method in m4.ABLATED
        for lr in (m4.MODERATE, m4.LARGE)
        if method not in m4.SWEPT
    }
    return table(entries, [860, 861])


def test_m4_takes_the_ratio_of_usable_rates_and_the_accuracy_beyond_the_smaller(swept):
    found = m4.values(swept)
    assert set(found) == {effect.name for effect in claims.claim("M4").effects}
    assert found["rate"] == pytest.approx([1.0, 1.0])
    assert found["trains"] == pytest.approx([0.8, 0.8])
    assert found["bare"] == pytest.approx([np.log10(1 / 0.003)] * 2)
    facts = m4.facts(swept)
    assert facts["failed_neither_large"] == 2 and facts["failed_last_norm_large"] == 0


@pytest.fixture
def raced():
    """Fixup comes late: far behind after 100 steps, equal after 400; a larger rate is best then."""
    behind = {"mimic": (0, 0), "fixup": (0.5, 0), "neither": (0.6, 0.1), "none": (0.7, 0.2)}
    entries = {
        (m5.NET, method, lr, mark): 0.98
        - behind[method][mark >= 200]
        - 0.05 * abs(k - (2 if mark >= 200 else 1))
        for method, rates in m5.LRS.items()
        for k, lr in enumerate(rates)
        for mark in m5.MARKS
    }
    return table(entries, [868, 869], m5.TUNING_SEEDS)


def test_m5_takes_the_best_rate_for_each_number_of_steps(raced):
    assert m5.best_lr(raced, "mimic", 100) == 0.1
    assert m5.best_lr(raced, "mimic", 400) == 0.3
    found = m5.values(raced)
    assert set(found) == {effect.name for effect in claims.claim("M5").effects}
    assert found["fixup_short"] == pytest.approx([0.5, 0.5])
    assert found["fixup_long"] == pytest.approx([0.0, 0.0])
    assert found["none_long"] == pytest.approx([0.2, 0.2])


def test_m5_trains_with_a_rate_up_to_the_last_mark_at_which_it_is_the_best(raced):
    plan = {(method, lr): marks for marks, method, lr in m5._longest(raced)}
    assert plan["mimic", 0.1] == (50, 100)
    assert plan["mimic", 0.3] == m5.MARKS
    assert len(plan) == 2 * len(m5.METHODS)


@pytest.mark.parametrize(
    ("name", "figure", "made", "panels"),
    [
        ("M1", matches, "matched", 3),
        ("M4", rates, "swept", 2),
        ("M5", over_steps, "raced", 2),
    ],
)
def test_figures_of_trainings_tell_their_numbers(name, figure, made, panels, request):
    data = request.getfixturevalue(made)
    drawing = figure(Evidence(claims.claim(name), data, {}))
    said = {"M1": "MimicNorm 90.0 %", "M4": "no normalizer 0.003", "M5": "50 points ahead of Fixup"}
    assert len(drawing.svgs) == panels
    assert said[name] in drawing.alt


def is_inside(best, rates):
    return min(rates) < best < max(rates)


def test_no_best_rate_of_the_evidence_lies_at_the_edge_of_its_grid():
    first, fourth, fifth = (claims.load(name).data for name in ("M1", "M4", "M5"))
    for net in NETS:
        for method in m1.METHODS:
            assert is_inside(m1.best_lr(first, net, method), m1.LRS[net]), (net, method)
    for method in m4.SWEPT:
        best = m4.swept(fourth, method, "val").mean(1).argmax()
        assert is_inside(m4.LRS[method][best], m4.LRS[method]), method
        assert is_inside(10 ** m4.usable(fourth, method).mean(), m4.LRS[method]), method
    for method in m5.METHODS:
        for mark in m5.MARKS:
            assert is_inside(m5.best_lr(fifth, method, mark), m5.LRS[method]), (method, mark)


def test_every_method_of_the_measurements_is_one_that_can_be_trained():
    named = {*m1.METHODS, *m4.SWEPT, *m4.ABLATED, *m5.METHODS}
    assert named == set(METHODS)
    x = torch.zeros(4, 1, 8, 8)
    for method in named:
        assert build(run_of(SMALL, "residual", method, 0.1, 0))(x).shape == (4, 10)
