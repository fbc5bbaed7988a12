"""Profiles in a browser: the curves are bnlab's numbers, and the words are true."""

import itertools
import json
import math
import re

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import Profiles
from bnlab.lab.profiles.profile import QUANTITIES, Setting, profiles
from bnlab.lab.profiles.profile_grid import ProfileGrid
from tests.web.accessibility import violations
from tests.web.pace import within
from tests.web.widget_page import (
    PHONE,
    WIDE,
    Carried,
    alts,
    full_screen,
    group,
    headline,
    load,
    note,
    pick,
    press,
    settle,
    shown,
    summary_text,
    write_once,
    write_page,
)

pytestmark = pytest.mark.web

DEFAULT = "net=residual&depth=18&width=16&group_size=8&norms=none,batch"
STORED = "replay/profiles.js"
ALL = "none,batch,layer,group,instance,rms,scaled_weight_standardization"


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return write_once(tmp_path_factory.mktemp("profiles"), Profiles(), STORED)


@pytest.fixture
def widget(page: Page, folder, troubles):
    """Opens the page."""

    def open_page(query: str = "", theme: str = "light", size=WIDE, where=folder):
        page.set_viewport_size(size)
        load(page, where, query and "#profiles?" + query, theme)
        if "predict=1" not in query:
            page.wait_for_function("document.querySelector('.bnlab-plot').dataset.shown")
        return page

    return open_page


def switch(page, norm):
    group(page, "normalizers").get_by_role("checkbox", name=norm, exact=True).click()
    settle(page)


def lines(page, which):
    """Points [x, y] of each curve of a panel, by normalizer."""
    found = page.locator(".bnlab-plot").nth(which).locator("path.bnlab-curve")
    return {
        name: [tuple(map(float, pair.split(","))) for pair in re.findall(r"[-\d.]+,[-\d.]+", d)]
        for name, d in found.evaluate_all(
            "all => all.map((line) => [line.dataset.norm, line.getAttribute('d')])"
        )
    }


# ---- what is drawn -----------------------------------------------------------------------------


def heights(page, which, log):
    """A function from heights in the panel to values, from two of its ticks."""
    texts = page.locator(".bnlab-plot").nth(which).locator(".bnlab-axes text[text-anchor=end]")
    ticks = texts.evaluate_all("all => all.map((t) => [t.textContent, +t.getAttribute('y')])")
    grid = page.locator(".bnlab-plot").nth(which).locator(".bnlab-grid")
    ys = [float(re.search(r",([-\d.]+)H", g.get_attribute("d"))[1]) for g in grid.all()]
    up = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")

    def number(text):
        power = re.fullmatch("10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)", text)
        exact = 10.0 ** int(power[1].translate(up)) if power else float(text)
        return math.log10(exact) if log else exact

    (v0, y0), (v1, y1) = [(number(ticks[i][0]), ys[i]) for i in (0, -1)]
    return lambda y: v0 + (y - y0) * (v1 - v0) / (y1 - y0)


@pytest.mark.parametrize(
    "setting",
    [
        Setting("residual", "none", 18, 16),
        Setting("plain", "batch", 12, 32),
        Setting("residual", "group", 8, 16, 2),
        Setting("plain", "scaled_weight_standardization", 8, 16),
    ],
    ids=Setting.key,
)
def test_curves_and_bands_lie_where_the_code_s_numbers_are(widget, setting):
    size = setting.group_size or 8
    page = widget(
        f"net={setting.net}&depth={setting.depth}&width={setting.width}"
        f"&group_size={size}&norms={setting.norm}"
    )
    own = profiles(setting)
    for which, name in enumerate(QUANTITIES):
        log = name != "cosine"
        value = heights(page, which, log)
        line = lines(page, which)[setting.norm]
        assert len(line) == setting.depth
        steps = {round(b[0] - a[0], 0) for a, b in itertools.pairwise(line)}
        assert len(steps) <= 2, "layers stand at equal distances"
        band = page.locator(".bnlab-plot").nth(which).locator(".bnlab-band").get_attribute("d")
        edge = [float(y) for y in re.findall(r",([-\d.]+)", band)]
        low, high = edge[: setting.depth], edge[setting.depth :][::-1]
        for layer, row in enumerate(own[name]):
            drawn = (line[layer][1], low[layer], high[layer])
            for y, wanted in zip(drawn, row, strict=True):
                wanted = math.log10(wanted) if log else wanted
                scale = abs(value(1) - value(0))  # of a pixel; paths have a tenth of one
                assert abs(value(y) - wanted) < 0.2 * scale + 1e-3


