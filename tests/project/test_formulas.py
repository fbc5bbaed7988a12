"""The room of formulas: as large as they become, for any that the book's pages could have."""

import pytest

from tests.project.repository_files import load_tool

SPAN = '<span class="math notranslate nohighlight">\\({}\\)</span>'


@pytest.fixture(scope="module")
def formulas():
    return load_tool("formulas")


@pytest.mark.parametrize(
    "tex, width",  # as MathJax sets it
    [
        (r"N_1", 3.6),
        (r"(1+\rho)/2", 8.9),
        (r"\sigma", 1.2),
        (r"\lVert g\rVert^2", 5.0),
        (r"x\le1", 6.0),
        (r"\unknown x_1", 4),
    ],
)
def test_the_width_is_about_what_it_becomes(formulas, tex, width):
    assert formulas.measured(tex, display=False)[0] == pytest.approx(width, rel=0.35, abs=0.5)


def test_more_needs_more_room(formulas):
    def high(tex):
        _, height, depth = formulas.measured(tex, display=True)
        return height + depth

    line = "a=b"
    rows = [line, rf"\frac{{{line}}}{{c}}", rf"{line}\\{line}", rf"{line}\\{line}\\{line}"]
    heights = [high(tex) for tex in rows]
    assert heights[0] < heights[1] and heights[0] < heights[2] < heights[3]
    assert high(r"a=b \tag{1}") == pytest.approx(high("a=b"))
    narrow, wide = (formulas.measured(tex, display=False)[0] for tex in ("a", "a+a+a"))
    assert 3 * narrow < wide


class Script:
    def __init__(self, name):
        self.name = name

    def __str__(self):
        return self.name


def page(formulas, body):
    context = {"body": body, "script_files": [Script("site.js"), Script("window.MathJax = {}")]}
    formulas.make_room(None, "page", "page.html", context, None)
    return context["body"], [str(one) for one in context["script_files"]]


@pytest.mark.parametrize("tex", ["x", r"a &lt; b", r"\frac{a}{b}"])
def test_a_formula_keeps_its_words_and_gets_its_room(formulas, tex):
    body, scripts = page(formulas, f"<p>See {SPAN.format(tex)}.</p>")
    assert f"\\({tex}\\)</span>.</p>" in body
    assert 'style="--wide:' in body and "ex;--high:" in body
    assert scripts == ["site.js", "window.MathJax = {}"]


def test_a_page_without_formulas_loads_no_mathjax(formulas):
    assert page(formulas, "<p>See.</p>") == ("<p>See.</p>", ["site.js"])
