"""Compiled binary nets: PyTorch's steps, what they tell of their signs, and where they start."""

import numpy as np
import pytest
import torch

from bnlab.data import digits
from bnlab.engines.compiled import artefact
from bnlab.engines.compiled.catalogue import BINARY_NETS, catalogue, variants
from bnlab.engines.compiled.compare import LIMITS, findings
from bnlab.engines.compiled.compiler.build import has_compiler
from bnlab.engines.compiled.compiler.graph import NotSupportedError
from bnlab.engines.compiled.initial import rules
from bnlab.engines.compiled.nets import Net
from bnlab.engines.compiled.stores import is_ready, refusal
from bnlab.engines.compiled.watch import LOOKED_AT, count_of_metrics, outputs_of, watched
from bnlab.nets.binarize import RSign
from bnlab.train import Run, make_trainer, train

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")

RUN = Run(net="binary", depth=4, width=8, batch_size=16, lr=0.005, optimizer="adam", steps=6)


@pytest.mark.parametrize("variant", [*BINARY_NETS, "bare_batch", "bare_none"])
def test_a_step_is_that_of_pytorch(variant):
    """But for signs that rounding decides: PyTorch's own step then moves as far."""
    store, net = artefact.load(artefact.FOLDERS["binary"]), variants("binary")[variant, 4]
    found = list(findings(store, [net], LIMITS, (16,)))
    assert len(found) == 10 and all(f.holds for f in found), found
    assert sum(f.own == 0 for f in found) >= 7, "most steps agree to rounding"


@pytest.mark.parametrize("clip", [None, 0.02])
@pytest.mark.parametrize(
    ("norm", "options", "limit"),
    [
        ("batch", {}, 1e-8),
        ("none", {"first_weights": "positive"}, 1e-8),
        ("none", {"branch": "bn_free"}, 0.02),  # filters of mean 0 see an even border as 0
    ],
)
def test_a_training_is_that_of_pytorch(norm, options, limit, clip):
    run = RUN.replace(norm=norm, net_options=options, clip=clip, precision="float64")
    one, other = train(run, "compiled"), train(run, "torch", "cpu")
    np.testing.assert_allclose(one.loss, other.loss, rtol=limit)


def test_a_net_of_the_set_needs_no_compiler_whatever_its_first_weights():
    for options in ({}, {"branch": "bn_free"}, {"first_weights": "positive"}):
        run = RUN.replace(net_options=options)
        assert is_ready(run) and refusal(run) == ""
    assert not is_ready(RUN.replace(depth=3))
    keys = [net.key for net in catalogue("binary")]
    assert keys == [*artefact.load(artefact.FOLDERS["binary"]).nets]


def test_without_clipping_a_net_with_a_program_for_it_is_not_clipped():
    losses = [train(RUN.replace(clip=clip), "compiled").loss for clip in (None, 1e-3, 1e6)]
    assert not np.array_equal(losses[0], losses[1])
    np.testing.assert_array_equal(losses[0], losses[2])


def test_what_is_told_of_a_step_are_its_signs_and_the_share_in_the_window():
    trainer = make_trainer(RUN.replace(norm="batch"), "compiled")
    numbers, net = next(iter(trainer.batches)), trainer.net.train()
    x = torch.tensor(digits().train_x[numbers])
    with outputs_of(net) as outputs:
        net(x)
    trainer.update(numbers)
    told = trainer.last_metrics()["signs"]
    assert told.size == count_of_metrics(net, (1, 8, 8))
    for output in outputs:
        count = output[:LOOKED_AT].numel()
        inside, signs, told = told[0], told[1 : 1 + count], told[1 + count :]
        assert inside == pytest.approx(float((output.abs() < 1).double().mean()), abs=1e-3)
        theirs = (output[:LOOKED_AT] >= 0).double().numpy().ravel()
        assert set(signs) == {0.0, 1.0} and np.mean(signs == theirs) > 0.999
    assert told.size == 0


def test_the_signs_are_watched_of_binary_nets_alone():
    net = variants("binary")["batch", 4].module()
    assert [type(module) for module in watched(net)] == [RSign] * 4
    mlp = Net("mlp", 2, 8, "batch").module()
    assert count_of_metrics(mlp, (1, 8, 8)) == 6 and len(watched(mlp)) == 2


def test_only_filters_of_binary_layers_can_start_elsewhere():
    net = variants("binary")["bn_free", 4].module()
    found = rules(net)["params"]
    kinds = {kind: sum(rule[0] == kind for rule in found) for kind in ("weights", "filters")}
    assert kinds == {"weights": 2, "filters": 5}, "stem and head; four blocks and a shortcut"
    sizes = [count for kind, count, *_ in found if kind == "filters"]
    weights = [m.weight.numel() for m in net.blocks.modules() if hasattr(m, "filters")]
    assert sizes == weights


@pytest.mark.skipif(not has_compiler(), reason="ziglang is not installed")
def test_a_sign_can_be_compiled_for_other_nets_too():
    run = RUN.replace(depth=2, width=4, norm="layer", precision="float64")
    np.testing.assert_allclose(train(run, "compiled").loss, train(run, "torch", "cpu").loss)
    with pytest.raises(NotSupportedError, match="tile the image"):
        from bnlab.engines.compiled.nets import compile_nets

        compile_nets([Net("binary", 2, 4, "none", image_shape=(1, 9, 9))])