def test_opening_draws_at_once_what_the_stored_numbers_say(widget):
    page = widget()
    assert shown(page) == {DEFAULT}
    expect(page.get_by_text("replay: stored results of the same code")).to_be_visible()
    own = {norm: profiles(Setting("residual", norm, 18, 16)) for norm in ("none", "batch")}
    grown = re.fullmatch(
        r"Over 18 blocks the signal grows ([\d,]+) times without a normalizer, "
        r"([\d.]+) times with batch norm\.",
        headline(page),
    )
    for number, norm in enumerate(("none", "batch")):
        ratio = own[norm]["variance"][-1][0] / own[norm]["variance"][0][0]
        assert float(grown[number + 1].replace(",", "")) == pytest.approx(ratio, rel=0.06)
    for norm, label in (("none", "no normalizer"), ("batch", "batch norm")):
        growth = own[norm]["variance"][-1][0] / own[norm]["variance"][0][0]
        cosine = own[norm]["cosine"][-1][0]
        told = re.search(rf"{label}: × ([\d.,]+), (\d\.\d+)", summary_text(page))
        assert float(told[1].replace(",", "")) == pytest.approx(growth, rel=0.06)
        assert float(told[2]) == pytest.approx(cosine, abs=0.006)
        told = re.search(rf"{label}: ([\d.]+) in block 1, ([\d.]+) in block 18", alts(page)[2])
        gradients = own[norm]["gradient_norm"]
        assert float(told[1]) == pytest.approx(gradients[0][0], rel=0.06)
        assert float(told[2]) == pytest.approx(gradients[-1][0], rel=0.06)


