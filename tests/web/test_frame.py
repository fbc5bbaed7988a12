"""What every widget does in its page: it lands in view, keeps still, follows the reader."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from bnlab import lab
from tests.web.stage_page import NAMES, UNASKED, at_rest, open_in_site, play, write_all
from tests.web.widget_page import load, settle

pytestmark = pytest.mark.web

TRAINING = [name for name in NAMES if name not in (*UNASKED, "Profiles")]
TWO_PLOTS = ["Race", "GroupSizes", "Mimic"]  # more do not fit beside a control


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("frame"))


def view(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})


# ---- sizes and colours of the reader -------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_type_follows_the_size_that_the_reader_set(page: Page, folders, troubles, name):
    page.emulate_media(reduced_motion="reduce")  # a card that comes alive has buttons more
    view(page, 1280, 800)
    open_in_site(page, folders[name])
    sizes = """() => [...document.querySelectorAll(".bnlab, .bnlab :is(p, button, legend, label)")]
      .map((e) => parseFloat(getComputedStyle(e).fontSize))"""
    before = page.evaluate(sizes)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    settle(page)
    assert page.evaluate(sizes) == pytest.approx([2 * size for size in before])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_a_choice_is_seen_in_the_readers_own_colours(page: Page, folders, troubles, name, scheme):
    page.emulate_media(forced_colors="active", color_scheme=scheme)
    open_in_site(page, folders[name])
    faces = page.locator(".bnlab-option input:checked + .bnlab-face:visible")
    others = page.locator(".bnlab-option input:not(:checked) + .bnlab-face:visible")
    back = "all => [...new Set(all.map((e) => getComputedStyle(e).backgroundColor))]"
    chosen, free = faces.evaluate_all(back), others.evaluate_all(back)
    assert len(chosen) == 1 or not chosen
    assert not set(chosen) & set(free)


@pytest.mark.parametrize(("name", "marks"), [("Landscape", "colour"), ("Family", "lit")])
def test_marks_of_colour_stay_in_the_readers_own_colours(
    page: Page, folders, troubles, name, marks
):
    page.emulate_media(forced_colors="active")
    open_in_site(page, folders[name])
    play(page)
    backs = page.locator(f".bnlab-{marks}").evaluate_all(
        "all => all.map((e) => getComputedStyle(e).backgroundColor)"
    )
    paper = page.locator(".bnlab").evaluate("e => getComputedStyle(e).backgroundColor")
    assert backs and paper not in backs
    assert name == "Family" or len(set(backs)) > 5


# ---- nothing jumps -------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", NAMES)
def test_a_slider_stays_under_the_pointer(page: Page, folders, troubles, name, width):
    """Whatever its value is called."""
    view(page, width, 900)
    open_in_site(page, folders[name])
    moved = page.evaluate("""() => {
      const wrong = [];
      for (const input of document.querySelectorAll(".bnlab-slider")) {
        const place = () => {
          const { left, top, width } = input.getBoundingClientRect();
          return [left, top + scrollY, width].join();
        };
        const before = place();
        for (let at = 0; at <= input.max; at++) {
          input.value = at;
          input.dispatchEvent(new Event("input"));
          if (place() !== before) wrong.push([input.labels[0].textContent, at]);
        }
      }
      return wrong;
    }""")
    assert moved == []


@pytest.mark.parametrize("predict", [0, 1])
@pytest.mark.parametrize("name", TRAINING)
def test_the_stage_stays_where_it_is_while_nets_train(page: Page, folders, troubles, name, predict):
    """Headline, note and verdict have their room before they come."""
    view(page, 1280, 900)
    open_in_site(page, folders[name])
    if predict:
        page.get_by_role("checkbox", name="Predict first").check()
        page.locator(".bnlab-guess input[type=radio]").first.check(force=True)
    place = """() => {
      const { top, height } = document.querySelector(".bnlab-stage").getBoundingClientRect();
      return [top + scrollY, height].map(Math.round);
    }"""
    before = page.evaluate(place)
    if predict:
        page.get_by_role("button", name="Reveal", exact=True).click()
        at_rest(page)
    else:
        play(page)
    assert page.evaluate(place) == before


# ---- a phone, a link -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", TWO_PLOTS)
def test_on_a_phone_a_slider_and_the_curves_are_on_one_screen(page: Page, folders, troubles, name):
    """For each slider there is a place on the page from which both are seen, below a header."""
    view(page, 390, 844)
    open_in_site(page, folders[name])
    seen = page.evaluate("""() => [...document.querySelectorAll(".bnlab-slider")]
      .filter((input) => input.checkVisibility()).map((input) => {
        scrollBy(0, input.getBoundingClientRect().top - 150);
        const slider = input.getBoundingClientRect();
        const stage = document.querySelector(".bnlab-stage").getBoundingClientRect();
        return slider.top >= 60 && stage.top >= slider.bottom && stage.bottom <= innerHeight + 1;
      })""")
    assert seen and all(seen)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 720), (1024, 768)])
@pytest.mark.parametrize("name", TRAINING)
def test_a_link_lands_on_the_question(page: Page, folders, troubles, name, width, height):
    """All of the stage is seen, or the widget from its top where the stage is taller."""
    view(page, width, height)
    widget = getattr(lab, name)
    page.add_init_script("""addEventListener("DOMContentLoaded", () => {
      document.documentElement.style.scrollPaddingTop = "4rem";
      const text = "<p style='height: 1500px'>text</p>";
      document.querySelector("h1")?.insertAdjacentHTML("afterend", text);
      document.querySelector("main")?.insertAdjacentHTML("afterend", text);
    })""")
    load(page, folders[name], f"#{stem(page, folders[name], widget)}?predict=1")
    page.wait_for_function("scrollY > 500")
    settle(page)
    top, bottom, height_of = page.locator(".bnlab-guess").evaluate("""(e) => {
      const { top, bottom, height } = e.getBoundingClientRect();
      return [top, bottom, height];
    }""")
    assert top >= 0 and (bottom <= height + 1 or height_of > height - 70)


def stem(page: Page, folder, widget) -> str:
    """The name of the widget in an address."""
    page.goto(f"file://{folder}/index.html")
    page.wait_for_function("globalThis.ready")
    return page.evaluate("model.get('options').name ?? model.get('options').replay")
