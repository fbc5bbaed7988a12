"""The page on two landscapes: ten lines that agree with the package, and where it is linked."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from bnlab.chapters.two_landscapes import cifar10, landscapes
from bnlab.check import EXERCISES, check
from bnlab.measure import VGG, measure_landscape
from bnlab.train import Run, Trainer

BOOK = Path(__file__).parents[2] / "book"
CELLS = json.loads((BOOK / "two_landscapes.ipynb").read_text(encoding="utf-8"))["cells"]
NAMED = {cell["id"]: "".join(cell["source"]) for cell in CELLS}


def cells(kind):
    return ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == kind]


def test_the_range_by_hand_takes_ten_lines_and_is_the_package_s():
    code, names = NAMED["two-range"], {"copy": __import__("copy"), "torch": torch}
    assert len(code.splitlines()) <= 10
    exec(code, names)
    for norm in ("none", "batch"):
        trainer = Trainer(Run(norm=norm, lr=0.1, steps=3, precision="float64"), "cpu")
        batch = trainer.batch(next(trainer.batches), 1)
        steps = VGG.steps(0.1)
        by_hand = names["loss_range"](trainer.net, cross_entropy, *batch, steps)
        found = measure_landscape(trainer.net, cross_entropy, *batch, steps).loss_range
        assert by_hand == pytest.approx(found, rel=1e-9)


def test_the_band_by_hand_takes_ten_lines_and_is_the_package_s(capsys):
    code = NAMED["two-band"]
    lines = [line for line in code.splitlines() if line]
    assert len(lines) <= 10
    exec(code.replace("steps=100", "steps=11, depth=2"), {})
    printed = re.findall(r": ([\d.]+) nats", capsys.readouterr().out)
    rates = (0.001, 0.01, 0.03, 0.1)
    base = Run(steps=11, depth=2)
    data = landscapes.measure(base, rates, (base.seed,), every=10)
    for norm, said in zip(landscapes.NORMS, printed, strict=True):
        low, high = landscapes.edges(data, norm, rates[1:])
        assert float(said) == pytest.approx((high - low)[0, -1], abs=0.006)


def test_after_one_step_both_agree(capsys):
    names = {"cross_entropy": cross_entropy, "rates": (0.01, 0.03, 0.1), "Run": Run}
    names |= {"Trainer": Trainer, "measure_landscape": measure_landscape}
    exec(NAMED["two-once"], names)
    pairs = re.findall(r"ahead ([\d.]+), reached ([\d.]+)", capsys.readouterr().out)
    assert len(pairs) == 3 and all(one == other for one, other in pairs)


def test_what_one_tries_does_what_the_text_says(capsys):
    names = {"cross_entropy": cross_entropy, "VGG": VGG, "measure_landscape": measure_landscape}
    trainer = Trainer(Run(norm="batch"), "cpu")
    first = next(trainer.batches)
    names["x"], names["y"] = trainer.batch(first, 1)
    trainer.update(first, 1)
    exec(NAMED["two-try"], {**names, "trainer": trainer})
    out = capsys.readouterr().out
    ranges = re.findall(r": ([\d.]+)$", out, re.M)
    assert len(set(ranges)) == 4  # "gets another number"
    assert "beyond this grid's cap" in out  # what the paper's grid does not have


def test_length_and_cells_fit_a_page():
    text = "\n\n".join(cells("markdown"))
    for pattern in (r"<details>.*?</details>", r"\$\$.*?\$\$", r"\$.*?\$", r"`[^`]*`"):
        text = re.sub(pattern, " ", text, flags=re.S)
    assert 900 <= len(re.sub(r"\]\([^)]*\)", "]", text).split()) <= 1400
    shown = [c for c in CELLS if c["cell_type"] == "code" and not c["metadata"]]
    for cell in shown:
        lines = "".join(cell["source"]).splitlines()
        assert len(lines) <= 12 and max(map(len, lines)) <= 76
    imports = re.findall(r"^(?:from|import) ([\w.]+)", "\n".join(cells("code")), re.M)
    assert {name.split(".")[0] for name in imports} <= {"bnlab", "torch", "copy", "sys"}


def test_prose_states_no_measured_number():
    code = "\n".join(cells("code"))
    for paragraph in "\n\n".join(cells("markdown")).split("\n\n"):
        if "arXiv" in paragraph or paragraph.startswith(("`(0.9", "```")):
            continue  # the paper's own numbers, and the solution
        for number in re.findall(r"\d+\.\d+|\d+ ?%", re.sub(r"\*\*1\..*", "", paragraph)):
            assert number in code, f"{number!r} in: {paragraph[:90]}"


def test_exercises_have_their_checks_and_chapter_05_leads_here():
    used = set(re.findall(r'check\("(2L\.\d)"', "\n".join(cells("code"))))
    assert used == {name for name in EXERCISES if name.startswith("2L.")} and len(used) == 2
    assert "two_landscapes.ipynb" in (BOOK / "05_smoothness.ipynb").read_text(encoding="utf-8")


def test_the_solution_of_the_second_exercise_passes():
    names = {"np": np}
    exec(re.search(r"```python\n(.*?)```", NAMED["two-end"], re.S).group(1), names)
    assert check("2L.2", names["band"]).passed


def test_the_stored_measurement_is_the_one_that_its_module_makes():
    data = cifar10.stored()
    assert Run.from_dict(data["base"]) == cifar10.BASE
    assert data["rates"] == list(cifar10.RATES) and data["seeds"] == list(landscapes.SEEDS)
    assert data["looks"] == list(range(0, cifar10.BASE.steps, cifar10.EVERY))
    assert len(data["rows"]) == 2 * len(data["rates"]) * len(data["seeds"])
    assert "CIFAR-10" in data["images"] and landscapes.lost(data) == 0


def test_what_the_page_says_of_photographs_still_follows_from_the_measurement():
    data = cifar10.stored()
    found = landscapes.facts(data)
    for name, (low, high) in cifar10.PREDICTED.items():
        assert not low <= found[name] <= high  # "All three predictions fail"
    assert (landscapes.band_ratio(data, "low") > 1).all()
    assert (landscapes.band_ratio(data, "high") > 1).all()  # "over the three largest rates both"
    for lr in data["rates"][:3]:
        assert (landscapes.range_ratio(data, lr) < 1).all()
    assert (landscapes.band_ratio(data, "top") < 1).all()  # "over the two largest they disagree"
    assert (landscapes.range_ratio(data, data["rates"][3]) > 1).all()
    half = len(data["looks"]) // 2
    early = {
        lr: landscapes.curves(data, "none", lr, "loss")[:, :half].mean() for lr in data["rates"]
    }
    assert max(early, key=early.get) == data["rates"][-1]  # "learns most slowly of its four"
