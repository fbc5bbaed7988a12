"""A file keeps what it held before, and a measure that changed after a result is told."""

import dataclasses
import shutil

import pytest

from bnlab import claims
from bnlab.claims.__main__ import main
from bnlab.store import read_result, write_result
from bnlab.verdicts import audit, history
from bnlab.verdicts.definition import definition
from bnlab.verdicts.evidence import results_folder
from bnlab.verdicts.verdict import Change

QUICK = "B8"
ITEM = claims.claim(QUICK)


@pytest.fixture
def folder(tmp_path):
    """A copy of the evidence of one claim."""
    shutil.copy(results_folder() / f"{QUICK}.json", tmp_path)
    return tmp_path


def change(folder, **fields):
    """Write the file again with other content; None takes a field out."""
    path = folder / f"{QUICK}.json"
    payload = {**read_result(path, ""), **fields}
    write_result(path, {key: value for key, value in payload.items() if value is not None})


def kept(folder):
    return claims.evidence.load(ITEM, folder).meta


def first_edition(folder):
    """As the first edition wrote its files."""
    old = {"word": "reversed", "seeds": 16, "effects": kept(folder)["verdict"]["effects"]}
    change(folder, verdict=old, rule=None, result=None, history=None, first_edition=None)


def test_a_new_rule_keeps_the_first_editions_word_with_day_and_reason(folder, capsys):
    first_edition(folder)
    (text,) = audit.check_file(ITEM, folder).wrong[:1]
    assert "the verdict was 'reversed', 'shown' follows now" in text
    assert main(["judge", QUICK, "--output", str(folder)]) == 0
    meta = kept(folder)
    assert meta["verdict"]["word"] == "shown" and meta["rule"] == history.RULE
    assert meta["first_edition"] == {"word": "reversed", "changed": history.RULE_CHANGED}
    assert [one["verdict"]["word"] for one in meta["history"]] == ["reversed"]
    assert meta["result"]["how"] == "judged anew"
    assert "B8: shown" in capsys.readouterr().out
    assert main(["judge", QUICK, "--output", str(folder)]) == 0  # a second time changes nothing
    assert kept(folder) == meta and "wrote" not in capsys.readouterr().out
    assert audit.check_file(ITEM, folder).wrong == ()


def test_measuring_anew_keeps_the_earlier_results(folder, capsys):
    first_edition(folder)
    for seeds in ("400-407", "408-415"):
        assert main(["measure", QUICK, "--seeds", seeds, "--output", str(folder)]) == 0
    meta = kept(folder)
    assert meta["first_edition"]["word"] == "reversed"
    assert [one["verdict"]["word"] for one in meta["history"]] == ["reversed", "shown"]
    assert [one["definition"] for one in meta["history"]] == [None, definition(ITEM)]
    assert meta["result"]["how"] == "measured" and meta["verdict"]["seeds"] == 8


def test_a_damaged_file_is_renewed_and_says_that_its_past_is_lost(folder, capsys):
    path = folder / f"{QUICK}.json"
    path.write_text(path.read_text()[:100])
    assert main(["measure", QUICK, "--seeds", "400-407", "--output", str(folder)]) == 0
    assert "Its earlier results are lost." in capsys.readouterr().err
    assert "history" not in kept(folder)


def results(*found):
    """Meta data of results, each (day, how, definition), the last of which is today's."""
    *before, last = [dict(zip(("day", "how", "definition"), one, strict=True)) for one in found]
    return {"history": before, "result": last}


FIRST = ("2026-11-01", "measured", "a")


@pytest.mark.parametrize(
    ("later", "told"),
    [
        (("2026-11-20", "measured", "a"), True),
        (("2026-11-20", "measured", "b"), False),
        (("2026-11-20", "judged anew", "b"), False),
        (("2026-11-20", "repeated", "b"), True),
    ],
)
def test_a_measure_that_changed_after_a_result_must_be_told(later, told):
    meta = results(FIRST, later)
    assert bool([*history.unexplained(ITEM, meta)]) is not told
    for day, enough in (("2026-10-31", told), ("2026-11-10", True), ("2026-11-21", told)):
        item = dataclasses.replace(ITEM, changes=(Change(day, "What.", "Why."),))
        assert ([*history.unexplained(item, meta)] == []) is enough


def test_the_first_edition_may_be_judged_by_the_new_rule_and_not_measured_in_silence():
    first = ("", "", None)
    judged = results(first, ("2026-11-29", "judged anew", "a"))
    measured = results(first, ("2026-11-29", "measured", "a"))
    assert [*history.unexplained(ITEM, judged)] == []
    (text,) = history.unexplained(dataclasses.replace(ITEM, changes=()), measured)
    assert "between the first edition and 2026-11-29" in text
    assert [*history.unexplained(ITEM, {"result": measured["result"]})] == []
    assert [*history.unexplained(ITEM, {})] == []


def test_an_untold_change_fails_the_check(folder):
    change(folder, history=[{**kept(folder)["result"], "definition": "other", "verdict": {}}])
    (text,) = audit.check_file(ITEM, folder).wrong
    assert "its measure changed" in text and "say in its 'changes' what and why" in text


def test_a_changed_measure_is_noticed_before_it_is_measured(folder):
    first, *others = ITEM.effects
    item = dataclasses.replace(ITEM, core=(others[0].name,))
    (text,) = audit.check_file(item, folder).wrong
    assert "what it measures changed since" in text and "claims judge B8" in text
    reworded = dataclasses.replace(first, sentence="another wording of it", says="new words")
    item = dataclasses.replace(ITEM, effects=(reworded, *others))
    assert audit.check_file(item, folder).wrong == ()


def test_a_definition_follows_margins_kinds_values_and_measure_and_nothing_else():
    first, *others = ITEM.effects
    same = dataclasses.replace(ITEM, prediction="Other.", effects=(*ITEM.effects,))
    assert definition(same) == definition(ITEM)
    replaced = [
        {"effects": (dataclasses.replace(first, margin=0.5), *others)},
        {"effects": (dataclasses.replace(first, kind="same"), *others)},
        {"values": claims.claim("B3").values},
        {"measure": claims.claim("B3").measure},
    ]
    found = {definition(dataclasses.replace(ITEM, **fields)) for fields in replaced}
    assert len(found) == len(replaced) and definition(ITEM) not in found
