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

SUM = "{shown_ids} {effects}"
PAGE = Path(__file__).parents[2] / "book" / "13_scoreboard.ipynb"
CELLS = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]


def cells(kind):
    return ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == kind]


def saying():
    return [code for code in cells("code") if "show.say" in code]


def sentences():
    """What the cells that say something say, with the evidence as it is now."""
    said = saying()
    assert len(said) == 13
    texts = []
    for code in said:
        scope = {"claims": claims, "show": show}
        *head, last = code.strip().split("\n\n")
        exec("\n\n".join(head), scope)
        texts.append(" ".join(str(eval(last, scope)).split()))
    return texts


def the_sum():
    """The sum, the count and what failed, on digits."""
    return [text for code, text in zip(saying(), sentences(), strict=True) if is_of_the_sum(code)]


def is_of_the_sum(code):
    return ("say_sum" in code or "say_failed" in code) and "cifar10" not in code


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
    for part in (
        *("The sum", "All parts in one column", "The same claims on photographs"),
        *("Every claim", "What we do not know"),
    ):
        assert f"## {part}" in text
    assert text.count("<details>") >= 2 and "For the lecturer" in text
    code = "\n".join(cells("code"))
    for call in ("show.say_sum(", "show.say_failed()", "show.forest()", "show.scales()"):
        assert call in code


def test_prose_states_no_measured_number_and_no_verdict():
    text = re.sub(r"<details>.*?</details>", " ", "\n".join(cells("markdown")), flags=re.DOTALL)
    assert re.findall(r"\d+\.\d+|\b\d+ ?%", text) == ["95 %"] * text.count("95 %")
    prose = re.sub(r"```.*?```", " ", text, flags=re.DOTALL)
    assert not re.search(r"\b(?:S|B|W|L|R|M|LW|BNN|N)[1-9]0?\b", prose)


def test_cells_are_short_and_import_the_package_only():
    code = cells("code")
    shown = [cell for cell in CELLS if "remove-input" not in cell["metadata"].get("tags", ())]
    assert all(
        len("".join(cell["source"]).splitlines()) <= 12 or cell["cell_type"] != "code"
        for cell in shown
    )
    found = set(re.findall(r"^(?:from|import) ([\w.]+)", "\n".join(code), re.M))
    assert found == {"bnlab", "sys"}


def test_the_text_counts_what_the_evidence_says():
    total, counted, failed = the_sum()
    items = [item for item in claims.CLAIMS.values() if item.measure]
    verdicts = [claims.load(item.id).verdict for item in items]
    papers = len(SERIES) - 1  # T: no paper
    said = f"Of {len(claims.CLAIMS)} claims of {papers} papers and practitioners, {len(items)} are"
    assert said in " ".join(total.split())
    open_ones = [v for v in verdicts if v.word not in ("shown", "holds by algebra")]
    text = " ".join(failed.split())
    for one in open_ones:
        assert f"{one.claim.id}: {one.said}. {one.sentence}" in text
    wrong = sum(v.prediction == "wrong" for v in verdicts)
    assert f"were right and {wrong} were wrong" in " ".join(counted.split())
    judged = [j for one in verdicts for j in one.judgements]
    assert f"on {len(judged)} parts" in " ".join(counted.split())


