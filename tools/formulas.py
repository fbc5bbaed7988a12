"""Sphinx extension: formulas have their room before MathJax, which only their pages load.

Raw TeX is longer than the formula, or shorter: without this, what stands below it moves when it is
set. Matplotlib measures formulas in the same typeface; ``assets/site.css`` uses the numbers.
"""

import html
import re
from functools import cache

from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser

FORMULA = re.compile(
    r'<(span|div) class="(math[ \w-]*)"([^>]*)>\s*\\([(\[])(.*?)\\[)\]]\s*</\1>', re.S
)
SIZE = 10  # points, in which matplotlib measures
EX = 0.442 * SIZE  # MathJax makes the height of an x that of the text around it

# What matplotlib does not know, as something of the same size.
SAME_SIZE = (
    (r"\\(?:tag|label)\{[^}]*\}", ""),
    (r"\\[bB]ig[lrg]?(?![a-z])", ""),
    (r"\\[lr]Vert", r"\\Vert "),
    (r"\\[lr]vert", "|"),
    (r"\\tfrac", r"\\frac"),
    (r"\\math(?:bb|sf) *(\w)", r"\\mathrm{\1}"),
    (r"\\operatorname\*", r"\\operatorname"),
    (r"\\([gl])e(?![a-z])", r"\\\1eq "),
    (r"\\(sqrt|overline) *(\w|\\[a-z]+)", r"\\\1{\2}"),
    (r"\\frac *(\d)", r"\\frac{\1}"),
    (r"(\\frac\{\d\}) *(\w)", r"\1{\2}"),
    (r"\\begin\{\w+\}(\{\w+\})?|\\end\{\w+\}|&", ""),
)
parse = MathTextParser("path").parse
FONT = FontProperties(size=SIZE, math_fontfamily="cm")


def measured(tex: str, display: bool) -> tuple[float, float, float]:
    """Width, height and depth of a formula, as multiples of the height of an x around it."""
    for pattern, same in SAME_SIZE:
        tex = re.sub(pattern, same, tex)
    if display:
        tex = tex.replace(r"\frac", r"\dfrac")
    rows = [row.replace("\n", " ").strip() for row in tex.split(r"\\")]
    sizes = [_row(row) for row in rows if row]
    width, gaps = max(size[0] for size in sizes), 0.4 * SIZE * (len(sizes) - 1)
    height, depth = sizes[0][1], sum(size[1] + size[2] for size in sizes) - sizes[0][1] + gaps
    return width / EX, height / EX, depth / EX


@cache
def _row(tex: str) -> tuple[float, float, float]:
    try:
        found = parse(f"${tex}$", dpi=72, prop=FONT)
    except ValueError:
        letters = len(re.findall(r"\\[a-zA-Z]+|[^{}^_\s]", tex))
        return 0.5 * SIZE * letters, 0.8 * SIZE, 0.2 * SIZE
    return found.width, found.height - found.depth, found.depth


def _with_room(found: re.Match) -> str:
    tag, kinds, rest, bracket, tex = found.groups()
    display = bracket == "["
    width, height, depth = measured(html.unescape(tex).strip(), display)
    room = f"--wide:{width:.2f}ex;--high:{height + depth:.2f}ex;--deep:{depth:.2f}ex"
    closing = ")]"[display]
    return f'<{tag} class="{kinds}" style="{room}"{rest}>\\{bracket}{tex}\\{closing}</{tag}>'


def make_room(app, pagename, templatename, context, doctree):
    """Write the sizes of a page's formulas into it; a page without any does not load MathJax."""
    body = context.get("body", "")
    context["body"] = FORMULA.sub(_with_room, body)
    if 'class="math ' not in body:
        kept = [file for file in context["script_files"] if "mathjax" not in str(file).lower()]
        context["script_files"] = kept


def setup(app):
    """Connect to Sphinx, after MathJax has put its scripts there."""
    app.connect("html-page-context", make_room, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