CHANGES = {
    "net": ("net", "plain", "net=plain"),
    "depth": ("depth", "4", "depth=4"),
    "width": ("width", "64", "width=64"),
    "group size": ("group size", "2", "group_size=2"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_control_changes_the_curves(widget, name):
    page = widget("norms=none,group")
    before, words, texts = lines(page, 0), summary_text(page), [alts(page)[i] for i in range(3)]
    label, value, key = CHANGES[name]
    pick(page, label, value)
    assert all(key in one for one in shown(page)) and len(shown(page)) == 1
    after = lines(page, 0)
    changed = {norm for norm in after if after[norm] != before[norm]}
    assert "group" in changed
    assert summary_text(page) != words
    assert all(alts(page)[i] != texts[i] for i in range(3))


def test_group_size_is_offered_where_it_matters(widget):
    page = widget()
    expect(group(page, "group size")).to_be_hidden()
    switch(page, "group")
    expect(group(page, "group size")).to_be_visible()
    before = lines(page, 1)
    pick(page, "group size", "1")
    after = lines(page, 1)
    assert after["group"] != before["group"] and after["batch"] == before["batch"]
    assert "group norm (group size 1)" in summary_text(page)


def test_normalizers_are_added_and_taken_away(widget):
    page = widget()
    switch(page, "layer")
    assert set(lines(page, 1)) == {"none", "batch", "layer"}
    switch(page, "none")
    switch(page, "batch")
    assert set(lines(page, 1)) == {"layer"}
    switch(page, "layer")
    assert set(lines(page, 1)) == {"layer"}
    expect(note(page)).to_have_text("Not changed: at least 1 must stay chosen.")
    assert group(page, "normalizers").get_by_role("checkbox", name="layer").is_checked()


SELECTORS = ["net", "normalizers", "depth", "width", "group size"]


@pytest.mark.parametrize("name", SELECTORS)
def test_a_change_is_drawn_within_a_tenth_of_a_second(widget, name):
    page = widget(f"norms={ALL}")
    change = """input => new Promise((resolve) => {
      const plot = [...document.querySelectorAll(".bnlab-plot")].at(-1);
      const begun = performance.now();
      new MutationObserver(() => resolve(performance.now() - begun))
        .observe(plot.querySelector("g:nth-of-type(3)"), { childList: true });
      input.click();
    })"""
    inputs = group(page, name).locator("input")
    for which in range(inputs.count() - (name == "normalizers")):  # the last one stays chosen
        one, other = inputs.nth(which), inputs.nth((which + 1) % inputs.count())

        def wait(one=one, other=other) -> float:
            if one.get_attribute("type") == "radio":
                other.check(force=True)
                settle(page)
            return one.evaluate(change)

        within(page, 100, wait)


def test_a_thousand_fast_changes_draw_the_last_one(widget):
    page = widget(f"norms={ALL}")
    page.evaluate("""async () => {
      const all = [...document.querySelectorAll("input[type=radio]")];
      for (let i = 0; i < 1000; i++) {
        all[(i * 7) % all.length].click();
        if (i % 20 === 0) await new Promise(requestAnimationFrame);
      }
      const last = ["plain", "12", "32", "4"];
      for (const input of all.filter((one) => last.includes(one.value))) input.click();
    }""")
    settle(page)
    pick(page, "depth", "12")
    expected = f"net=plain&depth=12&width=32&group_size=4&norms={ALL}"
    assert shown(page) == {expected}
    page.wait_for_function(f"location.hash.includes('{expected}')")


# ---- guess first -------------------------------------------------------------------------------


def guess(page, name):
    page.locator(".bnlab-guess").get_by_role("radio", name=name).click()


def test_predict_first_hides_the_curves_until_a_guess(widget):
    page = widget("predict=1")
    expect(page.locator(".bnlab-guess")).to_be_visible()
    assert page.locator(".bnlab-curve[data-norm]").count() == 0 and shown(page) == {""}
    assert "hidden" in summary_text(page) and "nothing is drawn yet" in alts(page)[0]
    page.get_by_role("button", name="Reveal").dispatch_event("click")  # it is off
    settle(page)
    expect(page.locator(".bnlab-guess")).to_be_visible()
    guess(page, "batch norm")
    press(page, "Reveal")
    expect(page.locator(".bnlab-guess")).to_be_hidden()
    expect(page.locator(".bnlab-verdict")).to_have_text(
        re.compile(
            r"Guess: batch norm\. Not right: the variance grows most with no normalizer "
            r"\(no normalizer × [\d,]+; batch norm × [\d.]+\)\."
        )
    )
    assert shown(page) == {DEFAULT}


def test_a_right_guess_and_a_new_question(widget):
    page = widget("predict=1&net=plain&norms=batch,layer")
    guess(page, "none of them doubles it")
    press(page, "Reveal")
    expect(page.locator(".bnlab-verdict")).to_contain_text(
        "Right: the variance doubles in none of them"
    )
    pick(page, "depth", "4")
    expect(page.locator(".bnlab-guess")).to_be_visible()
    expect(page.locator(".bnlab-verdict")).to_be_empty()
    assert page.locator(".bnlab-guess input:checked").count() == 0
    assert shown(page) == {""}
    page.get_by_role("checkbox", name="Predict first").click()
    settle(page)
    assert shown(page) == {"net=plain&depth=4&width=16&group_size=8&norms=batch,layer"}


# ---- keyboard, links, full screen --------------------------------------------------------------


def test_all_works_by_keyboard(widget):
    page = widget()
    group(page, "net").get_by_role("radio", name="residual").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")  # group
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    settle(page)
    keys = "net=plain&depth=12&width=32&group_size=4&norms=none,batch,group"
    assert shown(page) == {keys}
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # predict first
    expect(page.locator(".bnlab-guess")).to_be_visible()
    page.keyboard.press("Tab")  # Reveal
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    settle(page)
    assert shown(page) == {keys}
    expect(page.locator(".bnlab-verdict")).to_contain_text("Guess: no normalizer.")


def test_state_is_written_and_restored(widget, page):
    page = widget()
    pick(page, "net", "plain")
    switch(page, "group")
    pick(page, "group size", "16")
    pick(page, "depth", "8")
    pick(page, "width", "64")
    query = "net=plain&depth=8&width=64&group_size=16&norms=none,batch,group"
    page.wait_for_function(f"location.hash === '#profiles?{query}&predict=0'")
    words, curves = summary_text(page), [lines(page, i) for i in range(3)]
    address = page.evaluate("location.href")
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_function("document.querySelector('.bnlab-plot')?.dataset.shown")
    assert shown(page) == {query}
    assert summary_text(page) == words and [lines(page, i) for i in range(3)] == curves


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("depth=5", "depth=5 is not one of 4, 8, 12, 18"),
        ("net=resnet", "net=resnet is not one of residual, plain"),
        ("norms=none,bach", "norms=none,bach is not one or more of none, batch"),
        ("norms=", "norms= is not one or more of"),
        ("width=17", "width=17 is not one of 16, 32, 64"),
        ("colour=1", "colour=1 means nothing here"),
        ("predict=2", "predict=2 means nothing here"),
    ],
)
def test_bad_links_are_read_in_part_with_a_note(widget, query, said):
    page = widget(query)
    expect(note(page)).to_contain_text(f"The link was read in part: {said}")
    assert shown(page) == {DEFAULT}


