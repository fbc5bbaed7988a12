"""How this page trains a net: the comparison that the page asks for can be made."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bnlab.lab import Race
from bnlab.train import Run, train
from tests.web.widget_page import load, press, summary, write_once

pytestmark = pytest.mark.web

PAGE = Path(__file__).parents[3] / "book" / "how_this_page_trains.ipynb"
CODE = "\n".join(
    "".join(cell["source"])
    for cell in json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    if cell["cell_type"] == "code"
)


def test_one_step_gives_the_numbers_that_the_page_prints(page, tmp_path, troubles):
    run = eval(re.search(r"^run = (Run\(.*\))$", CODE, re.M).group(1), {"Run": Run})
    race = eval(re.search(r"^(Race\(.*\))$", CODE, re.M).group(1), {"Race": Race})
    assert "compiled {one.loss[k]:.7f}" in CODE
    losses = train(run.replace(steps=2), engine="compiled").loss
    load(page, write_once(tmp_path, race, f"compiled/{race.options['compiled']}.js"))
    for step, loss in enumerate(losses, 1):
        press(page, "One step")
        expect(summary(page)).to_contain_text(f"Paused at step {step} of {run.steps}.")
        expect(summary(page)).to_contain_text(f"batch norm: loss {loss:.7f}, accuracy")
