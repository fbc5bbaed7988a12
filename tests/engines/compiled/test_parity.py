"""One step of compiled nets against PyTorch: from a fresh state, and from trained ones.

A part of what ``python -m bnlab.engines.compiled compare`` compares.
"""

import json
from functools import partial

import numpy as np
import pytest
import torch

from bnlab.engines.compiled import artefact
from bnlab.engines.compiled.catalogue import CONV_OPTIONS, UNDEFINED, catalogue, small_nets
from bnlab.engines.compiled.compare import (
    BATCHES,
    LIMITS,
    Finding,
    StepHeap,
    findings,
    flat,
    images,
    is_defined,
    own_error,
    relative,
    torch_step,
)
from bnlab.engines.compiled.compiler.build import has_compiler
from bnlab.engines.compiled.nets import Net, compile_nets
from bnlab.engines.compiled.step import LOSSES, State
from bnlab.engines.compiled.update import UPDATES, update_of
from bnlab.norms import NORMS
from bnlab.norms.weight import WEIGHT_NORMS
from bnlab.runs import losses

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")
needs_compiler = pytest.mark.skipif(not has_compiler(), reason="ziglang is not installed")

VECTOR_NORMS = [name for name in NORMS if name not in UNDEFINED]
ON_IMAGES = (
    *("batch", "ghost_batch", "noisy_batch", "layer", "group", "instance", "rms"),
    *("filter_response", "evonorm_b0", "evonorm_s0"),
)
"""The others share their axes with ``batch``."""

BOTH = ("float64", "float32")


def mlp(norm: str, depth: int) -> Net:
    return next(net for net in catalogue() if (net.norm, net.depth) == (norm, depth))


def check(store, nets, precisions=BOTH, sizes=BATCHES) -> None:
    found = list(findings(store, nets, precisions, sizes))
    assert found
    assert [f for f in found if not f.holds] == []
    # Steps that PyTorch itself cannot compute to the limit are rare in float64.
    double = [f for f in found if f.precision == "float64"]
    assert sum(f.own > 0 for f in double) <= 0.2 * len(double)


@pytest.mark.parametrize("norm", VECTOR_NORMS)
def test_mlps_of_the_book(norm):
    store = artefact.load()
    check(store, [mlp(norm, depth) for depth in (1, 6, 12)], ("float64",))
    check(store, [mlp(norm, 6)], ("float32",))


def test_the_catalogue_is_what_was_compiled():
    assert [net.key for net in catalogue()] == list(artefact.load().nets)
    assert {net.norm for net in catalogue()} == set(VECTOR_NORMS)
    assert {net.depth for net in catalogue()} == set(range(1, 13))


def test_the_small_nets_have_every_normalizer():
    nets = small_nets()
    assert {net.norm for net in nets if net.net == "plain"} == set(NORMS)
    assert {net.norm for net in nets if net.net == "resnet"} == set(NORMS)
    assert {net.weight_norm for net in nets} == {"none", *WEIGHT_NORMS}


@pytest.fixture(scope="module")
def small():
    """Plain and residual nets, and nets with normalizers of weights."""
    nets = [
        Net(("plain", "resnet")[k % 2], 1, 4, name, json.dumps(CONV_OPTIONS.get(name, {})))
        for k, name in enumerate(ON_IMAGES)
    ]
    nets += [Net("mlp", 1, 16, "none", weight_norm=name) for name in WEIGHT_NORMS]
    nets += [
        Net("mlp", 1, 17, "batch", '{"eps": 0.1, "momentum": 0.5}', loss="squared_error"),
        Net("mlp", 1, 128, "batch", '{"affine": false, "track_running_stats": false}'),
        Net("resnet", 1, 3, "none", net_options='{"branch": "fixup"}'),
        Net("plain", 1, 4, "batch", weight_norm="weight_norm"),
    ]
    return compile_nets(nets)[0], nets


@needs_compiler
def test_other_nets(small):
    check(*small, sizes=(1, 3, 32))


def test_batches_for_which_a_net_is_undefined_are_left_out():
    assert not is_defined(mlp("batch", 1), 1)
    assert is_defined(mlp("layer", 1), 1)


def test_the_losses_are_those_of_a_run():
    assert set(LOSSES) == set(losses.LOSSES)


def test_a_wrong_program_is_found():
    store, net = artefact.load(), mlp("batch", 2)
    other = mlp("l2_batch", 2)  # the same sizes, another function
    swapped = type(store)({net.key: store.nets[other.key]}, store.updates, store.modules)
    assert not all(f.holds for f in findings(swapped, [net], ("float64",), (32,)))


def test_what_holds():
    assert Finding("a net", "float64", 3, 0, 0.9e-10).holds
    assert not Finding("a net", "float64", 3, 0, 1.1e-10).holds
    assert Finding("a net", "float64", 3, 0, 1.1e-10, own=6e-11).holds
    assert not Finding("a net", "float32", 3, 0, np.inf, own=1e-3).holds
    assert relative(np.array([np.nan]), np.array([1.0])) == np.inf
    assert relative(np.array([1.0]), np.array([np.inf])) == np.inf
    assert relative(np.array([-np.inf, 1.0]), np.array([np.inf, 1.0])) == np.inf
    assert relative(np.array([np.nan, 3.0]), np.array([np.nan, 2.0])) == 0.5
    assert LIMITS == {"float64": 1e-10, "float32": 1e-5}


def test_the_own_error_of_a_step_is_that_of_its_rounding():
    module = mlp("none", 1).module().double()
    before = flat(module.parameters())
    x, y = images(8, 0)
    step = partial(torch_step, x=x, y=y, loss="cross_entropy")
    assert 1e-17 < own_error(module, step) < 1e-13
    assert np.array_equal(flat(module.parameters()), before)


OPTIMIZERS = [
    ("sgd", {}),
    ("sgd", {"weight_decay": 0.1}),
    ("sgd", {"momentum": 0.9, "weight_decay": 0.01}),
    ("sgd", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("adam", {}),
    ("adam", {"betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
]
CLASSES = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


@pytest.mark.parametrize("name, options", OPTIMIZERS)
@pytest.mark.parametrize("precision, bound", [("float64", 1e-12), ("float32", 1e-5)])
def test_optimizers_are_torchs(name, options, precision, bound):
    net = mlp("batch", 2)
    module = net.module(3).to(getattr(torch, precision))
    optimizer = CLASSES[name](module.parameters(), lr=0.03, **options)
    update, inputs = update_of(name, 0.03, options)
    store = artefact.load()
    heap = StepHeap.of(store, net, precision, store.updates[update])
    heap.set({**inputs, **dict.fromkeys(UPDATES[update].powers, 1.0)})
    count = sum(State.of(module).params.sizes)
    for seed in range(6):  # slots and powers run freely, parameters and gradient are torch's
        x, y = images(16, seed)
        gradient = torch_step(module, x, y, "cross_entropy")["gradient"]
        heap.load(module, x, y)
        heap.write("gradient", gradient)
        before = flat(module.parameters())
        optimizer.step()
        heap.run("update", count)
        change = flat(module.parameters()) - before
        mine = heap.read("params", count) - before
        rounding = np.abs(before).max() * (1e-15 if precision == "float64" else 1e-6)
        assert np.abs(mine - change).max() < bound * np.abs(change).max() + rounding
