"""What is true of every widget on the built site: how it is started, when it has ended."""

from __future__ import annotations

from tests.web.site_server import SITE

PAGES = sorted(
    path.relative_to(SITE).as_posix()
    for path in [*SITE.glob("book/**/*.html"), *SITE.glob("search.html")]
)
VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]'
WIDGETS = [name for name in PAGES if "jupyter.widget-view+json" in (SITE / name).read_text("utf-8")]

GUESS, MAIN = ".bnlab-guess .bnlab-option", ".bnlab-main"

# After ``widget_page.LISTEN``: the worker, where there is one, has nothing left to do.
ENDED = """() => {
  const words = document.querySelector(".bnlab-summary").textContent;
  const ways = [...ends.values()].map(({ type }) => type);
  if (ways.includes("error")) throw new Error("the worker failed");
  const quiet = ends.size > 0 || workers.length === 0;
  return quiet && words !== "" && !/Training begins|hidden until|Press Train/.test(words);
}"""

SEEN = """(selector) =>
  [...document.querySelectorAll(selector)].some((one) => one.checkVisibility())"""

# Formulas are set, widgets are there.
READY = f"""async () => {{
  await globalThis.MathJax?.startup?.promise;
  const many = (selector) => document.querySelectorAll(selector).length;
  return document.readyState === "complete" && many("section.bnlab") === many({VIEW!r});
}}"""
