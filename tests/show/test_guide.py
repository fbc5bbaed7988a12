"""The decision guide: its advice follows from verdicts, and each line links to them."""

import re
import shutil
import string

import numpy as np
import pytest

from bnlab import claims, show
from bnlab.show.guide import LINES, NO_ADVICE, advice
from bnlab.verdicts import evidence
from bnlab.verdicts.verdict import NOT_MEASURED, WORDS

EACH = pytest.mark.parametrize("line", LINES, ids=lambda line: line.when)


@EACH
def test_a_line_rests_on_claims_and_parts_that_exist(line):
    for name in (line.claim, *line.also):
        claims.claim(name)
    parts = {effect.name for effect in claims.claim(line.claim).effects}
    assert line.part == "" or line.part in parts
    assert line.says and set(line.says) <= set(WORDS)


@EACH
def test_every_advice_can_be_written_from_the_facts(line):
    try:
        facts = claims.load(line.claim).facts
    except FileNotFoundError:
        assert advice(line) == (NOT_MEASURED, "Not measured yet.")
        return
    for template in line.says.values():
        fields = {field for _, field, _, _ in string.Formatter().parse(template) if field}
        assert fields <= set(facts)


def test_every_claim_is_a_link_to_its_row_of_the_scoreboard():
    page, rows = show.guide().page, show.scoreboard().page
    named = re.findall(r'href="13_scoreboard\.ipynb#claim-(\w+)">[^<]*\b(\w+): ', page)
    assert len(named) >= len(LINES)
    for target, name in named:
        assert target == name and f'id="claim-{target}"' in rows


@pytest.fixture
def folder(tmp_path, monkeypatch):
    shutil.copytree(evidence.results_folder(), tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(evidence, "results_folder", lambda: tmp_path)
    return tmp_path


def test_if_the_verdict_changes_the_advice_does(folder):
    line = next(line for line in LINES if (line.claim, line.part) == ("B1", "small"))
    assert advice(line)[0] == "shown" and "Nothing to gain" in str(show.guide())
    stored = claims.load("B1")
    at = stored.data["columns"].index("test_accuracy")
    for row in stored.data["rows"]:
        if row[1] == "batch" and row[2] == 0.01:
            row[at] = 0.99
    stored.save(folder)
    assert advice(line) == ("reversed", NO_ADVICE)
    assert "Nothing to gain" not in str(show.guide())


def test_without_evidence_no_line_gives_advice(folder):
    (folder / "L4.json").unlink()
    line = next(line for line in LINES if line.claim == "L4")
    assert advice(line) == (NOT_MEASURED, "Not measured yet.")
    before = int(re.search(r"of which (\d+) are", str(show.say_guide()))[1])
    (folder / "B1.json").unlink()
    after = int(re.search(r"of\s+which\s+(\d+)\s+are", str(show.say_guide()))[1])
    assert after == before - 1


def test_numbers_are_finite():
    for number in re.findall(r"\d[\d,.]*", str(show.guide())):
        assert np.isfinite(float(number.replace(",", "").rstrip(".")))
    assert "nan" not in str(show.guide())


def test_where_a_part_decides_against_the_verdict_it_is_said():
    line = next(line for line in LINES if (line.claim, line.part) == ("R4", "loss"))
    word, verdict = advice(line)[0], claims.load("R4").verdict.word
    assert word == "shown" != verdict
    assert f"R4: {verdict} (its part 'loss': shown)" in str(show.guide())
