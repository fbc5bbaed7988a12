"""What chapters 8 to 12 say in bold: honest, in words, and in two lines at most."""

from __future__ import annotations

import itertools
import re

import pytest
from playwright.sync_api import Page

from bnlab.lab.bits.bits import LOOKS as BITS_LOOKS
from bnlab.lab.group_sizes import GroupSizes
from bnlab.lab.kit.bundle import PACKAGE, script
from bnlab.lab.lawn.lawn import LOOKS as LAWN_LOOKS
from bnlab.lab.mimic.mimic import LOOKS as MIMIC_LOOKS

pytestmark = pytest.mark.web
LAB = PACKAGE / "lab"
MOST = 72  # letters of a line on a slide, and on the page
TWO_LINES = 118

# Nets with these final accuracies; "x" is a net that diverged.
OUTCOME = """
const net = ([name, end]) => [name, {
  divergedAt: end === "x" ? 7 : null, accuracy: [[0, 0.1], ...(end === "x" ? [] : [[300, end]])],
}];
const outcomeOf = ([phase, ends]) => ({
  phase, state: { norms: Object.keys(ends), free: 0.05, wrong: 0.3 },
  curves: new Map(Object.entries(ends).map(net)),
});
"""


def said(
    page: Page, module: str, looks: dict, call: str, cases: list, most: int = TWO_LINES
) -> list[str]:
    """What a function of a module says of each case, (phase, {net: accuracy})."""
    code = f"{script([LAB / module])}\nObject.assign(STYLE, given.looks);{OUTCOME}"
    tell = f"return given.cases.map((one) => {{ const outcome = outcomeOf(one); return {call}; }});"
    lines = page.evaluate(f"(given) => {{ {code}{tell} }}", {"looks": looks, "cases": cases})
    for line in lines:
        assert len(line) <= most and not {"undefined", "NaN"} & set(line.split()), line
    return lines


def of_bits(page: Page, cases: list) -> list[str]:
    call = 'outcome.phase === "finished" ? bitsHeadline(outcome) : aheadOfBits(outcome)'
    most = MOST if len(cases[0][1]) > 3 else TWO_LINES
    return said(page, "bits/bits_words.js", BITS_LOOKS, call, cases, most)


def of_lawn(page: Page, cases: list) -> list[str]:
    call = 'aheadText(outcome, outcome.phase === "finished")'
    return said(page, "lawn/lawn_words.js", LAWN_LOOKS, call, cases)


