"""M1 and M4 on CIFAR-10: which nets are compared, and what follows from their trainings."""

import dataclasses

import numpy as np
import pytest

from bnlab import claims
from bnlab.chapters.mimicnorm import m1_cifar10 as m1
from bnlab.chapters.mimicnorm import m4_cifar10 as m4
from bnlab.chapters.mimicnorm.cifar10_nets import MILESTONES, base
from bnlab.train import build
from bnlab.verdicts.race import COLUMNS
from bnlab.verdicts.work import HERE

DIGITS = {"data": "digits", "image_size": None, "augment": "none"}
TINY = DIGITS | {"width": 4, "steps": 10, "eval_every": 10, "schedule_options": {"warmup": 1}}


def made(arms, seeds, lrs, score):
    """A measurement of invented trainings: ``score(arm, lr, seed)`` is each accuracy."""
    rows = [
        [arm, lr, seed, 1.0, 1.0, score(arm, lr, seed), score(arm, lr, seed), None]
        for arm in arms
        for lr in lrs[arm]
        for seed in (0, *seeds)
    ]
    return {
        "base": m1.BASE.to_dict(),
        "seeds": list(seeds),
        "tuning_seeds": [0],
        "arms": list(arms),
        "columns": list(COLUMNS),
        "rows": rows,
    }


def described(arm):
    """Whether the net of an arm has weight means and a BatchNorm at its end, and its blocks."""
    net = build(m1.BASE.replace(**DIGITS, **arm.fields))
    names = [name for name, _ in net.named_buffers() if "running_mean" in name]
    means = any("parametrizations" in name for name, _ in net.named_parameters())
    return means, len(names), sum(p.ndim == 0 for p in net.parameters())


def test_one_normalizer_is_left_in_the_nets_with_mimicnorm():
    found = {name: described(arm) for name, arm in m1.ARMS.items()}
    assert found["plain_none"] == (False, 0, 0)
    assert found["plain_mimic"] == (True, 1, 0)
    assert found["plain_batch"] == (False, 6, 0)
    means, norms, scalars = found["residual_mimic"]
    assert (means, norms) == (True, 1) and scalars == 3  # one at the end of each branch
    assert found["residual_batch"][1] > 6


def test_the_arms_of_a_net_differ_in_what_stands_for_the_normalizer_alone():
    for net in m1.NETS:
        rest = []
        for how in ("batch", "mimic"):
            run = m1.BASE.replace(**m1.ARMS[f"{net}_{how}"].fields)
            rest.append(run.replace(norm="none", method="none", method_options={}))
        assert rest[0] == rest[1] and rest[0].net == {"residual": "resnet"}.get(net, net)


def test_the_rate_falls_where_the_official_code_lets_it_fall():
    run = base(1500, warmup=100)
    assert run.schedule == "steps"
    assert [round(150 * one) for one in run.schedule_options["milestones"]] == [80, 110, 135]
    assert m1.BASE.schedule_options["milestones"] == pytest.approx(MILESTONES)


def test_m1_compares_each_method_at_its_own_best_rate():
    best = {"batch": 0.1, "mimic": 0.03, "none": 0.03}

    def score(arm, lr, seed):
        net, how = arm.split("_")
        own = {"batch": 0.6, "mimic": 0.55 if net == "plain" else 0.6, "none": 0.4}[how]
        return own if lr == best[how] else 0.2

    data = made(m1.ARMS, m1.SEEDS, dict.fromkeys(m1.ARMS, (0.01, 0.03, 0.1, 0.3)), score)
    found = m1.values(data)
    np.testing.assert_allclose(found["plain"], 0.05)
    np.testing.assert_allclose(found["residual"], 0)
    facts = m1.facts(data)
    assert facts["lr_plain_mimic"] == 0.03 and facts["lr_plain_batch"] == 0.1
    assert facts["over_none"] == pytest.approx(15) and facts["lead_plain"] == pytest.approx(5)
    verdict = claims.decide(claims.claim("M1", "cifar10"), found)
    assert verdict.said == "depends on the net"


def tiny(module, monkeypatch, lrs):
    """The module with small nets, on digits, at some rates only."""
    monkeypatch.setattr(module, "BASE", module.BASE.replace(**TINY))
    small = {name: dataclasses.replace(arm, lrs=lrs) for name, arm in module.ARMS.items()}
    monkeypatch.setattr(module, "ARMS", small)


def test_m1_repeats_itself_to_the_last_bit(monkeypatch):
    tiny(m1, monkeypatch, (0.0001, 0.0003))
    data = m1.measure([7], HERE)
    assert set(m1.values(data)) == {e.name for e in claims.claim("M1", "cifar10").effects}
    assert -100 <= m1.facts(data)["lead_plain"] <= 100
    assert m1.repeat(data, [7])["rows"] == data["rows"]


def test_the_nets_of_m4_differ_in_the_last_normalizer_or_in_the_initial_weights():
    runs = {name: m4.BASE.replace(**arm.fields) for name, arm in m4.ARMS.items()}
    options = {name: run.method_options for name, run in runs.items()}
    assert options["last_norm"] == {"part": "last_norm", "variance": 2.8}
    assert options["neither"] == {"part": "neither", "variance": 2.8}
    nets = {name: build(run.replace(**DIGITS)) for name, run in runs.items()}
    for one, other in zip(
        nets["last_norm"].parameters(), nets["neither"].parameters(), strict=True
    ):
        assert one.equal(other)
    norms = {
        name: any("running" in b for b, _ in net.named_buffers()) for name, net in nets.items()
    }
    assert norms == {"last_norm": True, "neither": False, "none": False}
    assert all(m4.TOO_LARGE in arm.lrs for arm in m4.ARMS.values())


def test_m4_reads_the_largest_usable_rate_of_each_seed():
    limit = {"last_norm": 0.3, "neither": 0.03, "none": 0.1}
    lrs = dict.fromkeys(m4.ARMS, (0.01, 0.03, 0.1, 0.3, 1.0))
    data = made(m4.ARMS, m4.SEEDS, lrs, lambda arm, lr, _: 0.4 if lr <= limit[arm] else 0.3)
    for row in data["rows"]:
        if row[0] == "neither" and row[1] >= 0.3:
            row[-3:] = [0.1, 0.1, 9]  # it diverged
    data["base"] = m4.BASE.to_dict()
    found = m4.values(data)
    np.testing.assert_allclose(found["rate"], 1)
    np.testing.assert_allclose(found["bare"], np.log10(3))
    np.testing.assert_allclose(found["trains"], 0.3)
    facts = m4.facts(data)
    assert facts["diverged_at_neither_0_3"] == 8 and facts["diverged_at_neither_0_1"] == 0
    assert facts["rate_times"] == pytest.approx(10) and facts["at_none_1"] == pytest.approx(30)
    assert claims.decide(claims.claim("M4", "cifar10"), found).core[0].word == "holds"


def test_m4_trains_the_counted_seeds_at_every_rate(monkeypatch):
    tiny(m4, monkeypatch, (0.0003, 0.3))
    data = m4.measure([7], HERE)
    pairs = {(row[0], row[1]) for row in data["rows"] if row[2] == 7}
    assert pairs == {(row[0], row[1]) for row in data["rows"] if row[2] == 0} and len(pairs) >= 6
    assert set(m4.values(data)) == {e.name for e in claims.claim("M4", "cifar10").effects}
    assert sorted(map(str, m4.repeat(data, [7])["rows"])) == sorted(map(str, data["rows"]))
