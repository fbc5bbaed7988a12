"""What the package does with models of other libraries, from the table that a test computes."""

from __future__ import annotations

import functools
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bnlab.draw.shown import Shown, fill

TABLE = Path(__file__).with_name("compatibility.json")
GROUPS = {  # a column of the page: how the names of its functions begin
    "Other normalizers": ("swap_norms",),
    "Weights and steps": ("normalize_weights", "recompute_statistics", "LAWN", "adaptive_clip"),
    "Measurements": ("measure_",),
}
MODEL = "Model"
STYLE = (
    ".bnlab-compatibility td{overflow-wrap:anywhere}"
    ".bnlab-compatibility td:last-child{white-space:normal}"
    ".bnlab-compatibility details.bnlab-more{border:0;margin:0;padding:0}"
    ".bnlab-compatibility summary{cursor:pointer;padding:.2em 0}"
    ".bnlab-compatibility dl{margin:.3em 0;font-size:.9em}"
    ".bnlab-compatibility dt{font-weight:600}.bnlab-compatibility dd{margin:0 0 .5em}"
    ".bnlab-compatibility tr.library th{padding-top:1em}"
    "@media(max-width:640px){.bnlab-compatibility td:first-child::before{content:none}"
    ".bnlab-compatibility td:first-child{font-weight:600}"
    ".bnlab-compatibility tr.library th{display:block;border:0}}"
)


@dataclass(frozen=True)
class Compatibility:
    """What came out for each model and function.

    Attributes:
        versions: of torch and the libraries, by name.
        functions: what was tried, such as ``measure_flops`` or ``swap_norms group``.
        refused: the sentences of the refusals, by model ("library name") and function; whatever is
            not refused works.
    """

    versions: Mapping[str, str]
    functions: tuple[str, ...]
    refused: Mapping[str, Mapping[str, str]]

    @property
    def everywhere(self) -> tuple[str, ...]:
        """The functions that refuse all of these models: they are for other nets."""
        rows = self.refused.values()
        return tuple(name for name in self.functions if all(name in row for row in rows))

    @property
    def refusals(self) -> int:
        """How many pairs are refused, but for the functions that refuse all models."""
        return sum(name not in self.everywhere for row in self.refused.values() for name in row)

    @property
    def pairs(self) -> int:
        """How many pairs of a model and a function there are, but for these functions."""
        return len(self.refused) * (len(self.functions) - len(self.everywhere))


@functools.cache
def load() -> Compatibility:
    """The table as it is stored."""
    stored = json.loads(TABLE.read_text(encoding="utf-8"))
    return Compatibility(stored["versions"], tuple(stored["functions"]), stored["refused"])


def compatibility() -> Shown:
    """A row for each model: how many functions work, and the sentences of those that refuse it.

    Computed by ``tests/models``, which compares every value that a function gives with one that is
    computed directly.
    """
    table = load()
    columns = [MODEL, *GROUPS]
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    body, text, library = "", [_said(table)], ""
    for model in table.refused:
        name, _, rest = model.partition(" ")
        if name != library:
            library = name
            title = html.escape(f"{name} {table.versions[name]}")
            body += f'<tr class="library"><th colspan="{len(columns)}">{title}</th></tr>'
            text.append(f"{name} {table.versions[name]}")
        body += _row(table, model, rest)
        text.append(fill(_line(table, model, rest)))
    page = (
        f'<style>{STYLE}</style><p class="bnlab-say">{html.escape(_said(table))}</p>'
        f'<div class="bnlab-table bnlab-compatibility"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
    return Shown(page, "\n".join(text))


def _said(table: Compatibility) -> str:
    libraries = len(table.versions) - 1
    works = table.pairs - table.refusals
    words = (
        f"We tried {len(table.functions)} functions on {len(table.refused)} small models of "
        f"{libraries} libraries with random weights, with torch {table.versions['torch']}. Of "
        f"{table.pairs:,} pairs of a model and a function, {works:,} work, which means that the "
        f"result agrees with one computed in another way; {table.refusals:,} are refused with a "
        "sentence."
    )
    if table.everywhere:
        words += f" Not counted: {', '.join(table.everywhere)}, made for other nets, refuses all."
    return words


def _in_group(table: Compatibility, group: str) -> list[str]:
    names = [name for name in table.functions if name not in table.everywhere]
    return [name for name in names if name.startswith(GROUPS[group])]


def _refused(table: Compatibility, model: str, group: str) -> dict[str, list[str]]:
    """The sentences of the refusals in a group, each with its functions."""
    found: dict[str, list[str]] = {}
    for name in _in_group(table, group):
        if name in table.refused[model]:
            found.setdefault(table.refused[model][name], []).append(name)
    return found


def _count(table: Compatibility, model: str, group: str) -> str:
    names = _in_group(table, group)
    works = sum(name not in table.refused[model] for name in names)
    return f"all {works}" if works == len(names) else f"{works} of {len(names)}"


def _row(table: Compatibility, model: str, name: str) -> str:
    cells = f'<td data-column="{MODEL}">{html.escape(name)}</td>'
    for group in GROUPS:
        inner = _count(table, model, group)
        if refused := _refused(table, model, group):
            listed = "".join(
                f"<dt>{html.escape(', '.join(names))}</dt><dd>{html.escape(sentence)}</dd>"
                for sentence, names in refused.items()
            )
            inner = (
                f'<details class="bnlab-more"><summary>{inner}</summary><dl>{listed}</dl></details>'
            )
        cells += f'<td data-column="{group}">{inner}</td>'
    return f"<tr>{cells}</tr>"


def _line(table: Compatibility, model: str, name: str) -> str:
    counts = (f"{group.lower()} {_count(table, model, group)}" for group in GROUPS)
    return f"- {name}: {'; '.join(counts)}"
