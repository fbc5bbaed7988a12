"""The page on the layer itself: its shape, what its cells print, and what one can try."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from bnlab.chapters.the_layer import noise, noise_figures
from bnlab.verdicts.interval import interval
from tests.book.test_chapters import code_lines, prose, said, tagged

BOOK = Path(__file__).parents[2] / "book"
PAGE = BOOK / "the_layer.ipynb"
CELLS = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
NAMED = {cell["id"]: "".join(cell["source"]) for cell in CELLS}
RUNNING = (  # cells that train nothing long, in their order
    "layer-forward",
    "layer-check",
    "layer-backward",
    "layer-consequences",
    "layer-fold",
    "layer-fold-check",
    "layer-freeze",
    "layer-try-one",
    "layer-try-two",
)


def outputs(capsys, changes=()):
    """What the cells print, by their names, after some replacements in them."""
    names, found = {"torch": torch}, {}
    for name in RUNNING:
        source = NAMED[name]
        for cell, old, new in changes:
            if cell == name:
                assert source.count(old) == 1, f"{old!r} is not what the cell has"
                source = source.replace(old, new)
        exec(source, names)
        found[name] = capsys.readouterr().out
    return found


def numbers(text):
    return [float(one) for one in re.findall(r"\d+\.?\d*(?:e[+-]\d+)?", text)]


def test_the_title_asks_and_the_answer_comes_first():
    assert re.fullmatch(r"# .*\?", NAMED["layer-title"])
    assert [cell["id"] for cell in CELLS[1:4]] == ["layer-title", "layer-short", "layer-takes"]
    assert "show.in_short(" in NAMED["layer-short"]
    assert NAMED["layer-takes"].startswith("**Takes**")
    for part in ("## Things to try", "## Take-away", "For the lecturer", "## References"):
        assert part in prose(PAGE)


def test_length_and_cells_fit_a_page():
    assert 1200 <= len(f"{prose(PAGE)} {said(PAGE)}".split()) <= 1800
    for cell in CELLS:
        if cell["cell_type"] == "code" and "remove-input" not in cell["metadata"].get("tags", []):
            lines = "".join(cell["source"]).splitlines()
            assert len(lines) <= 12
            if cell["id"] != "layer-install":
                assert max(map(len, lines)) <= 76, cell["id"]
    assert all(len(code_lines(source)) <= 10 for source in tagged(PAGE, "teaching"))


def test_prose_states_no_measured_number():
    code = "\n".join(NAMED[c["id"]] for c in CELLS if c["cell_type"] == "code")
    for paragraph in prose(PAGE).split("\n\n"):
        if "arXiv" not in paragraph:
            for number in re.findall(r"\d+\.\d+|\d+ ?%", paragraph):
                assert number in code, f"{number!r} in: {paragraph[:90]}"


def test_links_lead_to_pages_and_one_leads_here():
    for target in re.findall(r"\]\(([\w/]+\.(?:ipynb|md))\)", "\n".join(NAMED.values())):
        assert (BOOK / target).is_file(), target
    pages = [*BOOK.glob("*.ipynb"), *BOOK.glob("*.md")]
    others = (page.read_text(encoding="utf-8") for page in pages if page != PAGE)
    assert any("(the_layer.ipynb)" in text for text in others)


def test_comparisons_show_rounding_and_traps_do_not(capsys):
    out = outputs(capsys)
    assert max(numbers(out["layer-check"])) < 1e-5  # "shows only rounding"
    assert max(numbers(out["layer-backward"])) < 1e-5
    evaluated, trained = numbers(out["layer-fold-check"])
    assert evaluated < 1e-5 and trained > 0.05  # "in training mode the net is another function"


def test_what_follows_is_what_the_cell_prints(capsys):
    """ "The net computes the same, and the gradient of w is a tenth." """
    out = outputs(capsys)["layer-consequences"]
    before, after = np.reshape(numbers(out), (2, 4))
    assert after[0] == pytest.approx(before[0], abs=2e-4)
    assert after[1] == pytest.approx(before[1] / 10, rel=0.01)
    for loss, size, along, bias in (before, after):
        assert along < 1e-3 * size and bias < 1e-5 * loss


def test_descent_makes_weights_before_it_longer():
    """ "By Pythagoras, each step of plain gradient descent therefore makes w longer." """
    torch.manual_seed(0)
    linear, norm = torch.nn.Linear(20, 5).double(), torch.nn.BatchNorm1d(5, eps=1e-12).double()
    x, wanted = torch.randn(64, 20).double(), torch.randn(64, 5).double()
    for _ in range(20):
        loss = (norm(linear(x)) - wanted).square().mean()
        (slope,) = torch.autograd.grad(loss, linear.weight)
        before = linear.weight.detach().norm(dim=1)
        linear.weight.data -= 0.1 * slope
        after = linear.weight.detach().norm(dim=1)
        assert (after > before).all()
        expected = (before.square() + (0.1 * slope).norm(dim=1).square()).sqrt()
        torch.testing.assert_close(after, expected)


def test_only_both_switches_freeze_the_layer(capsys):
    lines = outputs(capsys)["layer-freeze"].splitlines()
    assert lines[0].startswith("True False") and "running_mean" in lines[0]
    assert "weight" not in lines[0]  # "no parameter moves"
    assert lines[1].startswith("False True") and "weight" in lines[1]
    assert "running" not in lines[1]
    assert lines[2] == "True True []"


def test_a_batch_of_one_breaks_it(capsys):
    out = outputs(capsys)["layer-try-one"]
    assert out.count("nan") == 5 and "[[0., 0., 0., 0., 0.]]" in out  # beta is zero there
    with pytest.raises(ValueError, match="more than 1 value"):
        torch.nn.BatchNorm1d(5)(torch.randn(1, 5))


def test_without_the_subtractions_a_constant_runs_away_and_with_them_it_stays(capsys):
    losses, sizes = np.reshape(numbers(outputs(capsys)["layer-try-two"]), (4, 3)).T[1:]
    assert np.ptp(losses) < 1e-3 and sizes[3] > 2 * sizes[1] > 10
    new = "batch_norm(shifted, gamma, beta, running, True)"
    assert f"`cut(shifted)` by `{new}`" in NAMED["layer-try-two-words"]
    out = outputs(capsys, [("layer-try-two", "cut(shifted)", new)])["layer-try-two"]
    assert np.reshape(numbers(out), (4, 3))[:, 2].max() < 1e-3


def test_train_in_the_loop_thaws_the_layer(capsys):
    assert "`net.train()` as the first line of the loop over 20 steps" in NAMED["layer-end"]
    line = "    for _ in range(20):\n"
    change = ("layer-freeze", line, f"{line}        net.train()\n")
    last = outputs(capsys, [change])["layer-freeze"].splitlines()[-1]
    assert last.startswith("True True") and "running_mean" in last


def test_what_the_page_says_of_noise_follows_from_the_measurement():
    data = noise.stored()
    found, own = noise_figures.differences(data), noise_figures.own_rates(data)

    def mean(ghost, name, lr=noise.SAME_RATE):
        return noise_figures.score(data, ghost, name, lr).mean()

    by_heart = [mean(ghost, "by_heart") for ghost in noise.GHOSTS]
    tests = [mean(ghost, "test") for ghost in noise.GHOSTS]
    # "the fewer images share a mean, the less is learned by heart, and the better the net tests"
    assert by_heart == sorted(by_heart, reverse=True) and tests == sorted(tests)
    # "With a smaller one it learns few wrong labels by heart as well, most of the gain is gone"
    assert own[64] < noise.SAME_RATE and mean(64, "by_heart", own[64]) < 0.2
    assert found["test_own"].mean() < 0.5 * found["test_same"].mean()
    # "still passes our margin"; "by a point is undecided"
    assert noise_figures.gains(found["test_own"]) == noise_figures.GAINS
    assert noise_figures.gains(found["test_none"]) == noise_figures.UNDECIDED
    assert interval(found["gap_same"])[0] > 0
    assert all(min(noise.RATES) < rate < max(noise.RATES) for rate in own.values())  # no edge
