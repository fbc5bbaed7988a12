"""A time limit gives way to a slow machine, and to nothing else; what draws is never slow."""

import pytest
from playwright.sync_api import expect

from bnlab.lab import GroupSizes, Landscape, Plane, SmallBatches
from tests.web.pace import WORK, longest_task, slowness, within
from tests.web.widget_page import finished, load, press, write_once

pytestmark = pytest.mark.web

LONGEST = 50  # ms
TIMES = f"for (let i = 0; i < count; i++) ({WORK})()"


def test_what_is_fast_is_measured_once(page):
    waits = iter([50.0])
    within(page, 100, lambda: next(waits))


def test_one_of_a_few_tries_is_enough(page):
    waits = iter([1e6, 1e6, 50.0])
    within(page, 100, lambda: next(waits), tries=3)


def test_what_is_slow_by_itself_fails(page):
    with pytest.raises(AssertionError, match=r"not within 100 ms .*: \[\(\d+, .*\), \(\d+, .*\)\]"):
        within(page, 100, lambda: 2000 * slowness(page), tries=2)


def test_the_longest_task_is_found(page):
    page.set_content("<p>A page</p>")
    work = f"count => new Promise((done) => setTimeout(() => {{ {TIMES}; setTimeout(done); }}))"
    assert longest_task(page, lambda: page.evaluate(work, 10)) > LONGEST
    assert longest_task(page, lambda: page.evaluate(work, 0)) < LONGEST


def all_trained(page) -> None:
    press(page, "Train all")
    expect(page.locator(".bnlab-cell-trained, .bnlab-cell-lost")).to_have_count(78)


def trained(page) -> None:
    press(page)
    finished(page)


@pytest.mark.parametrize(
    ("made", "nets", "act"),
    [
        (
            lambda: Landscape(norms=("none", "batch", "l1_batch", "l2_batch", "linf_batch")),
            "nets",
            trained,
        ),
        (lambda: GroupSizes(beside="both"), "groups", trained),
        (lambda: SmallBatches(norms=("batch", "batch_renorm", "group")), "nets", trained),
        (Plane, "squares", all_trained),
    ],
    ids=["landscape", "groups", "small", "plane"],
)
def test_no_task_is_long_while_nets_train(page, tmp_path, troubles, made, nets, act):
    load(page, write_once(tmp_path, made(), f"compiled/{nets}.js"))
    act(page)  # what is compiled the first time is not the drawing
    load(page, tmp_path)
    assert longest_task(page, lambda: act(page)) < LONGEST