@pytest.mark.parametrize("query", [f"norms={ALL}", f"norms={ALL}&net=plain&depth=4", "predict=1"])
def test_full_screen_has_large_type_and_fits(widget, query):
    page = widget(query)
    if "predict" in query:
        guess(page, "no normalizer")
        press(page, "Reveal")
        expect(page.locator(".bnlab-verdict")).to_contain_text("Guess: no normalizer.")
    full_screen(page)
    root = page.locator(".bnlab")
    fits, size, height = root.evaluate(
        "e => [e.scrollHeight <= e.clientHeight && e.scrollWidth <= e.clientWidth, "
        "parseFloat(getComputedStyle(e.querySelector('.bnlab-label')).fontSize), "
        "e.querySelector('.bnlab-frame').clientHeight]"
    )
    assert fits and size >= 17 and height >= 200
    page.keyboard.press("Escape")
    expect(root).not_to_have_class(re.compile("bnlab-large"))


QUERIES = ["", f"norms={ALL}&net=plain", f"norms={ALL}", "predict=1"]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
def test_fits_and_labels_do_not_cover_each_other(widget, query, size):
    page = widget(query, size=size)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    outside = page.locator(".bnlab *:not(.bnlab-option input)").evaluate_all(
        "(all, width) => all.filter((e) => e.getBoundingClientRect().right > width)"
        ".map((e) => e.outerHTML)",
        size["width"],
    )
    assert outside == []
    for plot in page.locator(".bnlab-plot").all():
        boxes = sorted(
            plot.locator(".bnlab-label").evaluate_all(
                "all => all.map((e) => "
                "[+e.getAttribute('y'), parseFloat(getComputedStyle(e).fontSize)])"
            )
        )
        for (upper, _), (lower, em) in itertools.pairwise(boxes):
            assert lower - upper > em
        frame = plot.bounding_box()
        for label in plot.locator(".bnlab-label").all():
            box = label.bounding_box()
            assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
            assert box["y"] + box["height"] <= frame["y"] + frame["height"] + 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("query", QUERIES)
def test_no_serious_accessibility_problem(widget, theme, query):
    page = widget(query, theme=theme)
    assert violations(page) == []


def test_taking_it_off_the_page_leaves_nothing_behind(widget):
    page = widget()
    assert page.evaluate("listening()") > 0
    page.evaluate("cleanUp()")
    assert page.evaluate("listening()") == 0
    assert page.locator(".bnlab").count() == 0


# ---- what cannot be drawn ----------------------------------------------------------------------


@pytest.fixture
def overflowing(tmp_path):
    """A page whose stored nets without a normalizer overflow in block 3 of 4."""
    grid = ProfileGrid(("residual",), ("none", "batch"), (4,), (16,))
    whole = {name: [[0.5, 0.25, 0.75]] * 4 for name in QUANTITIES}
    forward = [[1e2, 1e2, 1e2], [1e6, 1e5, 1e7], None, None]
    broken = {"variance": forward, "cosine": [[0.5] * 3] * 2 + [None] * 2}
    results = [{**broken, "gradient_norm": [None] * 4}, whole]
    write_once(tmp_path, Profiles(depth=4), STORED)
    path = tmp_path / "_static" / "replay" / "profiles.js"
    text = json.dumps(grid.pack(results))
    path.write_text(f"(globalThis.bnlabReplay ??= {{}}).profiles = {text};\n")
    return tmp_path


def test_an_overflow_ends_the_curve_and_is_said(widget, overflowing):
    page = widget(where=overflowing)
    assert [len(lines(page, i)["none"]) for i in range(3)] == [2, 2, 0]
    assert [len(lines(page, i)["batch"]) for i in range(3)] == [4, 4, 4]
    labels = page.locator(".bnlab-plot").nth(0).locator(".bnlab-label")
    assert labels.all_text_contents() == ["none", "batch"]
    assert "no normalizer: not finite from block 3 on, not finite from block 3 on" in summary_text(
        page
    )
    assert "no normalizer: not finite from block 3 on" in alts(page)[0]
    assert "no normalizer: not finite in any block" in alts(page)[2]
    html = page.locator(".bnlab").evaluate("e => e.outerHTML")
    assert "NaN" not in html and "Infinity" not in html and "undefined" not in html


