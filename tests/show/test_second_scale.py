"""What readers see of a claim on CIFAR-10: the table beside digits, boxes and sentences."""

import re

import pytest

from bnlab import claims, show
from tests.show.conftest import ANSWER, COPY, GAP


def plain(shown):
    return " ".join(str(shown).split())


def rows(shown):
    """The cells of each row of the table."""
    body = re.search("<tbody>(.*?)</tbody>", shown.page).group(1)
    return [re.findall("<td[^>]*>(.*?)</td>", row) for row in re.findall("<tr>(.*?)</tr>", body)]


def test_both_verdicts_stand_above_their_parts(second_scale):
    second_scale("B2", {"explode": 20.0})
    shown = show.on_cifar10("B2")
    assert "digits: ✓ shown · CIFAR-10: ○ not shown" in plain(shown)
    assert re.findall('class="bnlab-box ((?:not-)?shown)"', shown.page) == ["shown", "not-shown"]
    first, second, *_ = rows(shown)
    assert len(rows(shown)) == len(claims.claim("B2").effects)
    assert first[1].startswith("✓ holds: 10") and first[1].endswith(
        "counts, if more than 10\u00a0times"
    )
    assert first[2].startswith("○ no effect: 10") and "more than 10²⁰\u00a0times" in first[2]
    assert first[0].endswith("(core).") and "Counts, if at most 10\u00a0times." in second[0]
    assert second[1] == second[2] and second[1].startswith("✓ holds: ")


def test_the_setting_the_prediction_the_images_and_the_answer_are_told(second_scale):
    second_scale("B2", {"explode": 20.0})
    text = plain(show.on_cifar10("B2"))
    assert f"Setting on CIFAR-10: {GAP}" in text
    assert f"{COPY}, 16 × 16 pixels." in text and "10 minutes." in text
    seeds = claims.load("B2").data["seeds"]
    assert f"Seeds {seeds[0]} to {seeds[-1]};" in text
    assert "Our prediction: right." in text and f"answer: {ANSWER}" in text
    second_scale("B2", {})
    assert ANSWER not in plain(show.on_cifar10("B2"))  # it is shown: nobody has to answer


def test_a_part_that_one_scale_lacks_is_not_guessed(second_scale):
    effects = claims.claim("B2").effects
    second_scale("B2", {}, effects=effects[:2])
    found = rows(show.on_cifar10("B2"))
    assert len(found) == len(effects)
    assert [row[2] for row in found[2:]] == ["not a part here"] * (len(effects) - 2)
    assert all(row[1].startswith("✓ holds") for row in found)


def test_what_is_not_measured_is_said_in_a_line_with_its_command(second_scale):
    second_scale("S1")
    second_scale("S4")
    text = plain(show.on_cifar10("S1", "S4", "S5"))
    command = "python -m bnlab.claims measure S1 S4 --scale cifar10"
    assert text == (
        f"Not measured on CIFAR-10 yet: S1, S4. This measures: {command} "
        "This edition has no measurement on CIFAR-10 for S5."
    )
    assert f"<code>{command}</code>" in show.on_cifar10("S1", "S4").page
    with pytest.raises(ValueError, match="X9"):
        show.on_cifar10("X9")


def test_boxes_name_their_scale(second_scale):
    second_scale("B2", {"explode": 20.0}, prediction="We expect less.")
    box = show.verdict_box("B2", scale="cifar10")
    assert str(box).splitlines()[0] == "○ B2: not shown on CIFAR-10"
    assert COPY in plain(box) and 'aria-label="Verdict on B2, on CIFAR-10"' in box.page
    assert str(show.verdict_box("B2")).splitlines()[0] == "✓ B2: shown on digits"
    assert COPY not in plain(show.verdict_box("B2"))
    text = plain(show.claim_box("B2", scale="cifar10"))
    assert text.startswith("Claim B2 on CIFAR-10") and "We expect less." in text
    with pytest.raises(ValueError, match="unknown scale of S4 'cifar10'"):
        show.claim_box("S4", scale="cifar10")


def test_the_box_on_digits_tells_the_verdict_on_cifar10(second_scale):
    """Which the reader of a page would else learn from its last section alone."""
    assert "On CIFAR-10" not in str(show.verdict_box("B2"))
    second_scale("B2", {"explode": 100.0})
    word = claims.load("B2", scale="cifar10").verdict.said
    assert word != claims.load("B2").verdict.said
    assert f"On CIFAR-10: ○ {word}; see the last section." in str(show.verdict_box("B2"))
    assert "see the last section" not in str(show.verdict_box("B2", scale="cifar10"))


def test_a_box_refuses_a_measurement_at_another_scale(second_scale):
    second_scale("B2", {})
    with pytest.raises(ValueError, match=r"a measurement on digits; .* verdict on CIFAR-10"):
        show.verdict_box("B2", claims.load("B2"), scale="cifar10")


def test_sentences_take_their_numbers_from_the_scale_that_they_name(second_scale):
    second_scale("B2", {"explode": 20.0}, facts=lambda data: {"decades": 0.5})
    small = f"{claims.load('B2').facts['decades']:.2f}"
    assert str(show.say("B2", "{decades:.2f}", scale="cifar10")) == "0.50" != small
    assert str(show.say("B2", "{decades:.2f}")) == small
    both = show.say_together("{B2@cifar10[decades]:.2f}, {B2[decades]:.2f}")
    assert str(both) == f"0.50, {small}"
    with pytest.raises(ValueError, match=r"no fact 'clams'\. Known: decades"):
        show.say_together("{B2@cifar10[clams]:.2f}")
    assert "The verdict on CIFAR-10: not shown." in plain(show.say_verdict("B2@cifar10"))


def test_the_table_of_a_paper_has_a_column_for_each_scale(second_scale):
    second_scale("B2", {"explode": 20.0})
    text = plain(show.claims_table("bjorck2018"))
    assert "Verdict on digits: ✓ shown - Verdict on CIFAR-10: ○ not shown" in text
    assert "Verdict on CIFAR-10: – not measured yet" in text