BITS = [
    ({"batch": 0.9, "signs": 0.4}, "BatchNorm wins: 0.90; signs alone 0.40."),
    ({"signs": 0.9, "batch": "x"}, "Signs alone wins: 0.90; BatchNorm diverged."),
    ({"batch": 0.9}, "BatchNorm wins: 0.90."),
    (
        {"batch": 0.9, "none": 0.885},
        "No winner: BatchNorm 0.90, a scale for each filter (its weights’ mean size) 0.89.",
    ),
    (
        {"batch": 0.75, "signs": 0.28, "none": 0.82},
        "A scale for each filter (its weights’ mean size) wins: 0.82; "
        "BatchNorm 0.75, signs alone 0.28.",
    ),
    (
        {"batch": 0.82, "signs": 0.48, "none": 0.89, "bn_free": 0.88},
        "No winner: scale and BN-free 0.88 to 0.89, the others 0.48 to 0.82.",
    ),
    (
        {"batch": 0.9, "signs": 0.5, "none": 0.6, "bn_free": 0.7},
        "BatchNorm wins: 0.90, the others 0.50 to 0.70.",
    ),
    (
        {"batch": 0.9, "signs": 0.2, "none": 0.9, "standardized": 0.9, "bn_free": 0.9},
        "No winner: 4 nets 0.90, signs alone 0.20.",
    ),
    (
        {"batch": 0.11, "signs": 0.1, "none": "x"},
        "No net learned anything: 0.10 to 0.11; scale diverged.",
    ),
    ({"batch": "x", "signs": "x"}, "No winner: every net diverged."),
]
WRONG = "With 30\u00a0% of training labels made wrong, holding the weights’ size"
LAWN = [
    (*("finished", 0.73, 0.79), f"{WRONG} helps: 0.79 (LAWN-Adam), 0.73 (Adam)."),
    (*("finished", 0.9, 0.8), f"{WRONG} hurts: 0.80 (LAWN-Adam), 0.90 (Adam)."),
    ("finished", 0.96, 0.97, "No winner: 0.97 with LAWN-Adam, 0.96 with Adam."),
    ("finished", "x", 0.97, "LAWN-Adam wins: Adam diverged at step 7."),
    ("finished", "x", "x", "No winner: Adam diverged at step 7, LAWN-Adam at step 7."),
    (
        *("finished", "x", 0.1),
        "No winner: Adam diverged at step 7, and LAWN-Adam has learned nothing.",
    ),
    ("training", 0.73, 0.79, "LAWN-Adam is ahead: 0.79 against 0.73 with Adam."),
    ("training", 0.73, 0.73, "They are level: 0.73 with LAWN-Adam, 0.73 with Adam."),
    (
        *("training", 0.1, 0.11),
        "Nobody leads: LAWN-Adam (0.11) and Adam (0.10) have learned nothing.",
    ),
]
PICKS = [
    ([0.613, 0.5, 0.6], "beats the average net of its size: 61.3\u00a0% against 55.0\u00a0%."),
    ([0.5, 0.6, 0.7], "loses to the average net of its size: 50.0\u00a0% against 65.0\u00a0%."),
    (
        [0.5, 0.505, 0.505],
        "is level with the average net of its size: 50.0\u00a0% against 50.5\u00a0%.",
    ),
    ([0.5, 0.4], "beats a net of about its size: 50.0\u00a0% against 40.0\u00a0%."),
    ([0.5], "gets 50.0\u00a0% right."),
]


def test_binary_nets(page):
    cases = [("finished", ends) for ends, _ in BITS]
    assert of_bits(page, cases) == [line for _, line in BITS]
    now = [("training", {"batch": 0.5, "signs": 0.4}), ("training", {"batch": 0.1})]
    assert of_bits(page, now) == [
        "BatchNorm is ahead so far: 0.50.",
        "No net has learned anything yet.",
    ]


def test_all_outcomes_of_five_binary_nets_fit_in_a_line_and_have_one_winner_at_most(page):
    every = list(itertools.product((0.1, 0.4, 0.895, 0.9, "x"), repeat=5))
    lines = of_bits(
        page, [("finished", dict(zip(BITS_LOOKS, ends, strict=True))) for ends in every]
    )
    for ends, line in zip(every, lines, strict=True):
        top = [end for end in ends if end != "x" and end > 0.88]
        best = max((end for end in ends if end != "x"), default=0)
        wins = len(top) == 1 or (best == 0.4 and ends.count(0.4) == 1)
        assert ("wins" in line) == wins, (ends, line)
        assert ("learned" in line) == (best == 0.1) and ("diverged" in line) == ("x" in ends)


