"""All claims: what each says before anything is measured."""

import inspect
import re
from pathlib import Path

import pytest
import yaml

from bnlab import chapters, claims
from bnlab.claims import CLAIMS, Claim, Effect
from bnlab.claims.order import in_order
from bnlab.train import Run
from bnlab.verdicts.verdict import ALGEBRA, NOT_MEASURED, NOT_TESTABLE, SHOWN

ROOT = Path(__file__).parents[2]
MEASURED = pytest.mark.parametrize(
    "item", [one for one in CLAIMS.values() if one.measure], ids=lambda item: item.id
)
EACH = pytest.mark.parametrize("item", CLAIMS.values(), ids=lambda item: item.id)


def test_each_paper_has_its_claims_in_order():
    assert {name: item.id for name, item in CLAIMS.items()} == {name: name for name in CLAIMS}
    papers: dict[str, set[str]] = {}
    for name, item in CLAIMS.items():
        papers.setdefault(re.match("[A-Z]+", name).group(), set()).add(item.paper)
    assert tuple(papers) == chapters.SERIES
    assert all(len(found) == 1 for found in papers.values())
    known = (ROOT / "book" / "references.bib").read_text()
    keys = [key for found in papers.values() for key in found]
    assert len(set(keys)) == len(keys) and all(f"{{{key}," in known for key in keys)
    assert len({item.authors for item in CLAIMS.values()}) == len(papers)


def test_claims_are_put_in_order_and_none_is_lost():
    b1, b2, s1 = (CLAIMS[name] for name in ("B1", "B2", "S1"))
    assert list(in_order([b2, s1, b1], [], ["S", "B"])) == ["S1", "B1", "B2"]
    with pytest.raises(ValueError, match="counted from 1: B1 is missing"):
        in_order([b2, s1], [], ["S", "B"])
    with pytest.raises(ValueError, match="no series for claim B1"):
        in_order([b1, s1], [], ["S"])
    with pytest.raises(ValueError, match="two claims have the id B1"):
        in_order([b1, b1], [], ["B"])


def test_a_claim_is_given_its_other_scales():
    small = CLAIMS["B1"].with_others(())
    large = small.on_cifar10(
        effects=small.effects, runs=small.runs, measure=small.measure, values=small.values
    )
    found = in_order([small], [large], ["B"])["B1"]
    assert found.scales == ("digits", "cifar10") and found.at("cifar10") is large
    assert large.at("cifar10") is large and large.sentence == small.sentence
    assert not (large.prediction or large.gap or large.answer)  # what was said of digits
    with pytest.raises(ValueError, match="unknown scale of B1 'imagenet'"):
        found.at("imagenet")
    for wrong in ([large, large], [CLAIMS["S1"].on_cifar10()]):
        with pytest.raises(ValueError, match="has no claim that it belongs to, or"):
            in_order([small], wrong, ["B"])


@EACH
def test_every_claim_can_fail_and_says_how(item):
    for text in (item.falsifier, item.prediction, item.gap):
        assert text.endswith(".") and len(text.split()) > 8
    assert item.sentence.endswith((".", ".)")) and len(item.sentence.split()) >= 6
    assert len({item.sentence, item.falsifier, item.prediction}) == 3


@EACH
def test_every_claim_has_effects_with_margins_before_it_is_measured(item):
    assert item.effects
    assert len({effect.name for effect in item.effects}) == len(item.effects)
    for effect in item.effects:
        assert len(effect.sentence.split()) >= 3
        assert effect.unit in ("", "decades") or effect.unit.startswith("of ")
        assert abs(effect.margin) < 100


@EACH
def test_a_claim_belongs_to_a_chapter_of_the_plan(item):
    assert re.fullmatch(r"\d\d_[a-z_]+", item.chapter)
    if item.measure is not None:  # its chapter is written
        assert (ROOT / "book" / f"{item.chapter}.ipynb").is_file()
        listed = yaml.safe_load((ROOT / "_toc.yml").read_text())
        assert f"book/{item.chapter}" in str(listed)


@EACH
def test_a_measurement_takes_seeds_and_work_and_the_options_that_it_declares(item):
    if item.measure is None:
        assert not item.options
        return
    fixed = getattr(item.measure, "keywords", {})
    first, second, *others = inspect.signature(item.measure).parameters
    assert (first, second) == ("seeds", "work")
    assert [name for name in others if name not in fixed] == list(item.options)


@EACH
def test_what_is_not_measured_is_not_guessed(item):
    if item.measure is None:
        assert item.without_evidence == (NOT_TESTABLE if item.untestable else NOT_MEASURED)
        with pytest.raises(FileNotFoundError):
            claims.load(item.id)
        with pytest.raises(ValueError, match="no measurement yet"):
            claims.measure(item.id)


def test_what_cannot_be_tested_says_why_and_what_instead():
    blocked = [item for item in CLAIMS.values() if item.untestable]
    assert {item.id for item in blocked} >= {"BNN2", "BNN3", "N3", "N5"}
    for item in blocked:
        for text in (item.untestable, item.instead):
            assert text.endswith(".") and len(text.split()) > 6


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"untestable": "It takes days."}, "say both"),
        ({"instead": "A small net."}, "say both"),
        ({"measure": dict, "runs": {"digits": Run()}}, "needs effects and runs"),
        ({"measure": dict, "effects": (Effect("a", "a", "", 0),)}, "needs effects and runs"),
    ],
)
def test_a_half_written_claim_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Claim("X1", "paper", "authors", "sentence", **fields)


@MEASURED
def test_each_part_of_a_measured_claim_says_what_the_claim_says(item):
    for effect in item.effects:
        assert len(effect.says.split()) >= 3, f"{item.id} {effect.name}"
        assert effect.says[-1] not in ".:;"


@MEASURED
def test_what_is_not_shown_has_an_answer_of_its_authors(item):
    if claims.load(item.id).verdict.word not in (SHOWN, ALGEBRA):
        assert item.answer.endswith(".") and len(item.answer.split()) > 12


@MEASURED
def test_a_core_is_no_identity_unless_all_is(item):
    """What algebra makes true is no success of a measurement."""
    kinds = {effect.name: effect.kind for effect in item.effects}
    assert "identity" not in {kinds[name] for name in item.core} or set(kinds.values()) == {
        "identity"
    }


@MEASURED
def test_changes_tell_their_day_what_and_why(item):
    for change in item.changes:
        assert re.fullmatch(r"2026-\d\d-\d\d", change.day)
        assert change.what.endswith(".") and change.why.endswith(".")


def test_a_claim_with_a_prediction_needs_no_measurement():
    item = Claim("X1", "paper", "authors", "sentence", prediction="We expect nothing.")
    assert item.without_evidence == "not measured yet"
