"""Claims with made-up evidence at the second scale: the rows of digits, under other margins."""

import dataclasses
import shutil

import pytest

from bnlab import claims
from bnlab.claims import CLAIMS
from bnlab.verdicts import evidence

COPY = "CIFAR-10 (a copy: not the official pixels)"
GAP = "Sixteen pixels a side, and two epochs."
ANSWER = "The authors could answer that two epochs are few, and that their nets are wider."


@pytest.fixture
def second_scale(tmp_path, monkeypatch):
    """Gives a claim evidence on CIFAR-10; at first, no claim has a measurement there.

    The call takes a claim's id and, by the names of effects, their margins at the second scale.
    Without margins nothing is measured there, though it could be.
    """
    shutil.copytree(evidence.results_folder(), tmp_path, dirs_exist_ok=True)
    for path in tmp_path.glob("*-cifar10.json"):
        path.unlink()
    monkeypatch.setattr(evidence, "results_folder", lambda: tmp_path)
    for name, item in CLAIMS.items():
        monkeypatch.setitem(CLAIMS, name, item.with_others(()))

    def add(name, margins=None, **fields):
        stored = claims.load(name)
        small = stored.claim
        effects = tuple(
            dataclasses.replace(effect, margin=(margins or {}).get(effect.name, effect.margin))
            for effect in small.effects
        )
        own = ("core", "setting", "measure", "values", "facts", "runs")
        kept = {field: getattr(small, field) for field in own}
        given = {"effects": effects, "gap": GAP, "answer": ANSWER, **fields}
        large = small.on_cifar10(**{**kept, **given})
        monkeypatch.setitem(CLAIMS, name, small.with_others((large,)))
        if margins is not None:
            base = {**stored.data["base"], "data": "cifar10", "image_size": 16}
            meta = {**stored.meta, "scale": "cifar10", "images": COPY, "seconds": 600.0}
            meta.pop("first_edition", None)
            claims.Evidence(large, {**stored.data, "base": base}, meta).save(tmp_path)
        return large

    return add
