"""Chapter 09 says what its widget shows: the things to try."""

import json
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from bnlab.lab import Mimic
from tests.web.trained_page import LISTEN, newest
from tests.web.widget_page import finished, load, pick, press, write_once

pytestmark = pytest.mark.web

CHAPTER = Path(__file__).parents[3] / "book" / "09_mimicnorm.ipynb"
NETS = ("none", "weight_mean", "last_norm", "mimic", "batch")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    widget = Mimic(NETS, depth=12, lr=0.3, predict=True)  # as the chapter's cell makes it
    return write_once(tmp_path_factory.mktemp("chapter_09"), widget, "compiled/mimic.js")


def text():
    cells = json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells)


def revealed(page: Page, folder: Path, query: str = "") -> dict[str, tuple[float, float]]:
    """Open a link, guess, reveal; loss and accuracy of each net at the end."""
    load(page, folder, query)
    pick(page, "Which one ends", "MimicNorm")
    press(page, "Reveal")
    finished(page)
    return {
        name: (net["loss"][-1][1], net["accuracy"][-1][1]) for name, net in newest(page).items()
    }


def test_the_widget_is_the_chapter_s():
    assert "nets = (" + ", ".join(f'"{name}"' for name in NETS) + ")" in text()
    assert "Mimic(nets, depth=12, lr=0.3, predict=True)" in text()


def test_twelve_layers_at_a_large_rate_and_at_a_smaller_one(page, folder, troubles):
    page.add_init_script(LISTEN)
    nets = revealed(page, folder)
    batch_loss, batch = nets["batch"]
    for name in ("last_norm", "mimic"):  # "two nets are as accurate as BatchNorm"
        loss, accuracy = nets[name]
        assert accuracy > batch - 0.03
        assert loss > 0.25 > 2 * batch_loss  # "their loss stops far above its own"
    assert max(nets["none"][1], nets["weight_mean"][1]) < batch - 0.03
    small = revealed(page, folder, "#mimic?lr=0.1&predict=1")
    apart = [np.ptp([accuracy for _, accuracy in one.values()]) for one in (nets, small)]
    assert apart[1] < apart[0] / 2  # "What is left of the differences?" Little.


def test_thirty_layers_break_it(page, folder, troubles):
    page.add_init_script(LISTEN)
    nets = revealed(page, folder, "#mimic?depth=30&lr=0.03&predict=1")
    assert nets["mimic"][1] < 0.5 < nets["batch"][1]  # "MimicNorm fails"
    assert nets["last_norm"][1] > nets["mimic"][1] + 0.1  # "better without its weight mean"
