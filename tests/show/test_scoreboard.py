"""The scoreboard's table and figure, and how effects are put on one scale."""

import html
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from bnlab import chapters, claims, show
from bnlab.chapters import SERIES
from bnlab.claims import CLAIMS, Effect, judge
from bnlab.claims.standings import standardized, standings, totals
from bnlab.draw.figure import INK
from bnlab.draw.shown import HUES
from bnlab.draw.style import PARTS, STYLE, VERDICTS, variables
from bnlab.show.boxes import MARKS, PART_MARKS
from bnlab.show.forest import EDGE
from bnlab.show.scaled import clause
from bnlab.verdicts.history import RULE_CHANGED
from bnlab.verdicts.parts import PART_WORDS
from bnlab.verdicts.verdict import WORDS

TABLE = show.scoreboard().page[show.scoreboard().page.index("<table>") :]
ROWS = re.findall(r"<tr id=.*?</tr>", TABLE)
ITEMS = sorted(CLAIMS.values(), key=lambda item: item.chapter)
ROOT = Path(__file__).parents[2]


def judged(kind, mean, margin=1.0, sd=0.5):
    values = np.linspace(-1, 1, 16)
    return judge(
        Effect("e", "an effect", "", margin, kind), mean + sd * values / values.std(ddof=1)
    )


