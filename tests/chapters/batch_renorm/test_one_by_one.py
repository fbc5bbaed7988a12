"""R2 and R5 trained one by one: as side by side but for rounding, and each row by itself."""

import numpy as np
import pytest
import torch

from bnlab import claims
from bnlab.chapters.batch_renorm import methods, one_by_one
from bnlab.chapters.batch_renorm.methods import Method
from bnlab.chapters.batch_renorm.microbatches import GroupTrainer, Setting, train_groups
from bnlab.chapters.batch_renorm.one_by_one import start, train_alone
from bnlab.verdicts.work import Work

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")
SHORT = methods.BASE.replace(steps=60, eval_every=60)


@pytest.mark.parametrize("norm", ["none", "batch", "batch_renorm", "group"])
def test_what_is_told_is_that_of_nets_side_by_side(norm):
    run = Method(norm).run(0.1, 3, SHORT)
    alone, (beside,) = train_alone(run, Setting()), train_groups([run], Setting())
    assert list(alone) == list(beside)
    assert alone["loss"] == pytest.approx(beside["loss"], rel=2e-3)
    for name in methods.MEASURED[1:-1]:
        assert alone[name] == pytest.approx(beside[name], abs=0.02), name


@pytest.mark.parametrize("scale", [0.25, 4.0])
def test_a_training_starts_from_scaled_weights(scale):
    run = Method("none").run(0.003, 3, SHORT)
    trainer, usual = start(run, scale), start(run)
    count = sum(trainer.state.params.sizes)
    ratio = trainer.heap.read("params", count), usual.heap.read("params", count)
    np.testing.assert_array_equal(ratio[0], scale * ratio[1])
    first = next(r for r in trainer.steps(looks=False) if r.step)
    beside = [r[0] for r in GroupTrainer([run], Setting(scale=scale)).steps()][1]
    assert first.loss == pytest.approx(beside.loss, rel=1e-5)


def test_nothing_that_is_looked_at_changes_the_net():
    trainer = start(Method("batch_renorm").run(0.1, 3, SHORT))
    for _ in trainer.steps(looks=False):
        pass
    before = {name: tensor.clone() for name, tensor in trainer.net.state_dict().items()}
    found = one_by_one.accuracies(trainer, "val", 32)
    assert set(found) == {"batch", "running", "recomputed"} and min(found.values()) > 0.3
    after = trainer.heap.read_state(trainer.state)
    for name, tensor in trainer.net.state_dict().items():
        assert torch.equal(before[name], tensor) and torch.equal(before[name], after[name])


def test_a_net_that_diverges_counts_as_a_guess():
    broken = train_alone(Method("none").run(1e12, 0, SHORT), Setting())
    assert broken["diverged_at"] is not None and np.isfinite(broken["loss"])
    assert {broken[name] for name in methods.MEASURED[1:-1]} == {0.1}


@pytest.mark.parametrize("setting", [Setting(8), Setting(32, "pure")])
def test_other_groups_are_refused(setting):
    with pytest.raises(ValueError, match="takes whole batches"):
        train_alone(Method("batch").run(0.1, 0, SHORT), setting)


def test_an_unknown_engine_is_named():
    for name in ("R2", "R5"):
        with pytest.raises(ValueError, match="unknown engine 'stacks'"):
            claims.measure(name, seeds=[700], engine="stacks")


def test_rates_that_another_engine_chose_are_refused():
    stack = claims.load("R2", engine="stack").data
    with pytest.raises(ValueError, match="engine='stack', which chose rates of its own"):
        claims.measure("R2", seeds=[700], tuning=stack)


@pytest.mark.parametrize("name", ["R2", "R5"])
def test_rows_of_one_seed_are_those_of_the_evidence(name):
    """Whatever else is trained: the same bits."""
    stored = claims.load(name)
    seed = stored.data["seeds"][5]
    method = Method("batch_renorm", scale=1.0 if name == "R2" else 4.0)
    lr = methods.best_lr(stored.data, Method("batch_renorm"))
    assert one_by_one.row(method, lr, seed) in stored.data["rows"]


@pytest.mark.parametrize("name", ["R2", "R5"])
def test_both_engines_give_the_verdict(name):
    compiled, stack = claims.load(name), claims.load(name, engine="stack")
    assert (compiled.data["engine"], stack.data["engine"]) == ("compiled", "stack")
    assert compiled.verdict.word == stack.verdict.word
    assert compiled.data["seeds"] == stack.data["seeds"]
    tried = [
        {tuple(row[:9]) for row in one.data["rows"] if row[8] in one.data["tuning_seeds"]}
        for one in (compiled, stack)
    ]
    assert tried[0] == tried[1]
    for one, other in zip(compiled.verdict.judgements, stack.verdict.judgements, strict=True):
        assert one.word == other.word and one.low < other.high and other.low < one.high


def test_a_stack_is_measured_again_with_all_seeds_and_a_compiled_one_with_some():
    for engine, count in ((None, 1), ("stack", 16)):
        stored, asked = claims.load("R2", engine=engine), []

        class Asked(Work):
            def starmap(self, function, items, asked=asked, engine=engine):
                items = list(items)
                assert function is (methods.rows if engine else one_by_one.row)
                asked.extend(items)
                return [[] for _ in items]

        seeds = one_by_one.alone_or_all(stored.data, stored.data["seeds"][:1])
        name = stored.data["engine"]
        stored.claim.measure(seeds=seeds, tuning=stored.data, engine=name, work=Asked())
        found = {tuple(one[2]) if engine else one[2] for one in asked}
        assert found == ({tuple(seeds)} if engine else set(seeds)) and len(seeds) == count
