"""Options of nets, samplers and optimizers: the compiled step is PyTorch's."""

import json

import numpy as np
import pytest

from bnlab.engines.compiled.compare import findings
from bnlab.engines.compiled.compiler.build import has_compiler
from bnlab.engines.compiled.nets import Net, compile_nets
from bnlab.engines.compiled.stores import is_possible
from bnlab.optim.parts import names_of
from bnlab.train import Run, make_trainer, train

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")
needs_compiler = pytest.mark.skipif(not has_compiler(), reason="ziglang is not installed")

SMALL = Run(depth=2, width=16, batch_size=8, steps=12, eval_every=5, lr=0.05, precision="float64")
ARRAYS = ("loss", "accuracy", "step", "val_accuracy", "val_accuracy_train_mode")
NETS = (
    ("batch", {"order": "relu_norm", "bias": False}),
    ("group", {"order": "relu_norm"}),
    ("batch", {"dropout": 0.3}),
    ("batch", {"dropout": 0.5, "dropout_at": "after_layer", "order": "relu_norm"}),
    ("noisy_batch", {"dropout": 0.2, "dropout_at": "before_head"}),
    ("batch", {"frozen_statistics": True}),
)
TRAININGS = (
    {"net_options": {"dropout": 0.3, "order": "relu_norm", "bias": False}},
    {"net_options": {"frozen_statistics": True}, "optimizer_options": {"trained": "head"}},
    {"optimizer_options": {"weight_decay": 0.1, "decay": "gamma", "momentum": 0.9}},
    {
        "optimizer": "adam",
        "lr": 0.01,
        "optimizer_options": {"weight_decay": 0.1, "decay": "weights", "trained": "layers"},
        "clip": 0.1,
    },
)


@needs_compiler
def test_each_step_of_nets_with_options_is_torchs():
    group = json.dumps({"group_size": 4})
    nets = [
        Net("mlp", 2, 8, norm, group if norm == "group" else "{}", json.dumps(options))
        for norm, options in NETS
    ]
    found = list(findings(compile_nets(nets)[0], nets, ("float64", "float32"), (1, 3, 32)))
    assert {f.key for f in found if f.batch == 1} == {nets[1].key, nets[5].key}
    assert [f for f in found if not f.holds] == []


@needs_compiler
@pytest.mark.parametrize("changes", TRAININGS)
def test_a_training_is_torchs(changes):
    run = SMALL.replace(norm="batch", **changes)
    one, other = train(run, "torch", "cpu"), train(run, engine="compiled")
    for name in ARRAYS:
        assert np.allclose(getattr(one, name), getattr(other, name), rtol=1e-9, atol=0), name


@needs_compiler
def test_what_is_not_trained_keeps_its_bits_and_twice_is_the_same():
    options = {"weight_decay": 0.1, "trained": "head", "momentum": 0.9}
    run = SMALL.replace(norm="batch", optimizer_options=options, precision="float32")
    trainer, other = (make_trainer(run, "compiled") for _ in range(2))
    start = {n: p.detach().clone() for n, p in trainer.net.named_parameters()}
    losses = [[record.loss for record in one.steps()][1:] for one in (trainer, other)]
    assert losses[0] == losses[1]
    for name, p in trainer.net.named_parameters():
        assert bool((p != start[name]).any()) == (name in names_of(trainer.net, "head")), name


def test_a_sampler_that_ends_on_one_class_trains_as_in_torch():
    run = SMALL.replace(
        width=64, norm="batch", sampler="one_class_from", sampler_options={"step": 7}
    )
    one, other = train(run, "torch", "cpu"), train(run, engine="compiled")
    assert np.allclose(one.loss, other.loss, rtol=1e-9, atol=0)


@pytest.mark.parametrize("engine", ["torch", "compiled"])
@pytest.mark.parametrize("norm", ["batch", "batch_renorm"])
def test_a_batch_of_one_is_refused_before_anything_is_trained(engine, norm):
    run = Run(depth=2, norm=norm, batch_size=1, steps=3)
    with pytest.raises(ValueError, match=r"more than one value a channel.*larger batch"):
        make_trainer(run, engine)


@pytest.mark.parametrize("norm", ["layer", "group"])
def test_others_take_a_batch_of_one(norm):
    options = {"group_size": 8} if norm == "group" else {}
    run = Run(depth=2, norm=norm, norm_options=options, batch_size=1, steps=3, precision="float64")
    one, other = train(run, "torch", "cpu"), train(run, engine="compiled")
    assert np.allclose(one.loss, other.loss, rtol=1e-9, atol=0)


@pytest.mark.parametrize("options", [{"decay": "weights"}, {"trained": "head"}])
def test_optimizers_of_parts_are_left_to_who_asks_for_them(options):
    assert not is_possible(Run(norm="batch", optimizer_options=options))
