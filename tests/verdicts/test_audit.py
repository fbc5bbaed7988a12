"""``python -m bnlab.claims check`` and what may have changed since evidence was measured."""

import dataclasses
import json
import re
import shutil

import pytest

from bnlab import claims
from bnlab.claims.__main__ import main
from bnlab.store import read_result, write_result
from bnlab.verdicts import audit, evidence
from bnlab.verdicts.evidence import results_folder
from bnlab.verdicts.provenance import code_meaning

NAMES = [path.stem for path in sorted(results_folder().glob("*.json"))]
QUICK = "B8"


@pytest.fixture
def folder(tmp_path):
    """A copy of the evidence of one claim, with its verdict and today's code."""
    stored = claims.load(QUICK)
    audit.stamped(stored, [400], 1).save(tmp_path)
    return tmp_path


def changed(folder, **fields):
    """Write the file again with other content, and a right checksum."""
    path = folder / f"{QUICK}.json"
    payload = read_result(path, "")
    for key, value in fields.items():
        payload[key] = value(payload[key]) if callable(value) else value
    write_result(path, payload)


def with_claim(**fields):
    """The same claim, written in another way today."""
    return dataclasses.replace(claims.claim(QUICK), **fields)


def report(folder, item=None, **options):
    return audit.check_file(item or claims.claim(QUICK), folder, **options)


@pytest.mark.parametrize("name", NAMES)
def test_the_evidence_of_the_book_holds(name):
    item, _, scale = name.partition("-")
    scale = scale or "digits"
    found = audit.check_file(claims.claim(item, scale), results_folder(), scale)
    assert found.wrong == ()


def test_evidence_that_holds_says_so(folder):
    assert str(report(folder)) == "B8: holds"


def test_a_verdict_that_no_longer_follows_is_named(folder):
    """The raw data changed, and the word with it."""

    def worse(rows):
        return [[*row[:-1], [row[-1][1], row[-1][1]]] for row in rows]

    changed(folder, rows=worse)
    found = report(folder)
    assert "the verdict was 'shown', 'shown in part' follows now" in found.wrong[0]
    assert any("effect scale: mean was 1.505" in text for text in found.wrong)
    assert all("Renew it with 'python -m bnlab.claims measure B8'" in t for t in found.wrong)


def test_a_margin_that_was_moved_is_named(folder):
    first, *others = claims.claim(QUICK).effects
    item = with_claim(effects=(dataclasses.replace(first, margin=0.5), *others))
    first, second = report(folder, item).wrong
    assert "effect condition: margin was 1.0, is 0.5" in first
    assert "what it measures changed since" in second


def test_an_effect_that_was_left_out_is_named(folder):
    item = with_claim(effects=claims.claim(QUICK).effects[:1])
    assert "its effects were condition, scale, are condition" in report(folder, item).wrong[0]


def test_a_run_that_changed_is_named(folder):
    base = claims.claim(QUICK).runs["digits"]
    item = with_claim(runs={"digits": base.replace(width=64)})
    assert report(folder, item).wrong[0].startswith("its Run changed: width was 256, is 64")
    assert "no measurement at scale" in report(folder, with_claim(runs={"x": base})).wrong[0]


def test_code_that_changed_is_named_with_the_way_out(folder):
    """Another function that measures is other code."""
    text, measure = report(folder, with_claim(measure=claims.claim("B2").measure)).wrong
    assert "what it measures changed since" in measure
    assert re.search(r"something in chapters, data, engines, .*measure, methods, nets, norms", text)
    assert "claims code B8' lists it" in text and "check B8 --repeat 2 --stamp" in text


def test_what_was_not_kept_is_a_note_and_no_failure(folder):
    path = folder / f"{QUICK}.json"
    payload = read_result(path, "")
    del payload["verdict"], payload["code"], payload["result"]
    write_result(path, payload)
    found = report(folder)
    assert found.wrong == ()
    assert len(found.notes) == 3 and "before digests of the code were kept" in found.notes[2]


def test_a_sample_measured_again_is_the_same_and_may_be_stamped(folder):
    changed(folder, code=lambda kept: {**kept, "digest": "other"})
    assert report(folder).wrong
    (text,) = report(folder, again=2).wrong  # the same numbers alone do not change the file
    assert "its code changed" in text
    found = report(folder, again=2, stamps=True)
    assert found.wrong == ()
    assert "2 rows of seeds [400, 415] are the same" in found.notes[0]
    kept = evidence.load(claims.claim(QUICK), folder)
    assert kept.meta["code"]["how"] == "repeated" and kept.meta["code"]["seeds"] == [400, 415]
    assert kept.data == claims.load(QUICK).data
    assert str(report(folder)) == "B8: holds"


def test_a_number_that_is_not_found_again_is_named_and_not_stamped(folder):
    def typed(rows):
        return [[*rows[0][:2], [0.0, *rows[0][2][1:]], *rows[0][3:]], *rows[1:]]

    changed(folder, rows=typed, code=lambda kept: {**kept, "digest": "other"})
    before = (folder / f"{QUICK}.json").read_text()
    found = report(folder, again=2, stamps=True)
    assert any("measured again, seed 400 differs: condition was [0.0" in w for w in found.wrong)
    assert (folder / f"{QUICK}.json").read_text() == before


def test_missing_damaged_and_foreign_files_are_named(folder, capsys):
    shutil.copy(folder / f"{QUICK}.json", folder / "X9.json")
    (folder / f"{QUICK}.json").write_text('{"claim": "B8"')
    assert main(["check", "--results", str(folder)]) == 1
    out = capsys.readouterr().out
    assert "B8: the evidence cannot be read: B8.json is damaged" in out
    assert "B1: has a measurement and no evidence: B1.json is not there" in out
    assert "X9.json: no claim has such evidence" in out
    assert "see above for what changed" in out


def test_the_command_checks_what_it_is_told(folder, capsys):
    assert main(["check", QUICK, "--results", str(folder), "--repeat", "1", "--stamp"]) == 0
    assert "stamped: today's code gives these numbers" in capsys.readouterr().out
    assert main(["check", QUICK, "--stamp"]) == 1
    assert "--stamp needs --repeat" in capsys.readouterr().err
    assert main(["check", "B0"]) == 1
    assert "unknown claim 'B0'" in capsys.readouterr().err


def test_new_evidence_keeps_its_verdict_and_its_code():
    here = claims.measure(QUICK, seeds=range(8))
    assert here.meta["verdict"]["word"] == here.verdict.word
    assert here.meta["code"] == {"digest": code_meaning(here.claim.measure), "how": "measured"}
    assert json.loads(json.dumps(here.meta["verdict"])) == here.verdict.summary
