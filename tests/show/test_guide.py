"""The decision guide: every row rests on something, and follows when the evidence changes."""

import dataclasses
import re
import shutil
import types
from pathlib import Path

import pytest

from bnlab import claims, show
from bnlab.show import boxes
from bnlab.show.guide import WITHDRAWN, names_of, told
from bnlab.show.guide_rows import ROWS, SOURCES, Row
from bnlab.verdicts import evidence

BIB = (Path(__file__).parents[2] / "book" / "references.bib").read_text(encoding="utf-8")
EACH = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.when)
MEASURED = pytest.mark.parametrize(
    "row", [row for row in ROWS if row.measured], ids=lambda row: row.when
)


@EACH
def test_a_row_rests_on_facts_or_sources_that_exist(row):
    assert row.measured or row.literature
    assert set(names_of(row)) <= set(row.claims) <= set(claims.CLAIMS)
    for key in row.literature:
        entry = BIB[BIB.index(f"{{{key},") :].split("\n}\n")[0]
        name, url = SOURCES[key]
        year = re.search(r"\d{4}$", name).group()
        assert f"year = {{{year}}}" in entry and url.split("//")[1] in entry


@EACH
def test_advice_is_whole_sentences(row):
    for text in (row.advice, row.why, told(row)[2] or "."):
        assert text.endswith(".") and not re.search(r"\bnan\b|\binf\b|[{}]", text)


def test_the_situations_that_practitioners_ask_about_are_there():
    asked = ("batches", "accumulation", "Fine-tuning", "Detection", "transformers", "Binary",
             "Style", "GAN", "Contrastive", "Reinforcement", "Inference", "very deep")  # fmt: skip
    for word in asked:
        assert any(word.lower() in row.when.lower() for row in ROWS), word


@MEASURED
def test_a_row_changes_when_its_evidence_does(row, monkeypatch):
    """All facts ten per cent larger, and all of them gone."""
    _, _, before = told(row)
    real = claims.load

    def scaled(name, factor):
        facts = {
            key: value * factor if isinstance(value, int | float) else value
            for key, value in real(name).facts.items()
        }
        return types.SimpleNamespace(facts=facts)

    monkeypatch.setattr(claims, "load", lambda name: scaled(name, 1.1))
    assert told(row)[2] != before
    monkeypatch.setattr(claims, "load", lambda name: scaled(name, 0.0))
    assert told(row)[0] in (WITHDRAWN, row.advice)
    withdrawn = dataclasses.replace(row, carries=lambda facts: False)
    assert told(withdrawn)[:2] == (WITHDRAWN, "")


@pytest.mark.parametrize(
    ("when", "claim", "fact", "value"),
    [
        ("An ordinary image net", "B1", "own_12", -1.0),
        ("Small batches", "R3", "test_running_batch_2", 99.0),
        ("Gradient accumulation", "R3", "test_running_batch_4", 99.9),
        ("Batches that are not independent", "R4", "lost_batch", 1.0),
        ("A very deep residual net", "L1", "sws_skipinit", 1e9),
        ("You are bound", "B1", "behind_long", 5.0),
    ],
)
def test_advice_that_the_facts_no_longer_carry_is_withdrawn(when, claim, fact, value, monkeypatch):
    (row,) = [row for row in ROWS if row.when.startswith(when)]
    assert told(row)[0] == row.advice
    real = claims.load

    def changed(name):
        facts = dict(real(name).facts)
        if name == claim:
            facts[fact] = value
        return types.SimpleNamespace(facts=facts)

    monkeypatch.setattr(claims, "load", changed)
    assert told(row)[0] == WITHDRAWN


def test_a_fact_that_is_missing_is_named(monkeypatch):
    (row,) = [row for row in ROWS if row.when.startswith("Small batches")]
    monkeypatch.setattr(claims, "load", lambda name: types.SimpleNamespace(facts={"seeds": 8}))
    with pytest.raises(ValueError, match=r"no fact 'test_running_group_4'\. Known: seeds"):
        told(row)


def test_every_claim_is_a_link_to_its_row_with_its_word():
    page, rows = show.guide().page, show.scoreboard().page
    named = re.findall(r'href="13_scoreboard\.ipynb#claim-(\w+)">(\w+)</a>: ([^<]+)', page)
    assert len(named) == sum(len(row.claims) for row in ROWS)
    for target, name, word in named:
        assert target == name and f'id="claim-{target}"' in rows
        assert word == boxes.marked_word(claims.claim(name))


def test_without_evidence_the_guide_says_so(tmp_path, monkeypatch):
    shutil.copytree(evidence.results_folder(), tmp_path, dirs_exist_ok=True)
    (tmp_path / "R3.json").unlink()
    monkeypatch.setattr(evidence, "results_folder", lambda: tmp_path)
    text = " ".join(str(show.guide()).split())
    assert "The evidence is missing" in text and "R3: – not measured yet" in text


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "say what was measured, or name a source"),
        ({"measured": "{B1[seeds]}"}, "measured facts need a guard"),
        ({"literature": ("wu2018",), "carries": bool}, "others have none"),
    ],
)
def test_a_row_that_rests_on_nothing_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Row("A situation", "Advice.", "Why.", **fields)


def test_the_guide_counts_its_rows():
    own = sum(bool(row.measured) for row in ROWS)
    assert f"{len(ROWS)} situations. For {own} of them" in str(show.say_guide())
