"""The decision guide: every row rests on something, and follows when the evidence changes."""

import dataclasses
import json
import re
import shutil
import types
from pathlib import Path

import pytest
import torch

from bnlab import claims, show
from bnlab.chapters.binary_nets.trainings import Setup
from bnlab.show.guide import WITHDRAWN, names_of, told
from bnlab.show.guide_row import Row
from bnlab.show.guide_rows import ROWS
from bnlab.show.guide_sources import SOURCES
from bnlab.show.scaled import scaled_words
from bnlab.verdicts import evidence

BOOK = Path(__file__).parents[2] / "book"
BIB = (BOOK / "references.bib").read_text(encoding="utf-8")
EACH = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.when)
MEASURED = pytest.mark.parametrize(
    "row", [row for row in ROWS if row.measured], ids=lambda row: row.when
)


@pytest.fixture(scope="module")
def page() -> str:
    return show.guide().page


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
             "Style", "GAN", "Contrastive", "Reinforcement", "Inference", "very deep",
             "group size", "Weights normalized", "one normalizer")  # fmt: skip
    for word in asked:
        assert any(word.lower() in row.when.lower() for row in ROWS), word


@MEASURED
def test_a_row_changes_when_its_evidence_does(row, monkeypatch):
    """All facts ten per cent larger; and the guard says no."""
    _, _, before = told(row)
    real = claims.load

    def larger(name):
        facts = {
            key: value * 1.1 if isinstance(value, int | float) else value
            for key, value in real(name).facts.items()
        }
        return types.SimpleNamespace(facts=facts)

    monkeypatch.setattr(claims, "load", larger)
    assert told(row)[2] != before
    withdrawn = dataclasses.replace(row, carries=lambda facts: False)
    assert told(withdrawn)[:2] == (WITHDRAWN, "")


WRONG_LABELS = "Some labels are wrong, and the net learns them by heart"
DECIDING = [
    ("An ordinary image net", "B1", "own_12", -1.0),
    ("An ordinary image net", "L3", "group_2_loss", 0.1),
    ("Small batches in a perceptron", "R3", "test_running_batch_2", 99.0),
    ("Small batches in a convolutional net", "R3", "test_running_batch_conv_2", 80.0),
    ("Small batches in a convolutional net", "R3", "train_group_conv_2", 99.9),
    ("Right in training mode", "T1", "averaged_repaired", 55.0),
    ("Gradient accumulation", "T4", "whole_least", 0.05),
    ("Gradient accumulation", "T4", "test_ghost", 97.0),
    ("Fine-tuning", "T3", "frozen_new", 75.0),
    ("Weight decay", "T5", "test_weights", 99.0),
    ("BatchNorm before or behind", "T6", "test_after_bias_2", 99.0),
    ("Dropout", "T7", "test_head_5", 92.0),
    ("GAN critics", "T8", "penalty_batch_64", 1.0),
    ("Contrastive", "T8", "leak_batch_64", 0.1),
    ("Batches that are not independent", "R4", "lost_batch_pure", 1.0),
    ("Batches that are not independent", "R4", "test_running_group_pure", 80.0),
    ("A very deep net", "L1", "sws_skipinit", 1e9),
    ("A very deep net", "B10", "given_accuracy", 90.0),
    ("Weights normalized", "L3", "scaled_weight_standardization_loss", 1.4),
    ("BatchNorm is too expensive", "M1", "test_mimic_residual", 90.0),
    ("BatchNorm is too expensive", "M4", "test_last_norm_large", 99.0),
    ("BatchNorm is too expensive", "M2", "saved_mimic_residual_fused", 1.0),
    ("Some labels are wrong", "LW2", "behind_own", -1.0),
    ("Some labels are wrong", "LW3", "sgd_gain_over_decay", 0.5),
    ("You rank operations", "N1", "tau_parameters", 0.3),
    ("You rank operations", "N5", "test_random", 50.0),
    ("Binary nets", "BNN1", "test_none", 80.0),
    ("Binary nets", "BNN3", "points_signs", 1.0),
    ("Binary nets", "BNN3", "test_scaled_unchanged", 96.0),
    ("The group size", "L5", "slower_mlp6", 1.5),
    ("Weights of a scale", "R5", "range_own_none", 1.0),
    ("You are bound", "B1", "behind_long", 5.0),
    ("You look for one", "L6", "overall", "layer"),
    ("You look for one", "L6", "layer_resnet", 100.0),
]
"""A fact of each measured row, changed so that it no longer carries the advice."""


