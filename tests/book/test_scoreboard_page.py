"""The scoreboard: all its numbers come from the evidence, and follow when that changes."""

import json
import re
import shutil
from pathlib import Path

import pytest

from bnlab import claims, show
from bnlab.chapters import SERIES
from bnlab.store import read_result, write_result
from bnlab.verdicts import evidence

PAGE = Path(__file__).parents[2] / "book" / "13_scoreboard.ipynb"
CELLS = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]


def cells(kind):
    return ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == kind]


def sentences():
    """What the cells that say something say, with the evidence as it is now."""
    said = [code for code in cells("code") if "show.say" in code]
    assert len(said) == 3
    texts = []
    for code in said:
        scope = {"claims": claims, "show": show}
        *head, last = code.strip().split("\n\n")
        exec("\n\n".join(head), scope)
        texts.append(str(eval(last, scope)))
    return texts


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the evidence that the book reads instead of its own."""
    shutil.copytree(evidence.results_folder(), tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(evidence, "results_folder", lambda: tmp_path)
    return tmp_path


def change(path, **fields):
    payload = read_result(path, "")
    write_result(path, payload | {key: field(payload[key]) for key, field in fields.items()})


def test_the_page_has_its_parts():
    text = "\n".join(cells("markdown"))
    assert re.findall("^# (.*)$", text, re.M)[0].endswith("?")
    for part in ("The sum", "All parts in one column", "Every claim", "To think about"):
        assert f"## {part}" in text
    assert text.count("<details>") >= 2 and "For the lecturer" in text
    code = "\n".join(cells("code"))
    for call in ("show.say_sum(", "show.say_failed()", "show.forest()", "show.scoreboard()"):
        assert call in code


def test_prose_states_no_measured_number_and_no_verdict():
    text = re.sub(r"<details>.*?</details>", " ", "\n".join(cells("markdown")), flags=re.DOTALL)
    assert re.findall(r"\d+\.\d+|\b\d+ ?%", text) == ["95 %"] * text.count("95 %")
    prose = re.sub(r"```.*?```", " ", text, flags=re.DOTALL)
    assert not re.search(r"\b(?:S|B|W|L|R|M|LW|BNN|N)[1-9]\b", prose)


def test_cells_are_short_and_import_the_package_only():
    code = cells("code")
    assert all(len(c.splitlines()) <= 12 for c in code)
    found = set(re.findall(r"^(?:from|import) ([\w.]+)", "\n".join(code), re.M))
    assert found == {"bnlab", "sys"}


def test_the_text_counts_what_the_evidence_says():
    total, parts, failed = sentences()
    words = [claims.load(i.id).verdict.word for i in claims.CLAIMS.values() if i.measure]
    assert f"Of {len(claims.CLAIMS)} claims of {len(SERIES)} papers, {len(words)} of" in " ".join(
        total.split()
    )
    assert failed.count(" is reversed") == words.count("reversed")
    judged = [j for i in claims.CLAIMS.values() if i.measure for j in _judgements(i.id)]
    assert f"have {len(judged)} parts in all" in " ".join(parts.split())


def _judgements(name):
    return claims.load(name).verdict.judgements


def test_the_text_follows_when_evidence_changes(folder):
    """B8 with equal growth in both chains: the claim is no longer shown, and the page says so."""
    before = [" ".join(text.split()) for text in sentences()]

    def equal(rows):
        return [[*row[:-1], [row[-1][1], row[-1][1]]] for row in rows]

    change(folder / "B8.json", rows=equal)
    total, parts, failed = (" ".join(text.split()) for text in sentences())
    assert total != before[0] and re.search(r"Not shown: [^.]*\bB8\b", total)
    assert parts != before[1]
    assert "B8 is not shown. 1 of its 2 parts hold; not 'scale'" in failed
    assert "B8: not shown." in str(show.scoreboard())
    assert (
        'id="claim-B8" data-paper="bjorck2018" data-verdict="not shown"' in show.scoreboard().page
    )


def test_the_text_follows_when_evidence_is_gone(folder):
    (folder / "B8.json").unlink()
    total = " ".join(sentences()[0].split())
    measured = sum(1 for item in claims.CLAIMS.values() if item.measure) - 1
    assert f"9 papers, {measured} of" in total
    assert "B8: not measured yet" in str(show.scoreboard())


def test_without_any_evidence_nothing_is_claimed(folder):
    for path in folder.glob("*.json"):
        path.unlink()
    total, parts, failed = (" ".join(text.split()) for text in sentences())
    assert "Shown at this scale: none." in total and "have 0 parts in all" in parts
    assert failed == "No claim is measured yet."
    with pytest.raises(FileNotFoundError, match="nothing to draw"):
        show.forest()
