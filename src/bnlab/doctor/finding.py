"""What the doctor found: sentences, numbers, and code that puts it right."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

WRONG, LOOK, NOTE = "wrong", "worth a look", "note"

NAMED = 3
"""How many layers a sentence names before it counts the others."""


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor saw in a model.

    Attributes:
        id: what it is, such as ``frozen-not-frozen``; ``bnlab.doctor.FINDINGS`` lists all.
        severity: ``wrong``, ``worth a look``, or ``note`` for what harms nothing.
        layers: the names of the layers, as ``model.named_modules`` gives them.
        saw: a sentence with the numbers that were seen.
        advice: a sentence that says what to do.
        code: the same in PyTorch, with the names ``model``, ``optimizer`` and ``loader``.
        numbers: what was measured, by name.
    """

    id: str
    severity: str
    layers: tuple[str, ...]
    saw: str
    advice: str
    code: str = ""
    numbers: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        code = [f"      {line}" for line in self.code.splitlines()]
        return "\n".join([f"{self.severity}: {self.id}. {self.saw}", f"  {self.advice}", *code])


@dataclass(frozen=True)
class Diagnosis:
    """All findings about a model; it prints as plain sentences.

    Attributes:
        findings: what is wrong or worth a look; empty for a healthy model.
        notes: what costs a little and harms nothing, or is only worth knowing. They do not count
            as findings.
        left_out: sentences on what was not looked at, and why.
        looked_at: how many normalizers the model has.
    """

    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    left_out: tuple[str, ...]
    looked_at: int

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the findings."""
        return tuple(one.id for one in self.findings)

    def __str__(self) -> str:
        lines = [self._summary(), *map(str, self.findings), *map(str, self.notes)]
        return "\n".join([*lines, *(f"not looked at: {one}" for one in self.left_out)])

    def _summary(self) -> str:
        count, many = len(self.findings), self.looked_at
        of = f"{many} normalizer{'s' * (many != 1)}"
        if not count:
            return f"No finding ({of} looked at)."
        return f"{count} finding{'s' * (count > 1)} ({of} looked at)."

    def _repr_html_(self) -> str:
        parts = [f"<p><strong>{html.escape(self._summary())}</strong></p>"]
        for one in (*self.findings, *self.notes):
            code = f"<pre>{html.escape(one.code)}</pre>" if one.code else ""
            parts.append(
                f"<p><strong>{html.escape(one.severity)}: {html.escape(one.id)}.</strong> "
                f"{html.escape(one.saw)}<br>{html.escape(one.advice)}</p>{code}"
            )
        parts += [f"<p>Not looked at: {html.escape(one)}</p>" for one in self.left_out]
        return "".join(parts)


def does(layers: tuple[str, ...] | list[str], verb: str) -> str:
    """The names of layers with a verb in its number: "'1' gets", "'1', '2' get"."""
    return f"{named(layers)} {verb}{'s' * (len(layers) == 1)}"


def named(layers: tuple[str, ...] | list[str]) -> str:
    """The names of layers for a sentence: the first few, and how many more."""
    shown = ", ".join(repr(name) if name else "the model itself" for name in layers[:NAMED])
    more = len(layers) - NAMED
    return f"{shown} and {more} more" if more > 0 else shown
