"""What the package does with models of other libraries, from the table that a test computes."""

from __future__ import annotations

import functools
import html
import json
from collections import Counter
from collections.abc import Mapping, Sequence
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
    ".bnlab-compatibility details:not([open]){display:inline-block;vertical-align:top}"
    ".bnlab-compatibility summary{cursor:pointer;padding:.2em 0}"
    ".bnlab-compatibility dl{margin:.3em 0;font-size:.9em}"
    ".bnlab-compatibility dt{font-weight:600}.bnlab-compatibility dd{margin:0 0 .5em}"
    ".bnlab-compatibility tr.library th{padding-top:1em}"
    "@media(max-width:640px){.bnlab-compatibility td:first-child::before{content:none}"
    ".bnlab-compatibility td:first-child{font-weight:600}"
    ".bnlab-compatibility tr.library th{display:block;border:0}}"
)


WORKS, IN_PART, REFUSED = "works", "in part", "refused"


@dataclass(frozen=True)
class Compatibility:
    """What came out for each model and function.

    Attributes:
        versions: of torch and the libraries, by name.
        functions: what was tried, such as ``measure_flops`` or ``swap_norms group``.
        models: word and sentence of what does not simply work, by model ("library name") and
            function.
    """

    versions: Mapping[str, str]
    functions: tuple[str, ...]
    models: Mapping[str, Mapping[str, Sequence[str]]]

    def word(self, model: str, function: str) -> str:
        """``works``, ``in part`` or ``refused``."""
        return self.models[model].get(function, (WORKS, ""))[0]

    @property
    def everywhere(self) -> tuple[str, ...]:
        """The functions that refuse all of these models: they are for other nets."""
        words = {name: {self.word(model, name) for model in self.models} for name in self.functions}
        return tuple(name for name, said in words.items() if said == {REFUSED})

    @property
    def counted(self) -> tuple[str, ...]:
        """All other functions."""
        return tuple(name for name in self.functions if name not in self.everywhere)

    @property
    def counts(self) -> Counter[str]:
        """How many pairs of a model and a counted function have each word."""
        return Counter(self.word(m, f) for m in self.models for f in self.counted)


@functools.cache
def load() -> Compatibility:
    """The table as it is stored."""
    stored = json.loads(TABLE.read_text(encoding="utf-8"))
    return Compatibility(stored["versions"], tuple(stored["functions"]), stored["models"])


def compatibility() -> Shown:
    """A row for each model: how many functions work, and the sentences of those that refuse it.

    Computed by ``tests/models``, which compares every value that a function gives with one that is
    computed directly.
    """
    table = load()
    columns = [MODEL, *GROUPS]
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    body, text = "", [_said(table)]
    for library in dict.fromkeys(model.partition(" ")[0] for model in table.models):
        title = f"{library} {table.versions[library]}"
        rows = {m: m.partition(" ")[2] for m in table.models if m.partition(" ")[0] == library}
        body += (
            f'<tbody><tr class="library"><th scope="rowgroup" colspan="{len(columns)}">'
            f"{html.escape(title)}</th></tr>"
            f"{''.join(_row(table, model, name) for model, name in rows.items())}</tbody>"
        )
        text += [title, *(fill(_line(table, model, name)) for model, name in rows.items())]
    page = (
        f'<style>{STYLE}</style><p class="bnlab-say">{html.escape(_said(table))}</p>'
        f'<div class="bnlab-table bnlab-compatibility"><table><thead><tr>{head}</tr></thead>'
        f"{body}</table></div>"
    )
    return Shown(page, "\n".join(text))


def _said(table: Compatibility) -> str:
    libraries, counts = len(table.versions) - 1, table.counts
    words = (
        f"We tried {len(table.functions)} functions on {len(table.models)} small models of "
        f"{libraries} libraries with random weights, with torch {table.versions['torch']}. Of "
        f"{counts.total():,} pairs of a model and a function, {counts[WORKS]:,} work and "
        f"{counts[IN_PART]:,} work in part: the numbers are right, and a warning names the modules "
        f"that they are not about. The other {counts[REFUSED]:,} are refused with a sentence."
    )
    if table.everywhere:
        names = " and ".join(table.everywhere)
        words += f" Not counted is {names}, which is for other nets and refuses all of these."
    return words


def _in_group(table: Compatibility, group: str) -> list[str]:
    return [name for name in table.counted if name.startswith(GROUPS[group])]


def _count(table: Compatibility, model: str, group: str) -> str:
    words = Counter(table.word(model, name) for name in _in_group(table, group))
    usable = words[WORKS] + words[IN_PART]
    count = f"{usable} of {words.total()}" if words[REFUSED] else f"all {usable}"
    return f"{count}, {words[IN_PART]} in part" if words[IN_PART] else count


def _told(table: Compatibility, model: str, group: str) -> dict[tuple[str, str], list[str]]:
    """Words and sentences of a cell, each with its functions."""
    found: dict[tuple[str, str], list[str]] = {}
    for name in _in_group(table, group):
        if name in table.models[model]:
            word, sentence = table.models[model][name]
            found.setdefault((word, without_kind(name, sentence)), []).append(name)
    return found


def without_kind(name: str, sentence: str) -> str:
    """A sentence that differs from kind to kind in nothing but the kind's name, without it."""
    return sentence.replace(repr(name.rpartition(" ")[2]), "'…'")


def _names(names: Sequence[str]) -> str:
    """Functions in a row; several kinds of one function after its name."""
    kinds: dict[str, list[str]] = {}
    for name in names:
        function, _, kind = name.partition(" ")
        kinds.setdefault(function, []).append(kind)
    return "; ".join(f"{function} {', '.join(found)}".strip() for function, found in kinds.items())


def _row(table: Compatibility, model: str, name: str) -> str:
    cells = f'<td data-column="{MODEL}">{html.escape(name)}</td>'
    for group in GROUPS:
        inner = _count(table, model, group)
        if told := _told(table, model, group):
            listed = "".join(
                f"<dt>{html.escape(_names(names))}: {word}</dt><dd>{html.escape(sentence)}</dd>"
                for (word, sentence), names in told.items()
            )
            inner = (
                f'<details class="bnlab-more"><summary>{inner}</summary><dl>{listed}</dl></details>'
            )
        cells += f'<td data-column="{group}">{inner}</td>'
    return f"<tr>{cells}</tr>"


def _line(table: Compatibility, model: str, name: str) -> str:
    counts = (f"{group.lower()} {_count(table, model, group)}" for group in GROUPS)
    return f"- {name}: {'; '.join(counts)}"
