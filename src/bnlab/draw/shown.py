"""Things with an HTML and a plain face, and tables of that kind."""

from __future__ import annotations

import html
import textwrap

from bnlab.draw.style import VERDICTS, dark

WIDTH = 88  # columns of the plain text
HUES = {  # border and word
    **{word: (look["light"], look["dark"]) for word, look in VERDICTS.items()},
    "claim": ("#4a3f9a", "#b3a9ff"),
}
CSS = (
    ".bnlab-box{border-left:.35em solid var(--hue);padding:.7em 1em;margin:.8em 0;"
    "background:color-mix(in srgb,var(--hue) 8%,transparent);border-radius:.3em;line-height:1.5;"
    "overflow-x:auto}"
    ".bnlab-box p{margin:.35em 0}.bnlab-box .head{font-weight:700;color:var(--hue)}"
    ".bnlab-box table,.bnlab-table table{border-collapse:collapse;margin:.5em 0;width:100%}"
    ".bnlab-box th,.bnlab-box td,.bnlab-table th,.bnlab-table td{text-align:left;"
    "vertical-align:top;padding:.25em .8em .25em 0;border-bottom:1px solid "
    "color-mix(in srgb,currentColor 25%,transparent)}"
    # JupyterLab and the site style all tables of outputs; these are ours.
    ".bnlab-box :is(tr,th,td),.bnlab-table :is(tr,th,td){text-align:left!important;"
    "background:none!important;color:inherit!important;max-width:none!important}"
    ".bnlab-box td:last-child,.bnlab-table td:last-child{white-space:nowrap}"
    ".bnlab-table.bnlab-formulas td:last-child{white-space:normal}"
    ".bnlab-box.bnlab-scales td:last-child{white-space:normal}"
    ".bnlab-scales td:not(:first-child){width:28%}"
    ".bnlab-formulas td:nth-child(2){width:46%}"
    ".bnlab-table{overflow-x:auto}.bnlab-say{margin:.6em 0}"
    # On a phone a row becomes a card: each cell on a line of its own, with its column's name.
    "@media(max-width:640px){"
    + ",".join(f".bnlab-box {part},.bnlab-table {part}" for part in ("table", "tbody", "tr", "td"))
    + "{display:block}.bnlab-box thead,.bnlab-table thead{display:none}"
    ".bnlab-box td,.bnlab-table td{border:0;padding:.1em 0;white-space:normal!important;"
    "width:auto!important}"
    ".bnlab-box tr,.bnlab-table tr{padding:.5em 0;"
    "border-bottom:1px solid color-mix(in srgb,currentColor 25%,transparent)}"
    ".bnlab-box td::before,.bnlab-table td::before{content:attr(data-column) ': ';font-weight:600}}"
) + "".join(
    f".bnlab-box.{name.replace(' ', '-')}{{--hue:{light}}}"
    + dark(f".bnlab-box.{name.replace(' ', '-')}", f"--hue:{night}")
    for name, (light, night) in HUES.items()
)


class Shown:
    """Something with an HTML and a plain face."""

    def __init__(self, page: str, text: str) -> None:
        self.page, self.text = page, text

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": f"<style>{CSS}</style>{self.page}", "text/plain": self.text}

    def __repr__(self) -> str:
        return self.text


def fill(text: str) -> str:
    """Plain text in lines of ``WIDTH`` columns."""
    return textwrap.fill(text, WIDTH, subsequent_indent="  ")


def table(columns: list[str], rows: list[list[str]]) -> tuple[str, str]:
    """A table as HTML and as plain text, one line a cell."""
    head = "".join(f'<th scope="col">{html.escape(c)}</th>' for c in columns)
    body = ""
    for row in rows:
        cells = zip(columns, row, strict=True)
        inner = "".join(
            f'<td data-column="{html.escape(column, quote=True)}">{html.escape(cell)}</td>'
            for column, cell in cells
        )
        body += f"<tr>{inner}</tr>"
    page = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    text = "\n".join(
        "\n".join(fill(f"- {c}: {cell}") for c, cell in zip(columns, row, strict=True))
        for row in rows
    )
    return page, text
