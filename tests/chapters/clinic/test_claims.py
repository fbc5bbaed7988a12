"""The claims of the clinic: written before measuring, and each measured on tiny settings."""

import math
from itertools import pairwise

import numpy as np
import pytest

from bnlab.chapters.clinic import (
    setting,
    t1_modes,
    t2_tiny_batches,
    t3_frozen,
    t4_accumulation,
    t5_decay,
    t6_order,
    t7_dropout,
    t8_penalty,
)
from bnlab.chapters.clinic.claims import CLAIMS, THREADS
from bnlab.engines.compiled.catalogue import variants
from bnlab.engines.compiled.nets import Net
from bnlab.verdicts.race import RATES
from bnlab.verdicts.verdict import LEAST_SEEDS

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")

MODULES = {
    "T1": t1_modes,
    "T2": t2_tiny_batches,
    "T3": t3_frozen,
    "T4": t4_accumulation,
    "T5": t5_decay,
    "T6": t6_order,
    "T7": t7_dropout,
    "T8": t8_penalty,
}
every_claim = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
SEEDS = (1437, 1438)
SMALL = {
    "T1": {"causes": (*t1_modes.CAUSES, t1_modes.USUAL)},
    "T2": {"base": t2_tiny_batches.BASE.replace(depth=2, steps=10, eval_every=10)},
    "T3": {"rates": (0.03, 0.1)},
    "T6": {"depths": (2, 6)},
}


def small(claim) -> dict:
    """Options with which a measurement takes about a second."""
    base = MODULES[claim.id].BASE.replace(depth=2, steps=10, eval_every=10)
    return {"base": base, **SMALL.get(claim.id, {})}


@pytest.fixture(scope="module")
def measured() -> dict[str, dict]:
    """Each claim, measured on a few steps with seeds that are not counted."""
    return {one.id: one.measure(SEEDS, **small(one)) for one in CLAIMS}


@every_claim
def test_a_claim_says_what_it_needs_before_it_is_measured(claim):
    assert all(effect.predicted is not None and effect.says for effect in claim.effects)
    assert claim.falsifier and claim.prediction and claim.gap and claim.answer
    assert THREADS[claim.id]
    assert all(name.count("/") == 1 and name.count("#") == 1 for name in THREADS[claim.id])


@every_claim
def test_the_seeds_that_count_are_fresh(claim):
    seeds = set(MODULES[claim.id].SEEDS)
    assert len(seeds) == 16 >= LEAST_SEEDS
    assert seeds <= {*range(1241, 1300), *range(1064, 1100), *range(1440, 1490)}
    assert not seeds & {*setting.PILOTS, *setting.TUNING_SEEDS, *SEEDS}


@every_claim
def test_a_measurement_gives_a_number_for_each_effect_and_seed(claim, measured):
    data = measured[claim.id]
    found = claim.values(data)
    assert set(found) == {effect.name for effect in claim.effects}
    for name, numbers in found.items():
        assert np.shape(numbers) == (len(SEEDS),) and np.isfinite(numbers).all(), name
    facts = {name: fact for name, fact in claim.facts(data).items() if name != "image_size"}
    assert facts and not any(math.isnan(fact) for fact in facts.values())


@every_claim
def test_some_seeds_measured_again_are_the_same(claim, measured):
    data = measured[claim.id]
    again = claim.repeat(data, SEEDS[1:])
    at = data["columns"].index("seed")
    rows = [row for row in data["rows"] if row[at] == SEEDS[1]]
    assert rows and [row for row in again["rows"] if row[at] == SEEDS[1]] == rows


@every_claim
def test_identities_hold_on_few_steps_too(claim, measured):
    found = claim.values(measured[claim.id])
    for effect in claim.effects:
        if effect.kind == "identity":
            assert found[effect.name].max() <= effect.margin, effect.name


@pytest.mark.parametrize("name", ["T2", "T3", "T4", "T5", "T6", "T7"])
def test_the_rates_of_a_race_are_neighbours(name):
    places = [RATES.index(rate) for rate in MODULES[name].RATES]
    assert all(b - a == 1 for a, b in pairwise(places))


def test_the_nets_of_the_trainings_are_compiled_beforehand():
    known = {net.key for name in ("nets", "clinic") for net in variants(name).values()}
    runs = [t1_modes.run_of(cause, 1437) for cause in (*t1_modes.CAUSES, t1_modes.USUAL)]
    runs += [t3_frozen.BASE.replace(**way) for way in t3_frozen.WAYS.values()]
    for module in (t2_tiny_batches, t4_accumulation, t6_order):
        runs += [module.BASE.replace(**arm.fields) for arm in module.arms().values()]
    runs += [t7_dropout.BASE.replace(net_options=options) for options in t7_dropout.ARMS.values()]
    runs += [
        t8_penalty.BASE.replace(norm=norm, norm_options=options)
        for norm, options in t8_penalty.NORMS.items()
    ]
    assert [net.key for run in runs if (net := Net.of(run)).key not in known] == []