@pytest.mark.parametrize(
    ("kind", "mean", "distance"),
    [
        ("more", 2.0, 2.0),
        ("more", -1.0, -4.0),
        ("identity", 0.0, 2.0),
        ("identity", 2.0, -2.0),
        ("same", 0.5, 1.0),
        ("same", -0.5, 1.0),
        ("same", -2.0, -2.0),
    ],
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
            edge = judgement.effect.kind != "more"  # there the edge itself holds
            assert (low > 0 or (edge and low == 0)) == (judgement.word == "holds")


def test_without_spread_a_distance_is_infinite_or_nothing():
    effect = Effect("e", "an effect", "", 1.0)
    assert standardized(judge(effect, np.full(8, 3.0)))[0] == np.inf
    assert standardized(judge(effect, np.full(8, 0.5)))[0] == -np.inf
    assert standardized(judge(effect, np.full(8, 1.0))) == (0.0, 0.0, 0.0)


def test_totals_add_up():
    facts = totals(standings(CLAIMS))
    assert sum(facts[word.replace(" ", "_")] for word in WORDS) == facts["measured"]
    places = ("measured", "not_measured_yet", "cannot_be_tested_here")
    assert sum(facts[place] for place in places) == len(CLAIMS)
    parts = (f"{word.replace(' ', '_')}_effects" for word in PART_WORDS)
    assert sum(facts[part] for part in parts) == facts["effects"]
    assert sum(facts[f"predicted_{word}"] for word in ("right", "wrong", "none")) == sum(
        1 for item in CLAIMS.values() if item.measure
    )
    assert int(str(facts["seeds"]).split()[0]) >= 8


def test_sums_are_of_one_scale_each(second_scale):
    table = standings(CLAIMS)
    before, nothing = totals(table), totals(table, "cifar10")
    assert nothing["measured"] == nothing["effects"] == nothing["minutes"] == 0
    assert nothing["seeds"] == "no" and nothing["not_measured_yet"] == len(CLAIMS)
    assert str(show.say_sum("{shown_ids}", "cifar10")) == "No claim is measured on CIFAR-10 yet."
    second_scale("B2", {"explode": 20.0})
    second_scale("S1")
    table = standings(CLAIMS)
    after = totals(table, "cifar10")
    assert totals(table) == before
    assert (after["measured"], after["measured_papers"], after["effects"]) == (1, 1, 4)
    assert (after["not_shown_ids"], after["shown_ids"], after["minutes"]) == ("B2", "none", 10.0)
    assert after["predicted_right"] + after["predicted_wrong"] + after["predicted_none"] == 1
    said = show.say_sum("{not_shown_ids} on {scale}, {seeds} seeds", "cifar10")
    assert str(said) == f"B2 on CIFAR-10, {len(claims.load('B2').data['seeds'])} seeds"


def test_a_standing_has_a_word_for_each_scale(second_scale):
    second_scale("B2", {"explode": 20.0})
    (one,) = [one for one in standings(CLAIMS) if one.claim.id == "B2"]
    assert one.word == one.word_at("digits") == "shown"
    assert one.word_at("cifar10") == one.said_at("cifar10") == "not shown"
    (blocked,) = [one for one in standings(CLAIMS) if one.claim.id == "N5"]
    assert blocked.word_at("cifar10") == "not measured yet"
    assert blocked.prediction_at("cifar10") == "none" and not blocked.judgements_at("cifar10")


def row_of(name):
    return re.search(f'<tr id="claim-{name}".*?</tr>', show.scoreboard().page).group()


def test_a_row_has_both_verdicts_with_their_parts_evidence_and_colours(second_scale):
    second_scale("B2", {"explode": 20.0}, prediction="We expect less.")
    row, effects = row_of("B2"), CLAIMS["B2"].effects
    assert 'data-verdict="shown" data-cifar10="not shown"' in row
    words = re.findall('<td data-column="([^"]+)"><span class="word" data-word="([^"]+)">', row)
    assert words == [("Digits", "shown"), ("CIFAR-10", "not shown")]
    assert row.count("<li>") == 2 * len(effects)
    assert row.index("On digits</p><ul>") < row.index("On CIFAR-10</p><ul>")
    for name in ("B2.json", "B2-cifar10.json"):
        assert f'href="../results/{name}"' in row
    assert "We expect less." in row and html.escape(CLAIMS["B2"].prediction) in row
    assert row.count("<dt>Our prediction</dt><dd>right.</dd>") == 2
    assert "What the authors could answer" in row and "not the official pixels" in row
    plain = " ".join(str(show.scoreboard()).split())
    assert "B2: shown on digits; not shown on CIFAR-10. Deep nets" in plain
    assert '.bnlab-scoreboard .word[data-word="not shown"]{color:' in show.scoreboard().page


def test_what_failed_is_told_for_each_scale(second_scale):
    before = str(show.say_failed())
    assert str(show.say_failed("cifar10")) == "No claim is measured on CIFAR-10 yet."
    second_scale("B2", {})
    nothing_failed = "Every claim that is measured on CIFAR-10 is shown there."
    assert str(show.say_failed("cifar10")) == nothing_failed
    second_scale("B2", {"explode": 20.0})
    assert str(show.say_failed("cifar10")).startswith("B2: not shown. Its core is not beyond")
    assert str(show.say_failed()) == before and "B2:" not in before


def test_every_claim_has_a_row_with_its_paper_and_verdict():
    assert re.findall(r'id="claim-(\w+)"', TABLE) == [item.id for item in ITEMS]
    for item, row in zip(ITEMS, ROWS, strict=True):
        assert f'data-paper="{item.paper}"' in row
        word = re.search(r'data-verdict="([^"]+)"', row).group(1)
        said = claims.load(item.id).verdict.said if item.measure else word
        assert word in MARKS and f"{MARKS[word]}\u00a0{said}</span>" in row
        assert row.count("<td data-column=") == 6


def test_claims_stand_below_the_question_of_their_chapter():
    parts = re.findall("<tbody>(.*?)</tbody>", TABLE)
    for part in parts:
        question = re.search('<th scope="rowgroup"[^>]*>(.*?)</th>', part).group(1)
        asked = {claims.claim(name).chapter for name in re.findall(r'id="claim-(\w+)"', part)}
        assert question.endswith("?") and len(asked) == 1
        page = ROOT / "book" / f"{asked.pop()}.ipynb"
        if page.exists():
            assert re.search(f'# {re.escape(question)}(\\\\n)?"', page.read_text(encoding="utf-8"))
    assert len(parts) == len({item.chapter for item in ITEMS})


def test_each_scale_and_the_engine_have_a_column():
    for item, row in zip(ITEMS, ROWS, strict=True):
        cells = dict(re.findall('<td data-column="([^"]+)">(.*?)</td>', row))
        assert ("not measured yet" in cells["CIFAR-10"]) == (
            not (ROOT / "results" / f"{item.id}-cifar10.json").exists()
        )
        place = f'href="{item.chapter}.ipynb#repeat-{item.id.lower()}"'
        assert (place in cells["Engine"]) == (item.id in chapters.repeats())
        assert bool(item.measure) == (cells["Engine"] != "none yet")


def test_more_tells_the_first_editions_word_and_why_it_changed():
    for item, row in zip(ITEMS, ROWS, strict=True):
        first = item.measure and claims.load(item.id).meta.get("first_edition")
        assert ("Word of the first edition" in row) == bool(first)
        if first:
            assert f"<dd>{first['word']}, until {RULE_CHANGED['day']}. The first edition" in row
        changes = [one.changes for one in (item, *item.others)]
        assert ("Changed after a first result" in row) == any(changes)


def test_measured_rows_show_effects_seeds_machine_and_links():
    for item, row in zip(ITEMS, ROWS, strict=True):
        if item.measure is None:
            assert "../results/" not in row and "nothing yet" in row
            continue
        stored = claims.load(item.id)
        found = standings({item.id: item})[0].found.values()
        assert row.count("<li>") == sum(len(one.claim.effects) for one in found)
        assert row.count(" (95\u00a0%: ") >= 1
        assert f"digits, {len(stored.data['seeds'])} seeds, {stored.meta['device']}" in row
        assert f'href="../results/{item.id}.json"' in row
        assert f'class="bnlab-page" href="{item.chapter}.ipynb"' in row


def test_what_cannot_be_tested_says_what_is_tested_instead():
    for item, row in zip(ITEMS, ROWS, strict=True):
        if item.untestable:
            assert "<dt>It cannot be tested here</dt>" in row
        assert ("Tested instead: " in row) == bool(item.untestable)


def test_each_choice_has_a_label_and_a_rule_of_its_own():
    page = show.scoreboard().page
    assert page.count("<label>") == page.count("<select name=") == 3
    for label in ("Paper", "Verdict on digits", "Verdict on CIFAR-10"):
        assert f"<label>{label}<br>" in page
    options = re.findall(r'<option value="([^"]+)"', page)
    papers = {item.paper for item in CLAIMS.values()}
    assert set(options) == {"all", *papers, *MARKS}
    assert options.count("not measured yet") == 2 and options.count("cannot be tested here") == 1
    for name, option in re.findall(r"select\[name=(\w+)\] option\[value=.([^\]]+).\]", page):
        assert f':not([data-{name}="{option}"])' in page
    for option in set(options) - {"all"}:
        assert f'option[value="{option}"]:checked' in page
    assert 'option[value="all"]:checked' not in page


def test_a_wrong_name_in_a_sentence_lists_the_known():
    assert (
        str(show.say_sum("{claims} of {papers}")) == f"{len(CLAIMS)} of {len(SERIES) - 1}"
    )  # T: no paper
    with pytest.raises(ValueError, match=r"no fact 'clams'\. Known: .*claims"):
        show.say_sum("{clams}")


def texts(svg):
    return [e.text.strip() for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("}text")]


def plain(page):
    """What a reader reads of a piece of a page, and what is read to one who cannot see it."""
    page = re.sub("<(style|code)>.*?</\\1>", " ", page, flags=re.DOTALL).replace("x86_64", "")
    labels = re.findall(r'aria-label="([^"]*)"', page)
    return html.unescape(" ".join([re.sub("<[^>]+>", " ", page), *labels]))


CUT = re.compile(r"<[^>]*>|: |\n|(?<=>)[A-Z]+\d+ ")
"""Between the texts of elements, and between a name and what is said of it."""


def test_a_reader_never_sees_the_key_of_a_part():
    """Neither on the scoreboard's page nor in a box of any claim: words, no underscore."""
    boards = [show.scoreboard(), show.say_scales(), *map(show.say_failed, ("digits", "cifar10"))]
    drawings = [show.forest(), show.scales()]
    pages = [shown.page for shown in boards] + [str(shown) for shown in boards]
    pages += [drawing._repr_mimebundle_()["text/html"] for drawing in drawings]
    for item in (one for one in ITEMS if one.measure):
        pages += [show.verdict_box(item.id).page, show.on_cifar10(item.id).page]
    texts_of_pages = [plain(page) for page in pages]
    words = {word for text in texts_of_pages for word in re.findall(r"\w+_\w*", text)}
    assert words <= {"requires_grad"}  # PyTorch's, in the sentence of T3
    keys = {e.name for item in ITEMS for one in (item, *item.others) for e in one.effects}
    marks = "".join(PART_MARKS.values())
    for page in [*(shown.page for shown in boards), *show.scales().svgs]:
        page = html.unescape(re.sub("<style>.*?</style>", " ", page, flags=re.DOTALL))
        names = {
            re.sub(rf"\(core\)|^Part|[{marks}']", "", name).strip() for name in CUT.split(page)
        }
        assert not names & keys


def test_a_part_without_a_clause_is_told_by_what_is_measured():
    assert clause(Effect("a_key", "loss after ten steps", "", 1.0)) == "loss after ten steps"
    assert clause(Effect("a_key", "loss", "", 1.0, says="it falls")) == "it falls"


def test_the_forest_plot_is_whole_and_says_what_it_shows():
    drawing = show.forest()
    parts = [(one.claim.id, j) for one in standings(CLAIMS) for j in one.judgements]
    written = " ".join(text for svg in drawing.svgs for text in texts(svg))
    for name, judgement in parts:
        assert f"{name}: {judgement.effect.says}" in written
    assert f"Forest plot of {len(parts)} effects" in drawing.alt
    for word in PART_WORDS:
        assert f"{sum(j.word == word for _, j in parts)} {word}" in drawing.alt
    assert not re.search(r"\bnan\b|\binf\b", drawing.alt + drawing.caption + written)
    assert show.forest().svgs == drawing.svgs


def test_the_forest_plot_follows_the_theme():
    for svg in show.forest().svgs:
        assert "currentColor" in svg and INK not in svg
        for name, look in variables().items():
            assert not re.search(rf"(?<!, ){look['light']}", svg), name
        assert "var(--bnlab-part-holds" in svg
    page = show.forest()._repr_mimebundle_()["text/html"]
    assert "--bnlab-part-opposite:" in page


def test_effects_beyond_the_axis_are_arrows_and_stay_inside():
    far = [j for one in standings(CLAIMS) for j in one.judgements if standardized(j)[0] > EDGE]
    assert far  # equal growth in all seeds: B8
    assert "arrow: farther than the axis" in " ".join(show.forest().caption.split())


def test_verdicts_differ_by_more_than_colour_and_from_the_normalizers():
    assert set(VERDICTS) == set(WORDS) and set(MARKS) > set(WORDS)
    for looks, keys in ((VERDICTS, ("mark",)), (PARTS, ("mark", "marker"))):
        for key in (*keys, "light", "dark"):
            assert len({look[key] for look in looks.values()}) == len(looks)
        colours = {look["light"] for look in (*STYLE.values(), *looks.values())}
        assert len(colours) == len(STYLE) + len(looks)
    assert HUES["shown"] == (VERDICTS["shown"]["light"], VERDICTS["shown"]["dark"])
