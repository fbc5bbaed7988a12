"""The stored runs that the site replays, and the evidence: the same Runs, the same outcome."""

import base64
import gzip
import itertools
import json

import numpy as np
import pytest

from bnlab import claims
from bnlab.chapters.learning_rates import b1_rates
from bnlab.lab.race.run import race_run
from bnlab.train import Run, train
from bnlab.verdicts.evidence import results_folder

FILE = results_folder().parent / "assets" / "replay" / "race.js"


@pytest.fixture(scope="module")
def stored():
    text = FILE.read_text(encoding="utf-8")
    return json.loads(text[text.index(".race = ") + 8 : text.rindex(";")])


def place(stored, **setting):
    """Where a run of the grid stands."""
    shape = [len(values) for values in stored["axes"].values()]
    at = [stored["axes"][axis].index(setting[axis]) for axis in stored["axes"]]
    return int(np.ravel_multi_index(at, shape))


def curve(stored, name, at):
    """The bytes of one stored curve."""
    codes = np.frombuffer(base64.b64decode(stored[name]), np.uint8)
    return codes.reshape(-1, len(stored[f"{name}_steps"]))[at]


def counted(stored):
    """Settings of the stored runs that the evidence for B1 counts too."""
    axes, data = stored["axes"], claims.load("B1").data
    lrs = [lr for lr in b1_rates.LRS if lr in axes["lr"]]
    depths = [d for d in data["depths"] if d in axes["depth"]]
    seeds = [s for s in axes["seed"] if s in data["seeds"]]
    names = ("norm", "lr", "depth", "seed")
    return [
        dict(zip(names, one, strict=True))
        for one in itertools.product(b1_rates.NORMS, lrs, depths, seeds)
    ]


def test_a_reader_sees_runs_that_the_evidence_counts(stored):
    settings = counted(stored)
    assert len(settings) >= 2 * 8 * 2 * 3
    base = claims.load("B1").data["base"]
    assert stored["steps"] == base["steps"]
    for setting in settings:
        shown = race_run(batch_size=base["batch_size"], width=stored["width"], **setting)
        assert shown == Run.from_dict({**base, **setting})


def test_stored_runs_end_as_the_evidence_says(stored):
    data = claims.load("B1").data
    rows = {tuple(row[:4]): dict(zip(data["columns"], row, strict=True)) for row in data["rows"]}
    diverged = np.frombuffer(base64.b64decode(stored["diverged_at"]), "<i2")
    for s in counted(stored):
        row = rows[s["depth"], s["norm"], s["lr"], s["seed"]]
        at = place(stored, batch_size=data["base"]["batch_size"], **s)
        assert diverged[at] == (-1 if row["diverged_at"] is None else row["diverged_at"]), s
        if row["diverged_at"] is None:
            code = curve(stored, "accuracy", at)[-1]
            assert code / 250 == pytest.approx(row["val_accuracy"], abs=0.0021)


def test_a_stored_curve_is_this_code_s_training(stored):
    run = race_run("batch", lr=0.3, batch_size=64, depth=2, seed=100)
    at = place(stored, norm="batch", lr=0.3, batch_size=64, depth=2, seed=100)
    low, high = stored["loss_range"]
    shown = low * (high / low) ** (curve(stored, "loss", at) / 254)
    loss = train(run, device="cpu").loss.reshape(-1, 5).mean(1)
    np.testing.assert_allclose(shown[:4], loss[:4], rtol=0.03)  # the first steps: before chaos


def test_the_grid_is_whole_and_a_page_can_carry_it(stored):
    count = np.prod([len(values) for values in stored["axes"].values()])
    for name in ("loss", "accuracy"):
        assert len(base64.b64decode(stored[name])) == count * len(stored[f"{name}_steps"])
    assert len(gzip.compress(FILE.read_bytes())) < 400_000