def test_the_prose_says_what_the_evidence_carries():
    """If one of these changes, the sentences of the page have to be written anew."""
    words = {
        (name, j.effect.name): j.word
        for name in ("B1", "B3", "B10", "R5", "S1", "S2", "S3", "S4", "S5", "R3")
        for j in claims.load(name).verdict.judgements
    }
    holds = [("B3", "std"), ("B1", "rate"), ("B1", "own"), ("R5", "own"), ("S1", "rate")]
    holds += [("S4", "range"), ("S4", "early")]
    assert {words[part] for part in holds} == {"holds"}
    facts = {name: claims.load(name).facts for name in ("B1", "B2", "R3", "R5", "S1", "S2", "W2")}
    assert facts["R5"]["diverged_none_4"] == facts["R5"]["seeds"]
    assert abs(facts["B1"]["behind_long"]) < 2 and facts["S1"]["calmer_step_6"] > 2
    assert facts["B2"]["decades"] / 2 < facts["B2"]["scaled_decades"] < facts["B2"]["decades"]
    b10 = claims.load("B10").facts  # "Smaller starts and warm-ups did not help it to them"
    assert b10["given"].startswith("clip") and b10["starts_ratio"] <= 1 < 3 < b10["ratio"]
    photographs = [claims.load(name, scale="cifar10").verdict.word for name in ("B1", "R3", "S4")]
    assert photographs == ["not shown", "not shown", "undecided"]  # "of the explanations most"
    b1 = {j.effect.name: j for j in claims.load("B1", scale="cifar10").verdict.judgements}
    assert b1["own"].word == "holds" and b1["small"].word == "does not hold"  # "ahead too, already"
    conv = [facts["R3"][f"test_running_batch_conv_{size}"] for size in (2, 4)]
    assert min(conv) > 95  # "In a small convolutional net ... BatchNorm keeps"
    assert facts["S2"]["noisy_batch_test_6_own"] <= facts["S2"]["none_test_6_own"]
    assert words["S2", "moves_whole"] == "opposite" and words["B10", "held"] == "undecided"
    assert {words["S3", f"shift_{depth}"] for depth in (4, 6)} == {"does not hold"}
    assert {words["S3", f"shift_{depth}"] for depth in (15, 20)} == {"holds"}
    assert words["S5", "l1"] == "holds" and words["S5", "linf"] == "undecided"
    assert {words["S2", f"ahead_{depth}"] for depth in (6, 15)} == {"holds"}
    groups = [facts["R3"][f"test_running_group_{size}"] for size in (2, 4)]
    assert abs(groups[0] - groups[1]) < 0.5  # "keeps 97 % with either"
    low, high = facts["W2"]["through_low"], facts["W2"]["through_high"]
    assert 1 / high < low < high < 3 < facts["W2"]["span"]
    two, four = (facts["R3"][f"test_running_batch_{size}"] for size in (2, 4))
    assert two < four < facts["R3"]["test_running_batch_32"] - 2
    assert facts["R3"]["test_running_group_2"] > facts["R3"]["test_running_batch_renorm_2"] > two


def test_the_text_follows_when_evidence_changes(folder):
    """B8 with equal growth in both chains: the claim is no longer shown, and the page says so."""
    before = the_sum()

    def equal(rows):
        return [[*row[:-1], [row[-1][1], row[-1][1]]] for row in rows]

    change(folder / "B8.json", rows=equal)
    total, _, failed = the_sum()
    assert total != before[0] and re.search(r"Shown in part: [^.]*\bB8\b", total)
    assert "B8: shown in part. Its core holds: " in failed and "B8:" not in before[2]
    assert "B8: shown in part on digits." in str(show.scoreboard())
    found = 'id="claim-B8" data-paper="bjorck2018" data-verdict="shown in part"'
    assert found in show.scoreboard().page


def test_the_prose_follows_when_evidence_changes(folder):
    before = sentences()[0]
    change(folder / "B3.json", rows=lambda rows: [_steeper(row) for row in rows])
    assert sentences()[0] != before


def _steeper(row):
    """The row of a net at its start whose last block varies a hundred times as much."""
    net, seed, convolutions, normalized, blocks, mean = row
    return [net, seed, convolutions, normalized, [*blocks[:-1], 100 * blocks[-1]], mean]


def test_the_text_follows_when_evidence_is_gone(folder):
    (folder / "B8.json").unlink()
    total = the_sum()[0]
    measured = sum(1 for item in claims.CLAIMS.values() if item.measure) - 1
    assert f"9 papers and practitioners, {measured} are" in total
    assert "B8: not measured yet" in str(show.scoreboard())


def test_without_any_evidence_nothing_is_claimed(folder):
    for path in folder.glob("*.json"):
        path.unlink()
    total, failed = str(show.say_sum(SUM)), str(show.say_failed())
    assert total == failed == "No claim is measured on digits yet."
    assert "nothing to compare" in str(show.say_scales()) and "nothing to draw" in str(
        show.scales()
    )
    with pytest.raises(FileNotFoundError, match="nothing to draw"):
        show.forest()
