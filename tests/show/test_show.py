"""Boxes, sentences and figures: their HTML, their plain text, and where their numbers come from."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from matplotlib.markers import MarkerStyle

import bnlab.lab
from bnlab import claims, show
from bnlab.draw.figure import INK
from bnlab.draw.style import STYLE
from bnlab.draw.words import power, span
from bnlab.norms import NORMS
from bnlab.norms.weight import WEIGHT_NORMS

MEASURED = [i.id for i in claims.CLAIMS.values() if i.measure is not None]


def page(shown):
    return shown._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("name", MEASURED)
def test_boxes_print_as_html_and_as_text(name):
    item = claims.claim(name)
    for box in (show.claim_box(name), show.verdict_box(name)):
        assert max(len(line) for line in str(box).splitlines()) <= 88
        assert "nan" not in str(box).lower().split()
        assert "<div" in page(box)
    plain = " ".join(str(show.claim_box(name)).split())
    assert item.prediction in plain and item.falsifier in plain
    said = claims.load(name).verdict.said
    assert str(show.verdict_box(name)).splitlines()[0].endswith(f"{name}: {said} on digits")


@pytest.mark.parametrize("name", MEASURED)
def test_a_verdict_box_says_what_is_ours_and_what_the_authors_could_answer(name):
    item, verdict = claims.claim(name), claims.load(name).verdict
    text = " ".join(str(show.verdict_box(name)).split())
    assert text.count("Counts, if: ") == len(item.effects) and "at least 8" not in text
    assert " ".join(verdict.sentence.split()) in text
    assert not any("decades" in j.measured + j.effect.counts_if for j in verdict.judgements)
    assert f"Our prediction: {verdict.prediction}" in text
    for j in verdict.judgements:
        if j.prediction == "wrong":
            assert " ".join(f"predicted {span(*j.effect.predicted, j.effect.unit)}".split()) in text
    open_word = verdict.word not in ("shown", "holds by algebra")
    assert ("What the authors could answer: " + item.answer in text) == open_word
    for change in item.changes:
        assert f"{change.day}: {change.what} {change.why}" in text
    assert text.count(" (core)") == len(item.core)


def test_a_box_refuses_the_measurement_of_another_claim():
    here = claims.measure("R1", seeds=[200, 201])
    with pytest.raises(ValueError, match="measurement of R1; the box is about R2"):
        show.verdict_box("R2", here)


def test_a_verdict_box_shows_this_run_beside_the_evidence():
    here = claims.measure("R1", seeds=[200, 201])
    text = str(show.verdict_box("R1", here))
    assert "This run, 2 seeds" in text and "too few for a verdict" in text


def test_every_claim_of_the_paper_is_in_the_table():
    text = str(show.claims_table("bjorck2018"))
    for number in range(1, 10):
        assert f"- Id: B{number}\n" in text
    with pytest.raises(ValueError, match="Known: bjorck2018"):
        show.claims_table("bjorck2019")


def test_a_sentence_takes_its_numbers_from_the_evidence():
    facts = claims.load("B1").facts
    said = str(show.say("B1", "{seeds} seeds, {ratio_12:.1f} times, {ratio_12:power}"))
    assert (
        said == f"{facts['seeds']} seeds, {facts['ratio_12']:.1f} times, {power(facts['ratio_12'])}"
    )
    with pytest.raises(ValueError, match=r"no fact 'ratio_13'\. Known: .*ratio_12"):
        show.say("B1", "{ratio_13}")


def test_a_sentence_may_begin_in_bold():
    said = show.say("B1", "**In short.** {seeds} < 1000 seeds.")
    page = said._repr_mimebundle_()["text/html"]
    assert "<strong>In short.</strong>" in page and "&lt; 1000" in page and "**" not in page
    assert str(said).startswith("In short. ")


def test_what_is_said_is_escaped():
    assert "&lt;b&gt;" in page(show.say("B1", "<b>{seeds}"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        (3.16, "3.2"),
        (1234, "1,200"),
        (99999, "100,000"),
        (1e53, "10⁵³"),
        (1e-7, "10⁻⁷"),
    ],
)
def test_powers_are_readable(value, text):
    assert power(value) == text


@pytest.mark.parametrize("name", MEASURED)
def test_figures_are_whole_svg_with_a_sentence(name):
    drawing = show.plot(claims.load(name))
    for svg in drawing.svgs:
        root = ElementTree.fromstring(svg)
        assert root.tag.endswith("svg") and "viewBox" in root.attrib
        assert "width" not in root.attrib
    assert len(drawing.alt.split()) > 15 and drawing.alt.endswith(".")
    assert not re.search(r"\bnan\b|\binf\b", drawing.alt + drawing.caption)
    assert 'role="img" aria-label="' in page(drawing) and "<figcaption>" in page(drawing)


@pytest.mark.parametrize("name", MEASURED)
def test_figures_follow_the_theme(name):
    svg = "".join(show.plot(claims.load(name)).svgs)
    assert "currentColor" in svg and INK not in svg
    assert "var(--bnlab-" in svg
    for look in STYLE.values():  # a colour stands nowhere but as the fallback of its variable
        assert not re.search(rf"(?<!, ){look['light']}", svg)
    assert not re.search(r"(fill|stroke): #000000", svg)


@pytest.mark.parametrize("name", MEASURED)
def test_figures_are_the_same_every_time(name):
    assert show.plot(claims.load(name)).svgs == show.plot(claims.load(name)).svgs


def test_ids_differ_between_all_figures_of_a_page():
    svgs = [svg for name in MEASURED for svg in show.plot(claims.load(name)).svgs]
    ids = [one for svg in svgs for one in set(re.findall(r' id="([^"]+)"', svg))]
    assert len(ids) > 20 and len(ids) == len(set(ids))


def test_a_claim_without_figure_says_so(unmeasured):
    stored = claims.load("B1")
    other = claims.Evidence(claims.claim(unmeasured), stored.data, stored.meta)
    with pytest.raises(ValueError, match=f"unknown figure for claim '{unmeasured}'"):
        show.plot(other)


def test_no_two_normalizers_look_alike():
    for key in ("label", "light", "dark"):
        assert len({str(look[key]) for look in STYLE.values()}) == len(STYLE)
    for names in (NORMS, WEIGHT_NORMS):  # there are not markers enough for both
        assert len({STYLE[name]["marker"] for name in names}) == len(names)
    assert len({tuple(look["dash"]) for look in STYLE.values()}) == len(STYLE)


def test_every_normalizer_has_a_look_that_figures_and_widgets_can_draw():
    assert set(STYLE) == {*NORMS, *WEIGHT_NORMS}
    drawn = (Path(bnlab.lab.__file__).parent / "kit" / "js" / "looks.js").read_text()
    drawn = drawn[drawn.index("const MARKERS = {") :]
    drawn = drawn[: drawn.index("};")]
    known = {key.strip('"') for key in re.findall(r'^  ("[^"]+"|\w+): ', drawn, re.MULTILINE)}
    for look in STYLE.values():
        assert look["marker"] in known and look["marker"] in (*MarkerStyle.filled_markers, ".")
        assert look["marker"] != "x", "it says that a net diverged"


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", STYLE)
def test_colours_can_be_read_on_light_and_dark_pages(name):
    """WCAG AA for text: contrast of at least 4.5."""
    light, dark = luminance(STYLE[name]["light"]), luminance(STYLE[name]["dark"])
    assert 1.05 / (light + 0.05) >= 4.5
    assert (dark + 0.05) / (luminance("#14181e") + 0.05) >= 4.5


def test_source_is_the_code_that_runs_without_its_docstring():
    from bnlab.norms import functional

    normalize = functional.normalize
    text = show.source(normalize)
    assert repr(text) == str(text) and text.startswith("def normalize(")
    assert '"""' not in text and "centred = x - mean\n" in text
    scope = dict(vars(functional))
    del scope["normalize"]
    exec("from __future__ import annotations\n" + text, scope)
    x = torch.randn(8, 3)
    assert torch.equal(scope["normalize"](x, (0,), 1e-5)[0], normalize(x, (0,), 1e-5)[0])


def test_source_of_a_function_without_docstring_is_whole():
    def plain(x):
        return x + 1

    assert show.source(plain) == "def plain(x):\n    return x + 1"
