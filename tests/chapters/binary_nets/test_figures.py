"""The figures of chapter 11 say what the numbers say: checked with made ones."""

import re

import numpy as np
import pytest

from bnlab import claims, show
from bnlab.chapters.binary_nets import bnn1_three_parts as bnn1
from bnlab.chapters.binary_nets import bnn2_drop as bnn2
from bnlab.chapters.binary_nets import bnn3_collapse as bnn3
from bnlab.chapters.binary_nets.figures import FIGURES
from bnlab.chapters.binary_nets.looks import LOOKS, WORDS
from bnlab.chapters.binary_nets.tuned import COLUMNS, TUNING_SEEDS
from bnlab.draw.style import STYLE
from bnlab.verdicts.evidence import Evidence

MODULES = {"BNN1": bnn1, "BNN2": bnn2, "BNN3": bnn3}
BASES = {"BNN1": bnn1.BASE, "BNN2": bnn2.LONG, "BNN3": bnn3.BASE}


def made(name, **means):
    """Evidence in which each arm has its mean, 0.5 if nothing is said, at its second rate."""
    rows, module = [], MODULES[name]
    for arm, of in module.ARMS.items():
        mean = means.get(arm, 0.5)
        for lr in of.lrs:
            val = mean if lr == of.lrs[1] else mean / 2
            rows += [[arm, lr, seed, val, val, mean, mean, None] for seed in TUNING_SEEDS]
            for seed in module.SEEDS:
                test = val + 0.01 * (-1) ** seed
                rows.append([arm, lr, seed, val, test, mean, mean, None])
    data = {
        "base": BASES[name].to_dict(),
        "seeds": list(module.SEEDS),
        "tuning_seeds": list(TUNING_SEEDS),
        "lrs": {arm: list(of.lrs) for arm, of in module.ARMS.items()},
        "columns": list(COLUMNS),
        "rows": rows,
    }
    return Evidence(claims.claim(name), data, {})


def titled(svg):
    """What stands over a panel, in one line."""
    large = re.findall(r"font-weight: 700; font-size: 14px[^>]*>([^<]+)<", svg)
    return " ".join(" ".join(large).split())


def test_there_is_one_for_each_claim():
    assert set(FIGURES) == set(MODULES)
    assert set(LOOKS) == set(WORDS) and set(LOOKS.values()) <= set(STYLE)


def test_the_collapse_and_the_window():
    ends = {"scaled_none": 0.9, "signs_none": 0.4, "signs_bare_none": 0.2}
    drawing = show.plot(made("BNN3", **ends, signs_bare_widened=0.8))
    one, other = map(titled, drawing.svgs)
    assert one == "a Without BatchNorm 90 %, signs alone 40 %"
    assert other == "b Signs alone: 20 % inside, widened 80 %"
    assert "signs, no shortcuts: BatchNorm 50 %, nothing 20 %, a wider window 80 %" in drawing.alt


def test_the_net_without_shortcuts_is_drawn_at_the_rate_of_batch_norm_too():
    evidence = made("BNN3", scaled_bare_batch=0.9, scaled_bare_none=0.8)
    assert "nothing 80 %, nothing, BatchNorm's rate 80 %" in show.plot(evidence).alt
    for row in evidence.data["rows"]:  # now BatchNorm prefers the next rate, at which none is bad
        if row[0] == "scaled_bare_batch":
            row[3] = float(row[1] == bnn3.RATES[2])
    again = Evidence(evidence.claim, evidence.data, {})
    assert "nothing 80 %, nothing, BatchNorm's rate 40 %" in show.plot(again).alt


def test_the_parts_alone_and_together():
    drawing = show.plot(made("BNN1", three=0.9, none=0.85, signs=0.3, signs_clip=0.31))
    one, other = map(titled, drawing.svgs)
    assert one == "a Paper's block: parts 90 %, BatchNorm 50 %"
    assert other == "b Signs alone: parts 90 %, nothing 30 %"
    assert "clipping alone 31 %, nothing 30 %" in drawing.alt


@pytest.mark.parametrize("name", MODULES)
def test_a_run_of_one_seed_is_drawn_too(name):
    data = made(name).data
    one = MODULES[name].SEEDS[0]
    few = {
        **data,
        "seeds": [one],
        "rows": [r for r in data["rows"] if r[2] in (*TUNING_SEEDS, one)],
    }
    drawing = show.plot(Evidence(claims.claim(name), few, {}))
    assert re.search(r"(, |seeds: )1\b", drawing.caption)


def test_the_two_stages():
    drawing = show.plot(made("BNN2", batch=0.95, three=0.94))
    assert "BatchNorm 95 %, parts 94 %" in drawing.svgs[0]
    assert "two stages of 200 steps" in drawing.alt


@pytest.mark.parametrize("name", MODULES)
def test_a_mark_for_each_seed_is_drawn(name):
    evidence = made(name)
    assert f"{len(MODULES[name].SEEDS)}" in show.plot(evidence).caption
    spread = np.ptp(evidence.values[evidence.claim.effects[0].name])
    assert spread >= 0  # the made numbers have a value for each seed
    assert len(evidence.values[evidence.claim.effects[0].name]) == len(MODULES[name].SEEDS)