GROUPS = [
    (
        {"group_4": 0.94, "group_8": 0.95, "group_16": 0.96, "batch": 0.97},
        "Group size hardly matters in the end: accuracy 0.94 to 0.96 (0.97 with batch norm).",
    ),
    ({"group_4": 0.9, "layer": 0.9}, "Group size hardly matters in the end: accuracy 0.90."),
    (
        {"group_4": 0.9, "layer": 0.9, "none": "x"},
        "Group size hardly matters in the end: accuracy 0.90 (diverged without a normalizer).",
    ),
]
NO_ANSWER = [  # the sizes are apart, learn nothing, or diverge
    {"group_4": 0.94, "group_8": 0.97, "batch": 0.97},
    {"group_4": 0.11, "group_8": 0.1, "batch": 0.97},
    {"group_4": "x", "group_8": 0.97},
    {"group_4": 0.97, "batch": 0.97},
]
MIMIC = [
    (
        {"none": 0.3, "weight_mean": 0.69, "last_norm": 0.97, "mimic": 0.96, "batch": 0.97},
        "One batch norm at the end does the work: 0.97, both parts 0.96, the other 0.69; "
        "batch norm everywhere 0.97.",
    ),
    (
        {"weight_mean": 0.9, "last_norm": 0.5, "mimic": 0.9, "batch": "x"},
        "Removing the weights’ mean does the work: 0.90, both parts 0.90, "
        "the other 0.50; batch norm everywhere diverged.",
    ),
    (
        {"none": 0.1, "weight_mean": 0.3, "last_norm": 0.55, "mimic": 0.31},
        "Both parts together end at 0.31, one batch norm at the end alone at 0.55.",
    ),
    (
        {"none": 0.1, "weight_mean": 0.3, "last_norm": 0.55, "mimic": 0.8},
        "It takes both parts: 0.80; 0.55 with one batch norm at the end, 0.30 with the other part.",
    ),
]
NO_PART = [  # none is needed, all are level, one diverged, nothing is learned, parts are missing
    {"none": 0.9, "weight_mean": 0.5, "last_norm": 0.9, "mimic": 0.9},
    {"none": 0.3, "weight_mean": 0.9, "last_norm": 0.9, "mimic": 0.9},
    {"none": 0.3, "weight_mean": "x", "last_norm": 0.9, "mimic": 0.9},
    {"none": 0.1, "weight_mean": 0.1, "last_norm": 0.12, "mimic": 0.15},
    {"none": 0.3, "last_norm": 0.9, "mimic": 0.9, "batch": 0.9},
]
ORDINALS = {1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 13: "13th"} | {
    21: "21st",
    102: "102nd",
    111: "111th",
    453: "453rd",
    500: "500th",
}


def test_sizes_of_groups(page):
    looks = GroupSizes().options["looks"]
    module, call = "group_sizes/group_sizes_state.js", "groupsHeadline(outcome)"
    cases = [("finished", ends) for ends, _ in GROUPS]
    assert said(page, module, looks, call, cases) == [line for _, line in GROUPS]
    for line in said(page, module, looks, call, [("finished", ends) for ends in NO_ANSWER]):
        assert "hardly matters" not in line and line


def test_parts_of_mimicnorm(page):
    module, call = "mimic/mimic_words.js", "mimicHeadline(outcome)"
    cases = [("finished", ends) for ends, _ in MIMIC]
    lines = said(page, module, MIMIC_LOOKS, call, cases)
    assert lines == [line for _, line in MIMIC]
    for line in said(page, module, MIMIC_LOOKS, call, [("finished", ends) for ends in NO_PART]):
        assert re.search("winner|wins|learned", line) and "work" not in line


def test_the_place_of_an_architecture(page):
    module = script([LAB / "choices" / "choices_words.js"])
    code = f"(all) => {{ {module}; return all.map(ordinal); }}"
    assert page.evaluate(code, list(ORDINALS)) == list(ORDINALS.values())


def test_adam_with_and_without_lawn(page):
    cases = [(phase, {"adam": adam, "lawn": held}) for phase, adam, held, _ in LAWN]
    assert of_lawn(page, cases) == [line for *_, line in LAWN]


def test_the_pick_of_a_supernet(page):
    code = f"""{script([LAB / "choices" / "choices_words.js"])}
const tell = (accuracy) => foundHeadline({{ accuracy }}, {{ found: 0 }}, [...accuracy.keys()]);
return all.map(tell);"""
    lines = page.evaluate(f"(all) => {{ {code} }}", [accuracy for accuracy, _ in PICKS])
    assert lines == [f"γ’s pick {line}" for _, line in PICKS]
