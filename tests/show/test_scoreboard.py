"""The scoreboard's table and figure, and how effects are put on one scale."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from bnlab import claims, show
from bnlab.chapters import SERIES
from bnlab.claims import CLAIMS, Effect, judge
from bnlab.claims.standings import standardized, standings, totals
from bnlab.draw.figure import INK
from bnlab.draw.shown import HUES
from bnlab.draw.style import STYLE, VERDICTS, variables
from bnlab.show.boxes import MARKS
from bnlab.show.forest import EDGE
from bnlab.verdicts.verdict import WORDS

TABLE = show.scoreboard().page[show.scoreboard().page.index("<table>") :]
ROWS = re.findall(r"<tr id=.*?</tr>", TABLE)


def judged(kind, mean, margin=1.0, sd=0.5):
    values = np.linspace(-1, 1, 16)
    return judge(
        Effect("e", "an effect", "", margin, kind), mean + sd * values / values.std(ddof=1)
    )


@pytest.mark.parametrize(
    ("kind", "mean", "distance"),
    [("above", 2.0, 2.0), ("above", -1.0, -4.0), ("at most", 0.0, 2.0), ("at most", 2.0, -2.0)],
)
def test_distances_are_in_favour_of_the_claim(kind, mean, distance):
    middle, low, high = standardized(judged(kind, mean))
    assert middle == pytest.approx(distance)
    assert low < middle < high
    assert high - low == pytest.approx((judged(kind, mean).high - judged(kind, mean).low) / 0.5)


def test_a_distance_crosses_zero_just_when_the_part_is_not_shown():
    for one in standings(CLAIMS):
        for judgement in one.judgements:
            low = standardized(judgement)[1]
            assert (low > 0 or low == 0 == judgement.effect.margin) == (judgement.word == "shown")


def test_without_spread_a_distance_is_infinite_or_nothing():
    effect = Effect("e", "an effect", "", 1.0)
    assert standardized(judge(effect, np.full(8, 3.0)))[0] == np.inf
    assert standardized(judge(effect, np.full(8, 0.5)))[0] == -np.inf
    assert standardized(judge(effect, np.full(8, 1.0))) == (0.0, 0.0, 0.0)


def test_totals_add_up():
    facts = totals(standings(CLAIMS))
    words = ("shown", "not_shown", "reversed", "undecided")
    assert sum(facts[word] for word in words) == facts["measured"]
    places = ("measured", "not_measured_yet", "cannot_be_tested_here")
    assert sum(facts[place] for place in places) == len(CLAIMS)
    assert sum(facts[f"{word}_effects"] for word in words) == facts["effects"]
    assert int(str(facts["seeds"]).split()[0]) >= 8


def test_every_claim_has_a_row_with_its_paper_and_verdict():
    assert re.findall(r'id="claim-(\w+)"', TABLE) == list(CLAIMS)
    for item, row in zip(CLAIMS.values(), ROWS, strict=True):
        assert f'data-paper="{item.paper}"' in row
        word = re.search(r'data-verdict="([^"]+)"', row).group(1)
        assert word in MARKS and f"{MARKS[word]}\u00a0{word}</span>" in row
        assert row.count("<td data-column=") == 4


def test_measured_rows_show_effects_seeds_machine_and_links():
    for item, row in zip(CLAIMS.values(), ROWS, strict=True):
        if item.measure is None:
            assert "../results/" not in row and "nothing yet" in row
            continue
        stored = claims.load(item.id)
        assert row.count("<li>") == len(item.effects) and row.count(", interval ") >= 1
        assert f"digits, {len(stored.data['seeds'])} seeds, {stored.meta['device']}" in row
        assert f'href="../results/{item.id}.json"' in row
        assert f'class="bnlab-page" href="{item.chapter}.ipynb"' in row


def test_what_cannot_be_tested_says_what_is_tested_instead():
    for item, row in zip(CLAIMS.values(), ROWS, strict=True):
        if item.untestable:
            assert "<dt>It cannot be tested here</dt>" in row
        assert ("Tested instead: " in row) == bool(item.untestable)


def test_each_choice_has_a_label_and_a_rule_of_its_own():
    page = show.scoreboard().page
    assert page.count("<label>") == page.count("<select name=") == 2
    options = re.findall(r'<option value="([^"]+)"', page)
    papers = {item.paper for item in CLAIMS.values()}
    assert set(options) == {"all", *papers, *MARKS}
    for option in set(options) - {"all"}:
        assert f'option[value="{option}"]:checked' in page
    assert 'option[value="all"]:checked' not in page


def test_a_wrong_name_in_a_sentence_lists_the_known():
    assert str(show.say_sum("{claims} of {papers}")) == f"{len(CLAIMS)} of {len(SERIES)}"
    with pytest.raises(ValueError, match=r"no fact 'clams'\. Known: .*claims"):
        show.say_sum("{clams}")


def test_the_forest_plot_is_whole_and_says_what_it_shows():
    drawing = show.forest()
    (svg,) = drawing.svgs
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    parts = [(one.claim.id, j) for one in standings(CLAIMS) for j in one.judgements]
    for name, judgement in parts:
        assert f">{name} {judgement.effect.name}</text>" in svg
    assert f"Forest plot of {len(parts)} effects" in drawing.alt
    for word in WORDS:
        assert f"{sum(j.word == word for _, j in parts)} {word}" in drawing.alt
    assert not re.search(r"\bnan\b|\binf\b", drawing.alt + drawing.caption + svg)
    assert show.forest().svgs == drawing.svgs


def test_the_forest_plot_follows_the_theme():
    (svg,) = show.forest().svgs
    assert "currentColor" in svg and INK not in svg
    for name, look in variables().items():
        assert not re.search(rf"(?<!, ){look['light']}", svg), name
    assert "var(--bnlab-verdict-shown" in svg
    page = show.forest()._repr_mimebundle_()["text/html"]
    assert "--bnlab-verdict-reversed:" in page


def test_effects_beyond_the_axis_are_arrows_and_stay_inside():
    far = [j for one in standings(CLAIMS) for j in one.judgements if standardized(j)[0] > EDGE]
    assert far  # equal growth in all seeds: B8
    assert "arrow: farther than the axis" in " ".join(show.forest().caption.split())


def test_verdicts_differ_by_more_than_colour_and_from_the_normalizers():
    assert set(VERDICTS) == set(WORDS) and set(MARKS) > set(WORDS)
    for key in ("mark", "marker", "light", "dark"):
        assert len({look[key] for look in VERDICTS.values()}) == len(VERDICTS)
    colours = {look["light"] for look in (*STYLE.values(), *VERDICTS.values())}
    assert len(colours) == len(STYLE) + len(VERDICTS)
    assert HUES["shown"] == (VERDICTS["shown"]["light"], VERDICTS["shown"]["dark"])
