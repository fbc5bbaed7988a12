"""Figures as inline SVG that follow the page's theme, with a text that says what they show."""

from __future__ import annotations

import hashlib
import html
import io
import re
import textwrap
from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from bnlab.draw.style import STYLE, color_variables, variables

INK = "#010203"  # stands for the page's text colour until the SVG is written
CSS = (
    ".bnlab-figure{margin:0}"
    # All panels of one size, in full rows, or one below the other: legible on a phone.
    ".bnlab-figure{container-type:inline-size}"
    ".bnlab-panels{display:grid;gap:.6rem;grid-template-columns:repeat(var(--columns),1fr);"
    "max-width:calc(var(--columns)*var(--width))}"
    ".bnlab-panels svg{width:100%;height:auto;background:none}"
    "@container(max-width:34rem){.bnlab-panels{grid-template-columns:minmax(0,27rem)}}"
    ".bnlab-figure figcaption{font-size:.95em;margin-top:.4em}"
) + color_variables(".bnlab-figure")
RC = {
    "svg.fonttype": "none",  # real text: small, sharp, read by screen readers
    "font.family": "sans-serif",
    "font.size": 13,
    "axes.titlesize": 14,
    "axes.titleweight": "bold",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
USUAL_WIDTH = 338.4  # points, of a panel
THIRD = 3.5  # inches: a panel of three in a row, whose letters are legible in a third of a page
LETTERS_AN_INCH = 8.6  # of a title


class Drawing:
    """A finished figure: SVG for the page, and a sentence for readers who cannot see it.

    Args:
        svgs: one a panel, from ``draw``.
        alt: what the figure shows, with its result.
        caption: printed below it.
    """

    def __init__(self, svgs: Sequence[str], alt: str, caption: str) -> None:
        self.svgs, self.alt, self.caption = list(svgs), alt, caption

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        label, caption = html.escape(self.alt, quote=True), html.escape(self.caption)
        width = _width(self.svgs[0]) if len(self.svgs) == 1 else USUAL_WIDTH
        page = (
            f'<style>{CSS}</style><figure class="bnlab-figure">'
            f'<div class="bnlab-panels" style="--columns:{columns(len(self.svgs))};'
            f'--width:{27 * width / USUAL_WIDTH:.0f}rem" role="img" '
            f'aria-label="{label}">{"".join(self.svgs)}</div>'
            f"<figcaption>{caption}</figcaption></figure>"
        )
        return {"text/html": page, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return textwrap.fill(f"Figure: {self.alt}", 88)


def panel(title: str, size: tuple[float, float] = (4.7, 3.7)) -> Axes:
    """Axes of their own, in the book's style and not known to pyplot, with the answer as title."""
    with matplotlib.rc_context(RC):
        axes = Figure(figsize=size, layout="constrained").subplots()
    axes.set_title(title)
    return axes


def curve(axes: Axes, name: str, x: Sequence[float], y: Sequence[float], **options: object) -> None:
    """Draw a normalizer's curve in its colour, dash and marker."""
    look = STYLE[name]
    dash = [part / 2 for part in look["dash"]]
    style = {
        "linestyle": (0, dash) if dash else "solid",
        "marker": look["marker"],
        "lw": 2.2,
        "ms": 6,
    }
    axes.plot(x, y, color=look["light"], **{**style, **options})


def band(axes: Axes, name: str, x: Sequence[float], low: Sequence, high: Sequence) -> None:
    """Shade the spread over seeds."""
    axes.fill_between(x, low, high, color=STYLE[name]["light"], alpha=0.18, lw=0)


def label(axes: Axes, name: str, x: float, y: float, text: str = "", **options: object) -> None:
    """Write a normalizer's name beside its curve, in its colour."""
    text = text or STYLE[name]["label"]
    place = {"textcoords": "offset points", "xytext": (0, 10), "ha": "center"}
    axes.annotate(text, (x, y), color=STYLE[name]["light"], weight="bold", **{**place, **options})


def plain_log(axes: Axes, which: str, ticks: Sequence[float] | None = None) -> None:
    """A logarithmic axis with plain numbers: 0.01, 0.1, 1, 10."""
    axis = getattr(axes, f"{which}axis")
    getattr(axes, f"set_{which}scale")("log")
    if ticks is not None:
        getattr(axes, f"set_{which}ticks")(ticks)
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def columns(panels: int) -> int:
    """How many panels of a figure stand in a row, so that none stands alone."""
    return 2 if panels in (2, 4) else min(panels, 3)


def draw(panels: Sequence[Axes], alt: str, caption: str) -> Drawing:
    """Write panels as SVG whose colours are the page's; the same panels give the same bytes.

    Panels of one figure are made as wide and as high as the largest of them, narrower where three
    stand in a row, and get the letters a, b, c before their titles. Captions use these.
    """
    _of_one_size(panels)
    _title(panels)
    # Ids must differ between all figures of a page.
    salt = hashlib.sha256((alt + caption).encode()).hexdigest()[:8]
    svgs = [_svg(axes.figure, f"{salt}{i}") for i, axes in enumerate(panels)]
    return Drawing(svgs, alt, caption)


def _width(svg: str) -> float:
    """Of the picture, in points."""
    return float(re.search(r'viewBox="0 0 ([\d.]+) ', svg)[1])


def _of_one_size(panels: Sequence[Axes]) -> None:
    sizes = [axes.figure.get_size_inches() for axes in panels]
    width, height = (max(size) for size in zip(*sizes, strict=True))
    if columns(len(panels)) == 3:
        width = min(width, THIRD)
    for axes in panels:
        axes.figure.set_size_inches(width, height)


def _title(panels: Sequence[Axes]) -> None:
    """Write the titles over the whole width, in as many lines in each panel, with letters."""
    letters = [f"{letter}  " for letter in "abcdefgh"] if len(panels) > 1 else [""]
    width = int(panels[0].figure.get_figwidth() * LETTERS_AN_INCH)
    pairs = zip(letters, panels, strict=False)
    titles = [textwrap.wrap(letter + axes.get_title(), width) for letter, axes in pairs]
    lines = max(map(len, titles))
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title("")
        text = "\n".join(title + [""] * (lines - len(title)))
        look = {"fontsize": RC["axes.titlesize"], "weight": "bold", "color": INK}
        axes.figure.suptitle(text, x=0.01, ha="left", **look)


def _svg(figure: Figure, salt: str) -> str:
    out = io.StringIO()
    with matplotlib.rc_context({**RC, "svg.hashsalt": salt}):
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg ") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{salt}-", svg)
    head, body = svg.split(">", 1)
    svg = re.sub(r' (width|height)="[^"]*"', "", head) + ">" + body
    svg = svg.replace(INK, "currentColor")
    for name, look in variables().items():
        svg = svg.replace(look["light"], f"var({name}, {look['light']})")
    return svg
