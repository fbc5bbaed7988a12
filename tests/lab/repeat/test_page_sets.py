"""The nets that are compiled for pages alone train there to the weights of Python, to the bit."""

import shutil

import pytest

from bnlab.chapters.batch_renorm.methods import Method
from bnlab.chapters.batch_renorm.one_by_one import start
from bnlab.chapters.covariate_shift.s1_race import BASE as RACE
from bnlab.chapters.group_size.trainings import make_run
from bnlab.chapters.lawn.lw3_optimizers import BASE as EPOCHS
from bnlab.chapters.lawn.lw3_optimizers import METHODS
from bnlab.chapters.lawn.methods import LAWN
from bnlab.engines.compiled.nets import Net
from bnlab.engines.compiled.page_sets import PAGE_SETS, RENORM_NETS, variants
from bnlab.lab.repeat.rows import fields_of
from bnlab.verdicts.again import digest_of
from tests.engines.compiled.bits_cases import from_files
from tests.lab.repeat.test_rows import from_page, images_of_the_page

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")
STEPS = 40

RUNS = {
    "deep": [(RACE.replace(depth=15, norm=norm, seed=264), 1.0) for norm in ("none", "batch")],
    "images": [
        (make_run(net, norm, 0.1, 772), 1.0)
        for net, norm in (
            ("plain10", "scaled_weight_standardization"),
            ("plain10", "evonorm_s0"),
            ("plain20", "group_2"),
            ("resnet", "instance"),
        )
    ],
    "renorm": [
        *((Method(norm).run(0.1, 540), 1.0) for norm in RENORM_NETS),
        (Method("none").run(0.1, 540), 0.25),
        (Method("batch_renorm").run(0.1, 540), 4.0),
    ],
}
"""Runs of the chapters, and the factor of their initial weights."""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("name", RUNS)
def test_the_page_trains_the_nets_of_a_set_to_the_last_bit(name, tmp_path):
    test, digests, states = images_of_the_page(), [], []
    for one, scale in RUNS[name]:
        run = one.replace(steps=STEPS)
        with from_files():
            trainer = start(run, scale)
        assert not list(trainer.steps(looks=False))[-1].diverged
        digests.append(digest_of(trainer.heap.read("params", sum(trainer.state.params.sizes))))
        fixed = {"arm": "one", "sampler": {"name": "iid"}, "test": test, "scale": scale}
        states.append({**fields_of(run, name), "seed": run.seed, **fixed})
    told = from_page(tmp_path, name, states)
    assert [one["digest"] for one in told] == digests
    assert len({*digests}) == len(digests)


def test_the_sets_hold_the_nets_of_the_claims():
    keys = {name: {net.key for net in variants(name).values()} for name in PAGE_SETS}
    assert keys["renorm"] == {key_of(Method(norm).run(0.1, 0)) for norm in RENORM_NETS}
    runs = [method.run(EPOCHS, 0.01, 0.1, 0) for method in METHODS]
    assert keys["lawn_sgd"] == {key_of(run) for run in runs}
    assert {method.how for method in METHODS} > {LAWN}
    assert {key_of(run) for run, _ in RUNS["images"]} < keys["images"]


def key_of(run):
    return Net.of(run).key
