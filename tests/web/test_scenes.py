"""Every scene of every page is played as a lecturer does, and shows what its sentence says."""

import pytest
from playwright.sync_api import Page, expect

from bnlab.chapters import scenes_of
from bnlab.lab import Race
from tests.web import scenes_seen
from tests.web.scene_pages import code_of, pages, play, stored_for, widget_on, words
from tests.web.widget_page import (
    LISTEN,
    full_screen,
    group,
    load,
    press,
    settle,
    write_once,
    write_page,
)

pytestmark = pytest.mark.web

PAGES = pages()


@pytest.fixture(scope="module")
def race(tmp_path_factory):
    widget = widget_on(PAGES["learning_rates"])
    return write_once(tmp_path_factory.mktemp("scenes"), widget, *stored_for(widget))


def large(page, folder, query=""):
    load(page, folder, query)
    full_screen(page)
    return page


@pytest.mark.parametrize("name", PAGES)
def test_each_scene_shows_what_its_sentence_says(page: Page, tmp_path, troubles, name):
    page.emulate_media(reduced_motion="reduce")
    widget, found = widget_on(PAGES[name]), scenes_of(name)
    assert widget.options.get("name", widget.options.get("replay")) == found.WIDGET
    expected, shared = scenes_seen.SEEN[name], {}
    page.add_init_script(LISTEN)
    large(page, write_once(tmp_path, widget, *stored_for(widget)))
    for number, (scene, (answer, check)) in enumerate(zip(found.SCENES, expected, strict=True), 1):
        play(page, number, scene, answer)
        if check:
            check(page, shared)


@pytest.mark.parametrize("name", PAGES)
def test_the_links_in_the_text_are_printed_from_the_scenes(name):
    assert [one for one in code_of(PAGES[name]) if f'show.scenes("{name}")' in one]


def marked(page):
    """The scene that the strip marks, from 1; 0 if none."""
    marks = page.locator(".bnlab-scene").all()
    return sum(k for k, one in enumerate(marks, 1) if one.get_attribute("aria-current") == "step")


def test_keys_go_on_and_back_and_stay_at_the_ends(page: Page, race, troubles):
    large(page, race)
    seen = []
    for key in ("PageDown", "PageDown", "PageDown", "PageDown", "PageUp", "PageUp", "PageUp"):
        page.keyboard.press(key)
        settle(page)
        seen.append(marked(page))
        assert page.evaluate("document.fullscreenElement !== null")  # nobody leaves the stage
    assert seen == [1, 2, 3, 3, 2, 1, 1]
    for number in (3, 1):
        press(page, f"Scene {number}: {scenes_of('learning_rates').SCENES[number - 1].label}")
        assert marked(page) == number
        assert page.evaluate("document.activeElement.matches('.bnlab')")  # Space is Reveal again


def test_keys_belong_to_the_page_while_the_widget_is_small(page: Page, race, troubles):
    load(page, race)
    expect(page.locator(".bnlab-scenes")).to_be_hidden()
    page.locator(".bnlab").focus()
    for key in ("PageDown", " "):
        page.keyboard.press(key)
        settle(page)
    assert marked(page) == 0 and "Press Train" in page.locator(".bnlab-summary").inner_text()


def test_a_sentence_is_said_of_its_own_state_alone(page: Page, race, troubles):
    large(page, race)
    page.keyboard.press("PageDown")
    settle(page)
    assert words(page)
    page.keyboard.press("c")
    group(page, "batch size").get_by_role("radio", name="16", exact=True).check(force=True)
    settle(page)
    assert words(page) == "" and marked(page) == 1


def test_space_presses_what_has_the_focus(page: Page, race, troubles):
    large(page, race)
    page.keyboard.press("PageDown")
    page.keyboard.press("c")
    settle(page)
    page.get_by_role("checkbox", name="layer", exact=True).focus()
    page.keyboard.press(" ")
    settle(page)
    assert page.evaluate("document.querySelector('input[value=layer]').checked")
    assert page.locator(".bnlab-guess").is_visible()  # and nothing is revealed


@pytest.mark.parametrize("number", [1, 3])
def test_a_link_in_the_text_opens_a_scene_and_the_keyboard_goes_on_there(
    page: Page, race, troubles, number
):
    load(page, race)
    page.evaluate(
        """(number) => document.querySelector("h1").insertAdjacentHTML(
          "afterend", `<a id="link" href="#race?scene=${number}">a scene</a>`)""",
        number,
    )
    lr = scenes_of("learning_rates").SCENES[number - 1].state["lr"]
    for _ in range(2):  # the same link again begins the scene again
        page.locator("#link").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".bnlab-guess")).to_be_visible()
        assert page.evaluate("document.activeElement.matches('.bnlab')")
        assert f"lr={lr:g}&" in still_hash(page)
        page.locator(".bnlab-guess input").first.check(force=True)
        press(page, "Reveal")
        expect(page.locator(".bnlab-summary")).to_contain_text("Finished")


def still_hash(page):
    """The address, when it is written."""
    page.wait_for_function("location.hash.includes('lr=')")
    return page.evaluate("location.hash")


@pytest.mark.parametrize("number", ["0", "4", "x", ""])
def test_a_link_to_no_scene_says_so(page: Page, race, troubles, number):
    load(page, race, f"#race?scene={number}")
    expect(page.locator(".bnlab-note")).to_contain_text("is not there")


def test_a_notebook_follows_the_links_of_its_own_widget(page: Page, race, tmp_path, troubles):
    """As in JupyterLab: no address, several notebooks in one document."""
    widget = Race(norms=("none", "batch"), lr=0.3, depth=12).with_scenes("learning_rates")
    write_page(tmp_path, widget, host=None)
    widget.close()
    load(page, tmp_path)
    page.evaluate("""() => {
      const link = '<a href="#race?scene=2">a scene</a>';
      document.querySelector("main").classList.add("jp-Notebook");
      document.querySelector("main").insertAdjacentHTML("beforeend", link);
      document.body.insertAdjacentHTML("beforeend", `<div class="jp-Notebook">${link}</div>`);
    }""")
    predict = page.get_by_role("checkbox", name="Predict first")
    page.locator("div.jp-Notebook a").click()
    settle(page)
    assert not predict.is_checked() and page.evaluate("model.get('state').predict") is False
    page.locator("main a").click()
    expect(predict).to_be_checked()
    page.wait_for_function("model.get('state').predict")
    assert page.evaluate("document.activeElement.matches('.bnlab')")