def test_an_overflow_is_no_growth(widget, overflowing):
    page = widget("predict=1", where=overflowing)
    guess(page, "none of them doubles it")
    press(page, "Reveal")
    expect(page.locator(".bnlab-verdict")).to_contain_text("no normalizer without a finite value")


def test_setting_that_is_not_stored_is_a_sentence(widget, overflowing):
    page = widget(where=overflowing)
    pick(page, "depth", "8")
    expect(note(page)).to_have_text("No stored profile has depth 8; there is 4.")
    assert shown(page) == {""} and summary_text(page) == "Nothing was measured."


def test_missing_file_is_a_sentence(page, tmp_path):
    write_page(tmp_path, Profiles())
    page.goto(f"file://{tmp_path}/index.html")
    page.wait_for_function("globalThis.ready")
    expect(note(page)).to_contain_text("could not be loaded")


# ---- with a kernel -----------------------------------------------------------------------------


class KernelProfiles(Carried, Profiles):
    """A Profiles with a kernel."""


@pytest.fixture
def kernel(page, tmp_path, troubles):
    """A page whose Profiles computes in this Python."""
    widget = KernelProfiles(depth=4)
    assert widget.wait(60)
    widget.connect(page)
    write_page(tmp_path, widget, host=None)
    page.goto(f"file://{tmp_path}/index.html")
    page.wait_for_function("globalThis.ready")
    yield widget
    widget.close()


def idle(kernel, page):
    return lambda: kernel.wait(0) and kernel.outbox.empty()


def test_kernel_draws_what_the_site_draws(kernel, page, widget):
    expect(page.locator(".bnlab-badge")).to_have_text("kernel: PyTorch measures on cpu")
    kernel.pump_until(page, idle(kernel, page))
    settle(page)
    assert shown(page) == {DEFAULT.replace("18", "4")}
    assert page.get_by_role("button", name="Copy link").count() == 0 and "#" not in page.url
    words = [summary_text(page), *(alts(page)[i] for i in range(3))]
    widget("depth=4")
    for own, site in zip(
        words, [summary_text(page), *(alts(page)[i] for i in range(3))], strict=True
    ):
        parts = [re.split(r"(\d[\d.,]*\d|\d)", text) for text in (own, site)]
        assert parts[0][::2] == parts[1][::2]
        numbers = [[float(one.replace(",", "")) for one in part[1::2]] for part in parts]
        assert numbers[0] == pytest.approx(numbers[1], rel=0.02)  # rounding may go either way


def test_kernel_after_many_changes_draws_the_last(kernel, page):
    page.evaluate("""async () => {
      const all = [...document.querySelectorAll("input[type=radio]")]
        .filter((input) => ["residual", "plain", "4", "8", "16", "32"].includes(input.value));
      for (let i = 0; i < 300; i++) {
        all[(i * 7) % all.length].click();
        if (i % 20 === 0) await new Promise(requestAnimationFrame);
      }
    }""")
    pick(page, "net", "plain")
    pick(page, "width", "32")
    pick(page, "depth", "8")
    kernel.pump_until(page, idle(kernel, page), 60)
    settle(page)
    (key,) = shown(page)
    assert key.startswith("net=plain&depth=8&width=32&")
    assert len(lines(page, 0)["batch"]) == 8 and "median of 8 seeds" in summary_text(page)
    page.wait_for_function("model.get('state').depth === 8")
    assert set(page.evaluate("model.get('state')")) == set(kernel.state)


def test_kernel_errors_are_shown(kernel, page):
    page.evaluate("""() => { const real = model.send; model.send = (m) =>
      real({ ...m, state: { ...m.state, depth: 77 } }); }""")
    pick(page, "width", "32")
    kernel.pump_until(page, lambda: "depth must be one of" in note(page).inner_text())


def test_state_set_in_python_moves_the_controls(kernel, page):
    page.evaluate("model.set('state', { ...model.get('state'), net: 'plain', norms: ['group'] })")
    expect(group(page, "net").get_by_role("radio", name="plain")).to_be_checked()
    expect(group(page, "group size")).to_be_visible()
    kernel.pump_until(page, idle(kernel, page))
    settle(page)
    assert set(lines(page, 0)) == {"group"}
