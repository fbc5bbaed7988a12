"""Race in a browser: on the site (stored runs) and with a kernel (real trainings)."""

import re

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import Race
from bnlab.lab.race.run import race_run
from bnlab.train import train
from tests.web.accessibility import violations
from tests.web.pace import within
from tests.web.race_page import SMALL, Kernel, offered, write_replay
from tests.web.widget_page import (
    PHONE,
    WIDE,
    alts,
    finished,
    full_screen,
    group,
    load,
    pick,
    press,
    settle,
    shown,
    slider,
    stop_clock,
    summary,
    summary_text,
    write_page,
)

pytestmark = pytest.mark.web

DEFAULT = "lr=0.3&batch_size=64&depth=6&seed=100&norms=none,batch"


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A page with a Race that offers what a small grid of real runs holds."""
    folder = tmp_path_factory.mktemp("site")
    write_replay(folder)
    write_page(folder, Race(steps=SMALL.steps), **offered())
    return folder


@pytest.fixture
def race(page: Page, folder, troubles):
    """Opens the page."""

    def open_page(query: str = "", theme: str = "light", size=WIDE, still: bool = False):
        page.set_viewport_size(size)
        page.emulate_media(reduced_motion="reduce" if still else "no-preference")
        return load(page, folder, query, theme)

    return open_page


def slide(page, name, place):
    """Move a slider to one of its places, counted from 0."""
    slider(page, name).fill(str(place))


def curves(page):
    """Normalizer and path of every curve, in both plots."""
    lines = page.locator(".bnlab-plot path.bnlab-curve")
    return lines.evaluate_all(
        "all => all.map((line) => [line.dataset.norm, line.getAttribute('d')])"
    )


# ---- playing -----------------------------------------------------------------------------------


def half_played(page):
    """Train, with the clock stopped in the middle of the curves."""
    stop_clock(page)
    page.get_by_role("button", name="Train").click()
    page.wait_for_function("globalThis.bnlabReplay")
    page.clock.run_for(600)
    assert 2 < int(page.locator("[data-points]").first.get_attribute("data-points")) < 12


def test_train_plays_the_stored_runs(race):
    page = race()
    expect(page.get_by_text("replay: stored runs of the same code")).to_be_visible()
    expect(page.locator(".bnlab-summary")).to_have_text("Press Train to begin.")
    assert shown(page) == {""}
    half_played(page)
    page.clock.run_for(1000)
    expect(summary(page)).to_contain_text("Finished")
    points = page.locator("[data-points]").evaluate_all("all => all.map((l) => l.dataset.points)")
    assert points == ["12", "12", "4", "4"]
    assert shown(page) == {DEFAULT}


def test_what_is_drawn_is_what_the_code_computes(race):
    page = race("#race?lr=0.1&batch_size=16&depth=2&norms=batch,layer", still=True)
    finished(page)
    words = {"batch": "batch norm", "layer": "layer norm"}
    for norm, word in words.items():
        run = race_run(norm, lr=0.1, batch_size=16, depth=2, seed=100, steps=60)
        history = train(run, device="cpu")
        told = re.search(rf"{word} is at ([\d.]+) at step 60", alts(page)[1])[1]
        assert float(told) == pytest.approx(history.val_accuracy[-1], abs=0.0075)
        told = re.search(rf"{word} is at ([\d.]+) at step 60", alts(page)[0])[1]
        assert float(told) == pytest.approx(history.loss[-5:].mean(), rel=0.08)


def test_first_point_within_a_tenth_of_a_second(race):
    page = race()
    press(page, "Train")
    finished(page)
    change = """() => new Promise((resolve) => {
      const plot = document.querySelector(".bnlab-plot"), before = plot.dataset.shown;
      const begun = performance.now();
      const drawn = () => !["", before].includes(plot.dataset.shown);
      new MutationObserver(() => drawn() && resolve(performance.now() - begun))
        .observe(plot, { attributes: true, attributeFilter: ["data-shown"] });
      const input = document.querySelector("input[type=range]");
      input.value = (Number(input.value) + 1) % 15;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    })"""
    within(page, 100, lambda: page.evaluate(change))


def test_with_reduced_motion_all_is_shown_at_once(race):
    page = race(still=True)
    stop_clock(page)
    page.get_by_role("button", name="Train").click()
    expect(summary(page)).to_contain_text("Finished")


def test_stop_says_at_which_step(race):
    page = race()
    half_played(page)
    page.get_by_role("button", name="Stop").click()
    expect(summary(page)).to_have_text(re.compile(r"Stopped at step \d+ of 60\..*accuracy"))
    before = curves(page), summary_text(page)
    page.clock.run_for(3000)
    assert (curves(page), summary_text(page)) == before


@pytest.mark.parametrize("name", ["batch size (images)", "normalizers"])
def test_a_thousand_fast_changes_draw_the_last_one(race, name):
    direct = race("#race?lr=3&batch_size=64&depth=6&norms=none,batch", still=True)
    finished(direct)
    wanted = curves(direct)
    page = race()
    press(page, "Train")
    page.evaluate(
        """async ([name, changes]) => {
      const range = document.querySelector("input[type=range]");
      const sets = [...document.querySelectorAll("fieldset")];
      const set = sets.find((one) => one.innerText.includes(name));
      const others = [...set.querySelectorAll("input:not([aria-disabled])")];
      for (let i = 1; i <= changes; i++) {
        range.value = i === changes ? 12 : (i * 7) % 15;
        range.dispatchEvent(new Event("input", { bubbles: true }));
        if (i % 3 === 0) others[i % others.length].click();
        if (i % 20 === 0) await new Promise(requestAnimationFrame);
      }
    }""",
        [name, 1000],
    )
    page.locator(".bnlab-option input[value='64']").check(force=True)
    slide(page, "depth (layers)", 1)
    for norm in ("none", "batch"):
        page.locator(f".bnlab-option input[value='{norm}']").set_checked(True, force=True)
    page.locator(".bnlab-option input[value='layer']").set_checked(False, force=True)
    finished(page)
    settle(page)
    assert shown(page) == {DEFAULT.replace("0.3", "3")}
    assert curves(page) == wanted


def test_between_changes_nothing_older_is_drawn(race):
    """In every frame, what is drawn belongs to the controls shown, or nothing is drawn."""
    page = race()
    press(page, "Train")
    finished(page)
    wrong = page.evaluate("""async () => {
      const range = document.querySelector("input[type=range]"), wrong = [];
      const plot = document.querySelector(".bnlab-plot"), output = document.querySelector("output");
      for (let i = 0; i < 60; i++) {
        range.value = (i * 7) % 15;
        range.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise(requestAnimationFrame);
        await new Promise((done) => setTimeout(done));  // this frame's callbacks have all run
        const key = plot.dataset.shown;
        if (key !== "" && !key.startsWith(`lr=${output.textContent}&`)) wrong.push([i, key]);
      }
      return wrong;
    }""")
    assert wrong == []


# ---- controls ----------------------------------------------------------------------------------


def test_controls_by_mouse(race):
    page = race(still=True)
    press(page, "Train")
    group(page, "normalizers").get_by_role("checkbox", name="layer").click()
    pick(page, "batch size (images)", "16")
    slide(page, "depth (layers)", 0)
    box = slider(page).bounding_box()
    page.mouse.click(box["x"] + box["width"] - 6, box["y"] + box["height"] / 2)
    expect(page.locator(".bnlab-plot").first).to_have_attribute(
        "data-shown", "lr=10&batch_size=16&depth=2&seed=100&norms=none,batch,layer"
    )


def test_controls_by_keyboard(race):
    page = race(still=True)
    names = group(page, "normalizers")
    names.get_by_role("checkbox", name="layer").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(names.get_by_role("checkbox", name="group")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator(".bnlab-note")).to_have_text("Not changed: group is not stored here.")
    expect(names.get_by_role("checkbox", name="group")).not_to_be_checked()
    slider(page).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    expect(slider(page)).to_have_attribute("aria-valuetext", "0.56")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")  # one seed: nothing to choose
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Train")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".bnlab-plot").first).to_have_attribute(
        "data-shown", "lr=0.56&batch_size=16&depth=2&seed=100&norms=none,batch,layer"
    )


def test_focus_is_seen(race):
    page = race()
    page.keyboard.press("Tab")
    for _ in range(16):
        style = page.evaluate("""() => {
          const now = document.activeElement, face = now.nextElementSibling;
          const seen = face?.classList.contains("bnlab-face") ? face : now;
          return [now.outerHTML.slice(0, 80), getComputedStyle(seen).outlineStyle];
        }""")
        if "<body" in style[0]:
            break
        assert style[1] == "solid", style[0]
        page.keyboard.press("Tab")


def test_a_race_keeps_two_nets(race):
    page = race()
    box = group(page, "normalizers").get_by_role("checkbox", name="batch")
    box.focus()
    page.keyboard.press("Space")
    expect(box).to_be_checked()
    expect(page.locator(".bnlab-note")).to_have_text("Not changed: at least 2 must stay chosen.")


def test_shortcuts_of_jupyterlab_are_kept_away(race):
    page = race()
    bare = page.locator(".bnlab :is(input, button):not([data-lm-suppress-shortcuts='true'])")
    assert bare.count() == 0


def test_legend_switches_curves_by_keyboard(race):
    page = race(still=True)
    press(page, "Train")
    finished(page)
    key = group(page, "curves shown").get_by_role("button", name="none")
    key.focus()
    page.keyboard.press("Enter")
    expect(key).to_have_attribute("aria-pressed", "false")
    expect(key).to_be_focused()
    assert {norm for norm, _ in curves(page)} == {"batch"}
    assert "no normalizer" not in alts(page)[0]
    page.keyboard.press("Space")
    expect(key).to_have_attribute("aria-pressed", "true")
    assert {norm for norm, _ in curves(page)} == {"none", "batch"}


def test_divergence_is_drawn_and_said(race):
    page = race("#race?lr=10", still=True)
    words = re.compile(r"no normalizer: diverged at step (\d+)")
    for plot in page.locator(".bnlab-plot").all():
        expect(plot.locator(".bnlab-label[data-norm=none]")).to_have_text(words)
        expect(plot.locator(".bnlab-cross")).to_have_count(1)
    said = re.compile(r"No normalizer diverged at step \d+; batch norm")
    expect(page.locator(".bnlab-summary")).to_contain_text(said)
    assert re.search(r"no normalizer diverged at step \d+", alts(page)[0])
    assert "NaN" not in page.content().split("</script>")[-1]
    assert "NaN" not in page.locator(".bnlab").inner_html()


# ---- predict first -----------------------------------------------------------------------------


def guess(page, name):
    pick(page, "Which one ends", name)


def test_predict_first_hides_the_outcome_until_a_guess(race):
    page = race(still=True)
    press(page, "Train")
    finished(page)
    page.get_by_label("Predict first").check()
    assert curves(page) == [], "what was drawn is hidden"
    reveal = page.get_by_role("button", name="Reveal")
    expect(reveal).to_have_attribute("aria-disabled", "true")
    expect(page.locator(".bnlab-summary")).to_have_text(
        "The outcome is hidden until a guess is made."
    )
    guess(page, "batch norm")
    expect(reveal).to_have_attribute("aria-disabled", "false")
    assert curves(page) == []
    reveal.click()
    verdict = page.locator(".bnlab-verdict")
    expect(verdict).to_have_text(
        re.compile(
            r"Guess: batch norm\. Right: batch norm ended highest "
            r"\(no normalizer 0\.\d\d; batch norm 0\.\d\d\)\."
        )
    )
    assert {norm for norm, _ in curves(page)} == {"none", "batch"}


def test_a_change_asks_for_a_new_guess(race):
    page = race("#race?predict=1", still=True)
    guess(page, "no normalizer")
    press(page, "Reveal")
    expect(page.locator(".bnlab-verdict")).to_contain_text("Not right: batch norm ended highest")
    slider(page).focus()
    page.keyboard.press("ArrowRight")
    assert curves(page) == []
    expect(page.locator(".bnlab-verdict")).to_be_empty()
    expect(page.get_by_role("button", name="Reveal")).to_have_attribute("aria-disabled", "true")
    expect(group(page, "Which one ends").get_by_role("radio", checked=True)).to_have_count(0)


def test_all_may_fail(race):
    page = race("#race?lr=0.003&batch_size=16&norms=none,layer&depth=6&predict=1", still=True)
    guess(page, "none of them learns")
    press(page, "Reveal")
    expect(page.locator(".bnlab-verdict")).to_contain_text(
        re.compile("Right: no net reached|Not right: ")
    )


def test_predict_by_keyboard_alone(race):
    page = race(still=True)
    page.get_by_label("Predict first").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.get_by_role("button", name="Reveal").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".bnlab-verdict")).to_contain_text("Guess: batch norm.")


# ---- the address -------------------------------------------------------------------------------


def test_state_is_written_and_restored(race):
    page = race()
    slider(page).focus()
    page.keyboard.press("ArrowLeft")
    slide(page, "depth (layers)", 0)
    wanted = "#race?lr=0.18&batch_size=64&depth=2&seed=100&norms=none,batch&predict=0"
    page.wait_for_function("wanted => location.hash === wanted", arg=wanted)
    again = race(wanted, still=True)
    expect(slider(again)).to_have_attribute("aria-valuetext", "0.18")
    finished(again)
    assert shown(again) == {wanted[6:].removesuffix("&predict=0")}


def test_a_thousand_changes_are_no_flood_of_addresses(race):
    page = race()
    page.evaluate("""() => {
      globalThis.count = 0;
      const real = history.replaceState.bind(history);
      history.replaceState = (...what) => { count++; real(...what); };
      const range = document.querySelector("input[type=range]");
      for (let i = 0; i < 1000; i++) {
        range.value = i % 15;
        range.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }""")
    page.wait_for_function("location.hash.includes('lr=0.56&')")  # the last one
    assert page.evaluate("count") <= 3


def test_link_scrolls_to_the_widget_and_works_on_hashchange(race):
    page = race()
    page.evaluate("document.querySelector('h1').style.height = '3000px'")
    page.evaluate("location.hash = '#race?lr=1&batch_size=16'")
    expect(slider(page)).to_have_attribute("aria-valuetext", "1")
    finished(page)
    expect(page.locator(".bnlab-title")).to_be_in_viewport()


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("lr=0.2", "lr=0.2 is not one of 0.003"),
        ("lr=", "lr= is not one of"),
        ("depth=<b>x</b>", "is not one of 2, 6"),
        ("norms=none", "norms=none is not 2 or more of none, batch, layer"),
        ("norms=none,group", "norms=none,group is not"),
        ("predict=yes", "predict=yes means nothing here"),
        ("colour=red", "colour=red means nothing here"),
        ("__proto__=1", "means nothing here"),
    ],
)
def test_bad_links_are_ignored_with_a_note(race, query, note):
    page = race(f"#race?batch_size=16&{query}", still=True)
    expect(page.locator(".bnlab-note")).to_contain_text(note)
    finished(page)
    assert shown(page) == {DEFAULT.replace("64", "16")}


def test_other_addresses_are_left_alone(race):
    page = race("#a-heading")
    page.wait_for_timeout(500)
    assert page.url.endswith("#a-heading")
    assert curves(page) == []


def test_copy_link(race, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = race()
    stop_clock(page)  # the words go after a while
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Link copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").endswith(f"#race?{DEFAULT}&predict=0")


def test_copy_link_without_clipboard_shows_the_address(race):
    page = race()
    page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }"
    )
    press(page, "Copy link")
    expect(page.get_by_label("link to this state")).to_have_value(re.compile(r"#race\?lr=0\.3&"))


# ---- looks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("predict", [0, 1])
def test_full_screen_has_large_type_and_fits(race, predict):
    page = race(f"#race?norms=none,batch,layer&predict={predict}", still=True)
    if predict:
        pick(page, "Which one ends", "batch norm")
        press(page, "Reveal")
    finished(page)
    full_screen(page)
    root = page.locator(".bnlab")
    fits, size, width = root.evaluate(
        "e => [e.scrollHeight <= e.clientHeight, "
        "parseFloat(getComputedStyle(e.querySelector('.bnlab-plot')).fontSize), e.clientWidth]"
    )
    assert fits and size >= 20 and width == 1280
    press(page, "Leave full screen")
    expect(root).not_to_have_class(re.compile("bnlab-large"))


def test_full_screen_on_a_phone_keeps_the_plots_legible(race):
    page = race("#race?norms=none,batch", still=True)
    page.set_viewport_size({"width": 360, "height": 780})
    finished(page)
    full_screen(page)
    for frame in page.locator(".bnlab-frame").all():
        box = frame.bounding_box()
        assert box["height"] >= 140 and box["x"] + box["width"] <= 360


def test_full_screen_falls_back_to_the_window(race):
    page = race()
    page.evaluate(
        "() => { Element.prototype.requestFullscreen = () => Promise.reject(new Error('no')); }"
    )
    press(page, "Full screen")
    assert page.locator(".bnlab").evaluate("e => e.clientHeight") == 720
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Full screen", exact=True)).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_follow_the_page(race, theme):
    page = race(theme=theme, still=True)
    press(page, "Train")
    finished(page)
    back, line = page.locator(".bnlab").evaluate(
        "e => [getComputedStyle(e).backgroundColor, "
        "getComputedStyle(e.querySelector('.bnlab-curve[data-norm=batch]')).stroke]"
    )
    wanted = {
        "light": ("rgb(255, 255, 255)", "rgb(0, 91, 150)"),
        "dark": ("rgb(20, 24, 30)", "rgb(86, 180, 233)"),
    }
    assert (back, line) == wanted[theme]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("query", ["", "#race?lr=10&norms=none,batch,layer", "#race?predict=1"])
def test_no_serious_accessibility_problem(race, theme, query):
    page = race(query, theme=theme, still=True)
    if "norms" in query:
        finished(page)
    assert violations(page) == []


@pytest.mark.parametrize("query", ["", "#race?lr=10&norms=none,batch,layer", "#race?predict=1"])
def test_fits_a_phone(race, query):
    page = race(query, size=PHONE, still=True)
    if "norms" in query:
        finished(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    inside = page.locator(".bnlab *:not(.bnlab-option input)").evaluate_all(
        "all => all.filter((e) => e.getBoundingClientRect().right > 360).map((e) => e.outerHTML)"
    )
    assert inside == []


BOXES = """plots => plots.map((plot) => [plot.parentElement, ...plot.querySelectorAll(
  ".bnlab-label, .bnlab-chance-text, .bnlab-event-text")].filter((part) => part.textContent)
  .map((part) => part.getBoundingClientRect().toJSON()))"""


@pytest.mark.parametrize("lr", [0.003, 0.3, 10])
def test_labels_cover_none_and_stay_in_their_plot_at_every_size(race, lr):
    page = race(f"#race?lr={lr}&norms=none,batch,layer", still=True)
    finished(page)
    press(page, "Freeze")
    slider(page).press("ArrowLeft" if lr == 10 else "ArrowRight")
    finished(page)
    for width, height in ((1280, 720), (1024, 768), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        settle(page)
        for frame, *boxes in page.locator(".bnlab-plots .bnlab-plot").evaluate_all(BOXES):
            assert boxes
            for i, a in enumerate(boxes):
                assert a["left"] >= frame["left"] and a["right"] <= frame["right"] + 1
                for b in boxes[:i]:
                    apart = (
                        a["right"] <= b["left"] + 1
                        or b["right"] <= a["left"] + 1
                        or abs(a["top"] - b["top"]) > 0.6 * a["height"]
                    )
                    assert apart, (width, a, b)


def test_two_widgets_of_a_page_share_no_names(race):
    page = race()
    page.evaluate("async () => { await show(document.querySelector('main')); }")
    ids = page.locator(".bnlab [id]").evaluate_all("all => all.map((e) => e.id)")
    assert len(ids) == len(set(ids)) > 2
    slider(page).last.press("ArrowRight")
    page.wait_for_function("location.hash.startsWith('#race-2?lr=0.56')")


def test_taking_it_off_the_page_leaves_nothing_behind(race):
    page = race()
    press(page, "Train")
    page.evaluate("cleanUp()")
    assert page.locator(".bnlab").count() == 0
    assert page.evaluate("listening()") == 0
    page.evaluate("location.hash = '#race?lr=1'")
    page.wait_for_timeout(300)


# ---- stored runs that are not there ------------------------------------------------------------


def test_setting_that_is_not_stored_is_a_sentence(page, folder, tmp_path, troubles):
    (tmp_path / "_static").symlink_to(folder / "_static")
    write_page(tmp_path, Race(batch_size=4, steps=60), **{**offered(), "batch_sizes": [4, 16]})
    page.goto(f"file://{tmp_path}/index.html")
    press(page, "Train")
    expect(page.locator(".bnlab-note")).to_have_text("No stored run has batch size 4; there is 16.")
    pick(page, "batch size", "16")
    finished(page)
    expect(page.locator(".bnlab-note")).to_be_empty()


def test_only_what_can_be_chosen_is_offered_instead(page, folder, tmp_path, troubles):
    """Runs with other seeds, longer ones, ones with momentum: a sentence names what there is."""
    (tmp_path / "_static").symlink_to(folder / "_static")
    race = Race(steps=60, seed=101)
    write_page(tmp_path, race, **{**offered(), "seeds": [100, 101, 102]})
    page.emulate_media(reduced_motion="reduce")
    for query, sentence in (
        ("seed=101", "No stored run has seed 101; there is 100."),
        ("seed=100&steps=300", "No stored run has 300 steps; there is 60."),
        ("seed=100&momentum=0.9", "No stored run has momentum 0.9; there is 0."),
        ("seed=100&weight_decay=0.01", "No stored run has weight decay 0.01; there is 0."),
    ):
        load(page, tmp_path, f"#race?{query}")
        expect(page.locator(".bnlab-note")).to_have_text(sentence)
    load(page, tmp_path, "#race?seed=100")
    finished(page)
    write_page(tmp_path, race, **{**offered(), "seeds": [101, 102]})
    load(page, tmp_path, "#race?seed=102")
    expect(page.locator(".bnlab-note")).to_have_text("No run of this race is stored.")


def test_runs_of_another_net_are_not_shown(page, folder, tmp_path):
    (tmp_path / "_static").symlink_to(folder / "_static")
    write_page(tmp_path, Race(net="plain"), **offered())
    page.goto(f"file://{tmp_path}/index.html")
    press(page, "Train")
    expect(page.locator(".bnlab-note")).to_have_text(
        "The stored runs have net mlp, this race has plain."
    )


def test_missing_file_is_a_sentence(page, tmp_path):
    write_page(tmp_path, Race(), **offered())
    page.goto(f"file://{tmp_path}/index.html")
    press(page, "Train")
    expect(page.locator(".bnlab-note")).to_contain_text("could not be loaded")


# ---- with a kernel -----------------------------------------------------------------------------


@pytest.fixture
def kernel(page, tmp_path, troubles):
    """A page whose Race trains in this Python."""
    race = Kernel(norms=("none", "batch"), steps=300)
    race.wait(60)
    race.connect(page)
    write_page(tmp_path, race, host=None)
    page.goto(f"file://{tmp_path}/index.html")
    page.wait_for_function("globalThis.ready")
    yield race
    race.close()


def test_kernel_trains_and_streams(kernel, page):
    expect(page.locator(".bnlab-badge")).to_have_text(
        f"kernel: PyTorch trains on {kernel.options['device']}; "
        "rounding makes its numbers differ from the page's"
    )
    press(page, "Train")
    kernel.pump_until(page, lambda: "Finished" in summary_text(page))
    assert shown(page) == {DEFAULT}
    assert page.locator("[data-points]").first.get_attribute("data-points") == "60"
    assert page.get_by_role("button", name="Copy link").count() == 0
    assert "#" not in page.url


def test_kernel_stops(kernel, page):
    slide(page, "depth (layers)", 11)
    press(page, "Train")
    kernel.pump_until(page, lambda: len(curves(page)) > 0, at_once=1)  # the end stays away
    press(page, "Stop")
    kernel.pump_until(page, lambda: "Stopped at step" in summary_text(page))
    assert kernel.wait(60)


def test_kernel_after_a_thousand_changes_trains_the_last(kernel, page):
    press(page, "Train")
    page.evaluate("""async () => {
      const range = document.querySelector("input[type=range]");
      for (let i = 1; i <= 1000; i++) {
        range.value = i === 1000 ? 5 : (i * 7) % 15;
        range.dispatchEvent(new Event("input", { bubbles: true }));
        if (i % 20 === 0) await new Promise(requestAnimationFrame);
      }
    }""")
    kernel.pump_until(page, lambda: "Finished" in summary_text(page))
    assert shown(page) == {DEFAULT.replace("0.3", "0.056")}
    assert kernel.wait(60)


def test_kernel_errors_are_shown(kernel, page):
    page.evaluate("toPython({ type: 'train', id: 5, state: {} })")
    press(page, "Train")
    page.evaluate("""() => { const real = model.send; model.send = (m) =>
      real({ ...m, state: { ...m.state, lr: 77 } }); }""")
    press(page, "Train")
    note = page.locator(".bnlab-note")
    kernel.pump_until(page, lambda: "lr must be one of" in note.inner_text())


def test_silent_kernel_is_said_and_may_answer_later(kernel, page):
    page.clock.install()
    press(page, "Train")
    page.clock.fast_forward(9000)
    note = page.locator(".bnlab-note")
    expect(note).to_contain_text("The kernel does not answer")
    page.clock.resume()
    kernel.pump_until(page, lambda: "Finished" in summary_text(page))
    expect(note).to_be_empty()


def test_state_set_in_python_moves_the_controls(kernel, page):
    page.evaluate("model.set('state', { ...model.get('state'), lr: 1, norms: ['batch', 'group'] })")
    expect(slider(page)).to_have_attribute("aria-valuetext", "1")
    expect(group(page, "normalizers").get_by_role("checkbox", name="group")).to_be_checked()


def test_changes_reach_the_state_in_python(kernel, page):
    slider(page).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("model.get('state').lr === 0.56")
    assert set(page.evaluate("model.get('state')")) == set(kernel.state)
    assert SMALL.lrs == tuple(kernel.options["lrs"])