@pytest.mark.parametrize(("when", "claim", "fact", "value"), DECIDING)
def test_advice_that_the_facts_no_longer_carry_is_withdrawn(when, claim, fact, value, monkeypatch):
    (row,) = [row for row in ROWS if row.when.startswith(when)]
    assert told(row)[0] == row.advice
    real = claims.load

    def changed(name):
        facts = dict(real(name).facts)
        if name == claim:
            assert fact in facts
            facts[fact] = value
        return types.SimpleNamespace(facts=facts)

    monkeypatch.setattr(claims, "load", changed)
    assert told(row)[0] == WITHDRAWN


def test_each_measured_row_has_a_fact_that_can_withdraw_it():
    for row in ROWS:
        assert any(row.when.startswith(when) for when, *_ in DECIDING) == bool(row.measured)


def test_everything_measured_was_trained_by_descent_without_momentum_on_digits():
    """But for the rows on wrong labels, binary nets and γ as a score, as the page says."""
    for row in ROWS:
        for name in names_of(row):
            run = claims.claim(name).runs["digits"]
            if row.when == "Binary nets":
                run = Setup("batch").run(run, run.lr, run.seed)
            usual = "adam" if row.when in ("Binary nets", WRONG_LABELS) else "sgd"
            options = {"momentum": 0.9} if row.when.startswith("You rank operations") else {}
            trained = run.data, run.optimizer, run.optimizer_options
            assert trained == ("digits", usual, options), name


def test_frozen_weights_do_not_freeze_the_statistics_and_evaluation_mode_does():
    """As the row on fine-tuning says."""
    layer = torch.nn.BatchNorm1d(3).requires_grad_(False)
    x = torch.arange(12.0).reshape(4, 3)
    layer(x)
    moved = layer.running_mean.clone()
    layer.eval()(x)
    assert moved.abs().sum() > 0 and torch.equal(layer.running_mean, moved)


def test_the_chapters_that_measured_a_row_are_linked(page):
    for chapter in re.findall(r'href="(\d\d_\w+)\.ipynb">Chapter', page):
        assert (BOOK / f"{chapter}.ipynb").is_file()
    for row in ROWS:
        assert not row.measured or re.search("Chapter|Card", _cells(page, row.when))


def test_the_cards_of_the_clinic_are_linked(page):
    cards = "\n".join(
        "".join(cell["source"])
        for cell in json.loads((BOOK / "14_clinic.ipynb").read_text("utf-8"))["cells"]
    )
    linked = re.findall(r'href="14_clinic\.ipynb#(t\d)">Card (T\d)<', page)
    assert {name for _, name in linked} == {f"T{number}" for number in range(1, 9)}
    for anchor, name in linked:
        assert anchor == name.lower() and f'<a id="{anchor}"></a>' in cards


def _cells(page: str, when: str) -> str:
    (found,) = [cells for cells in page.split("<tr>") if when in cells]
    return found


def test_a_fact_that_is_missing_is_named(monkeypatch):
    (row,) = [row for row in ROWS if row.when.startswith("Small batches in a perceptron")]
    monkeypatch.setattr(claims, "load", lambda name: types.SimpleNamespace(facts={"seeds": 8}))
    with pytest.raises(ValueError, match=r"no fact 'test_running_group_4'\. Known: seeds"):
        told(row)


def test_every_claim_is_a_link_to_its_row_with_its_word(page):
    rows = show.scoreboard().page
    named = re.findall(r'href="13_scoreboard\.ipynb#claim-(\w+)">(\w+)</a>: ([^<]+?)[;.] ', page)
    assert len(named) == sum(len(row.claims) for row in ROWS)
    for target, name, word in named:
        assert target == name and f'id="claim-{target}"' in rows
        assert word == scaled_words(claims.claim(name))


def test_on_a_phone_each_cell_has_a_line_of_its_own_with_its_columns_name(page):
    cells = re.findall(r"<td[^>]*>", page)
    assert len(cells) == 3 * len(ROWS) and all("data-column=" in cell for cell in cells)
    assert re.search(
        r"@media\(max-width:640px\)\{\.bnlab-table\.bnlab-guide td\{width:auto\}", page
    )


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
