"""Who won, in one sentence: of any number of nets, tied or not, diverged or not."""

import itertools

import pytest

from bnlab.lab.kit.bundle import FOLDER, script, style_table

pytestmark = pytest.mark.web
NORMS = ("none", "batch", "layer", "group", "noisy_batch")
MOST = 14  # words; about twelve where two nets race

TELL = (
    script([FOLDER / "headline.js"])
    + """
const net = ([norm, end]) => [norm, {
  divergedAt: end === "x" ? 7 : null, accuracy: end === "x" ? [[0, 0.1]] : [[0, 0.1], [300, end]],
}];
return headlineText({ curves: new Map(ends.map(net)) });"""
)


def headline(page, **ends) -> str:
    """Of nets with these final accuracies; "x" is a net that diverged."""
    return page.evaluate(f"(ends) => {{ {TELL} }}", [list(one) for one in ends.items()])


@pytest.mark.parametrize(
    ("ends", "sentence"),
    [
        (
            {"none": 0.64, "batch": 0.98},
            "Batch norm wins: accuracy 0.98 against 0.64 without a normalizer.",
        ),
        (
            {"none": 0.9, "batch": 0.7},
            "The net without a normalizer wins: accuracy 0.90 against 0.70 with batch norm.",
        ),
        ({"none": 0.972, "batch": 0.968}, "No winner: both end at accuracy 0.97."),
        ({"none": 0.974, "batch": 0.965}, "No winner: both end at accuracy 0.96 to 0.97."),
        (
            {"none": "x", "batch": 0.97},
            "Batch norm wins: accuracy 0.97, the net without a normalizer diverged.",
        ),
        ({"none": "x", "batch": "x"}, "No winner: every net diverged."),
        ({"none": 0.1, "batch": 0.12}, "No net learned anything."),
        (
            {"none": "x", "batch": 0.12},
            "No net learned anything; the net without a normalizer diverged.",
        ),
        (
            {"none": 0.64, "batch": 0.98, "layer": 0.2},
            "Batch norm wins: accuracy 0.98 against 0.64 without a normalizer "
            "and 0.20 with layer norm.",
        ),
        (
            {"none": "x", "batch": 0.97, "noisy_batch": 0.97},
            "No winner: batch norm and noisy batch norm end at accuracy 0.97; "
            "the net without a normalizer diverged.",
        ),
        ({"none": 0.97, "batch": 0.97, "layer": 0.97}, "No winner: all end at accuracy 0.97."),
        (
            {"none": 0.5, "batch": 0.97, "layer": 0.8, "group": 0.7},
            "Batch norm wins: accuracy 0.97 against 0.50 to 0.80 of the others.",
        ),
    ],
)
def test_the_sentence(page, ends, sentence):
    assert headline(page, **ends) == sentence


def test_any_outcome_has_an_honest_short_sentence(page):
    """The number of the best is there; who is ahead by more than a hundredth is said to win."""
    table, values = style_table(), ("x", 0.1, 0.11, 0.5, 0.962, 0.969, 0.98)
    for ends in itertools.product(values, repeat=3):
        told = headline(page, **dict(zip(NORMS, ends, strict=False)))
        learned = sorted((end for end in ends if end != "x"), reverse=True)
        assert told.endswith(".") and told[0].isupper() and "NaN" not in told, (ends, told)
        assert ("diverged" in told) == ("x" in ends), (ends, told)
        if not learned or learned[0] < 0.2:
            assert "wins" not in told
            continue
        assert f"{learned[0]:.2f}" in told
        second = learned[1] if len(learned) > 1 else 0
        ahead = round(100 * round(learned[0], 2)) - round(100 * round(second, 2))
        assert ("wins" in told) == (ahead > 1), (ends, told)
        winner = NORMS[ends.index(learned[0])]
        if ahead > 1 and winner != "none":
            assert told.lower().startswith(table[winner]["label"].lower())
        assert len(told.split()) <= MOST + 6


SHAKEN = (
    script([FOLDER.parents[1] / "race" / "race_headline.js"])
    + """
const look = (step, mean) => [step, [[mean, 1], [mean, 4]]];
const net = ([name, [end, move]]) => [name, {
  divergedAt: end === "x" ? 7 : null, accuracy: end === "x" ? [] : [[300, end]],
  layers: move === null ? [] : [look(295, 0), look(300, move)],
}];
return raceHeadline({ curves: new Map(nets.map(net)) });"""
)


@pytest.mark.parametrize(
    ("nets", "sentence"),
    [
        (
            {"none": ("x", 9), "batch": (0.97, 0.02), "noisy_batch": (0.97, 0.16)},
            "Noise moves the outputs 8 times as far, and accuracy is the same: 0.97; "
            "the net without a normalizer diverged.",
        ),
        (
            {"none": (0.95, 0.1), "batch": (0.97, 0.02), "noisy_batch": (0.5, 0.05)},
            "Noise moves the outputs 2.5 times as far, and accuracy is lower: "
            "0.50 against 0.97 with batch norm and 0.95 without a normalizer.",
        ),
        (
            {"none": (0.3, 0.1), "batch": (0.4, 0.02), "noisy_batch": (0.5, 0.2)},
            "Noise moves the outputs 10 times as far, and accuracy is higher: "
            "0.50 against 0.40 with batch norm and 0.30 without a normalizer.",
        ),
        (
            {"none": (0.9, 0.1), "batch": (0.96, 0.02), "noisy_batch": (0.97, 0.1)},
            "Noise moves the outputs 5 times as far, and accuracy is the same: 0.96 to 0.97, "
            "0.90 without a normalizer.",
        ),
        # Where noise moves nothing, learns nothing or is not there: who won.
        (
            {"batch": (0.97, 0.02), "noisy_batch": (0.5, 0.02)},
            "Batch norm wins: accuracy 0.97 against 0.50 with noisy batch norm.",
        ),
        (
            {"batch": (0.97, 0.02), "noisy_batch": ("x", 0.2)},
            "Batch norm wins: accuracy 0.97, noisy batch norm diverged.",
        ),
        ({"batch": (0.1, 0.02), "noisy_batch": (0.12, 0.2)}, "No net learned anything."),
        (
            {"batch": (0.97, None), "noisy_batch": (0.97, None)},
            "No winner: both end at accuracy 0.97.",
        ),
        (
            {"batch": (0.97, 0), "noisy_batch": (0.97, 0.2)},
            "No winner: both end at accuracy 0.97.",
        ),
    ],
)
def test_where_layers_are_shown_it_says_what_noise_did(page, nets, sentence):
    told = page.evaluate(f"(nets) => {{ {SHAKEN} }}", [[name, net] for name, net in nets.items()])
    assert told == sentence


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (0.8, "Batch norm wins: accuracy 0.80 (batches of 4)."),
        (0.1, "No net learned anything (batches of 4)."),
        (None, ""),
    ],
)
def test_what_the_accuracies_are_about_stands_in_brackets(page, end, told):
    code = f"""{script([FOLDER / "headline.js"])}
const batch = {{ divergedAt: null, accuracy: end === null ? [] : [[300, end]] }};
return headlineText({{ curves: new Map([["batch", batch]]) }}, "batches of 4");"""
    assert page.evaluate(f"(end) => {{ {code} }}", end) == told
