"""While a verdict is repeated the page answers: see test_long_tasks.py."""

import json

import pytest

from bnlab.lab import Repeat
from tests.web.conftest import PATIENCE
from tests.web.repeat_page import measured, saved
from tests.web.test_long_tasks import answers
from tests.web.widget_page import ASSETS, load, settle, write_page

pytestmark = pytest.mark.web

NAME = "B1"  # has the most rows, and the largest nets
REPEAT = "() => document.querySelector('.bnlab-main').click()"
FINISHED = """() => document.querySelector(".bnlab-summary").textContent.startsWith("Finished")
  && document.querySelector(".bnlab-headline").textContent.includes("ended with other weights")"""
JUDGED = """() => document.querySelector(".bnlab-headline").textContent.includes("%s")"""

OPEN = """() => {
  const input = document.querySelector(".bnlab-file"), held = new DataTransfer();
  held.items.add(new File([%s], "result.json"));
  input.files = held.files;
  input.dispatchEvent(new Event("change"));
}"""

MARGIN = """() => {
  const input = document.querySelector(".bnlab-repeat-parts .bnlab-margin");
  input.value = Number(input.value) + 0.001;
  input.dispatchEvent(new Event("change"));
}"""


@pytest.fixture
def opened(browser, tmp_path):
    """A page of all rows of the claim, of few steps each; nothing is loaded yet that trains."""
    widget = Repeat(NAME)
    arms = [{**arm, "steps": 10} for arm in widget.options["arms"]]
    (tmp_path / "_static").symlink_to(ASSETS)
    write_page(tmp_path, widget, arms=arms)
    widget.close()
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    load(page, tmp_path)
    settle(page)
    yield page
    page.close()


def test_no_task_is_long_from_the_press_to_the_verdict(browser, opened):
    assert answers(browser, opened, REPEAT, FINISHED) == []


def test_no_task_is_long_when_a_file_is_opened_or_a_margin_changed(browser, opened):
    text = json.dumps(json.dumps(saved(opened)))
    assert answers(browser, opened, OPEN % text, JUDGED % "By the numbers of the file") == []
    before = measured(opened)
    assert answers(browser, opened, MARGIN, JUDGED % "your margins: ") == []
    assert measured(opened) == before
