"""A page with one widget in the site's own style, and what can be measured of a stage."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from bnlab import lab
from tests.web.widget_page import ASSETS, load, settle, write_page

NAMES = lab.__all__
UNASKED = ("Family", "Repeat")
"""They hide no outcome: what is claimed, or the verdict, stands beside them."""
SLIDES = [(1280, 720), (1024, 768), (1920, 1080)]
LEAST = 24  # px on a slide of 1280 x 720, which is 18 points

# Visible texts: what is written, its size on the screen, its box. What is for the ear is clipped.
TEXTS = """() => {
  const root = document.querySelector(".bnlab"), found = [];
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const range = document.createRange(), style = { visibilityProperty: true, opacityProperty: true };
  while (walk.nextNode()) {
    const node = walk.currentNode, owner = node.parentElement, text = node.textContent.trim();
    if (!text || !owner.checkVisibility(style) || clipped(owner)) continue;
    range.selectNodeContents(node);
    const { left, top, right, bottom, width } = range.getBoundingClientRect();
    if (width < 1 || owner.closest("option, [hidden]")) continue;
    const { a, b } = owner.ownerSVGElement ? owner.getScreenCTM() : { a: 1, b: 0 };
    const size = Math.hypot(a, b) * parseFloat(getComputedStyle(owner).fontSize);
    found.push({ text, size, left, top, right, bottom });
  }
  return found;
  function clipped(element) {
    for (let one = element; one !== root; one = one.parentElement) {
      if (getComputedStyle(one).clipPath !== "none") return true;
    }
    return false;
  }
}"""


def write_all(folder: Path) -> dict[str, Path]:
    """A folder with a page for each widget of the lab, beside the files that the site has."""
    folders = {}
    for name in NAMES:
        folders[name] = folder / name
        folders[name].mkdir()
        (folders[name] / "_static").symlink_to(ASSETS)
        widget = getattr(lab, name)()
        write_page(folders[name], widget)
        widget.close()
    return folders


def open_in_site(page: Page, folder: Path, query: str = "") -> Page:
    """The page with the widget, in the column and the style of the site."""
    load(page, folder, query)
    page.add_style_tag(path=ASSETS / "site.css")
    page.evaluate("""() => {
      document.querySelector("main").className = "bd-article";
      const widget = document.getElementById("widget"), output = document.createElement("div");
      widget.className = "bnlab-widget";
      output.className = "cell_output";
      widget.replaceWith(output);
      output.append(widget);
    }""")
    settle(page)
    return page


def play(page: Page) -> None:
    """Train to the end, if there is something to train."""
    train = page.get_by_role("button", name="Train", exact=True)
    if train.count():
        train.click()
        at_rest(page)


def at_rest(page: Page) -> None:
    """Until nothing is computed."""
    settle(page)
    page.wait_for_function("""() => {
      const buttons = [...document.querySelectorAll("button")];
      const stop = buttons.find((one) => one.textContent === "Stop");
      return !stop || stop.getAttribute("aria-disabled") === "true";
    }""")
    settle(page)
    settle(page)


def texts(page: Page) -> list[dict]:
    """Every text that can be read in the widget."""
    return page.evaluate(TEXTS)


def resize(page: Page, width: int, height: int) -> None:
    """Another window, when it is drawn."""
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function("size => innerWidth === size", arg=width)
    for _ in range(3):
        settle(page)


def faults_of_stage(page: Page, width: int, height: int) -> list[str]:
    """What is cut, below the fold, or too small for the last row on a slide of this size."""
    scale = min(width / 1280, height / 720)
    over = page.evaluate(
        "(() => { const e = document.querySelector('.bnlab');"
        " return [e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight]; })()"
    )
    faults = [f"overflows by {over}"] if max(over) > 0 else []
    for one in texts(page):
        if one["size"] < scale * LEAST - 0.1:
            faults.append(f"{one['text']!r} has {one['size']:.1f} px")
        if (
            one["left"] < -1
            or one["top"] < -1
            or one["right"] > width + 1
            or one["bottom"] > height + 1
        ):
            faults.append(f"{one['text']!r} is cut")
    small = page.locator(".bnlab-frame:visible").evaluate_all(
        "(all, least) => all.map((e) => e.clientHeight).filter((h) => h < least)", 0.13 * height
    )
    return faults + [f"plots of {small} px"] * bool(small)
