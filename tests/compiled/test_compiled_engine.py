"""``train(run, engine="compiled")``: the same History as torch's, and clear errors."""

import math
import shutil

import numpy as np
import pytest
import torch

from bnlab.compiled import NotSupportedError, artefact, engine
from bnlab.compiled.affine import Size, size
from bnlab.compiled.artefact import CorruptedError, differences, packed, restored, unpacked
from bnlab.compiled.build import has_compiler
from bnlab.compiled.graph import Lowering
from bnlab.compiled.nets import Net, compile_nets
from bnlab.compiled.trace import named_modules, trace
from bnlab.compiled.update import update_of
from bnlab.train import Run, make_trainer, train

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")
needs_compiler = pytest.mark.skipif(not has_compiler(), reason="ziglang is not installed")

BASE = Run(depth=4, batch_size=16, steps=30, eval_every=7, lr=0.05, precision="float64")
ARRAYS = ("loss", "accuracy", "step", "val_accuracy", "val_accuracy_train_mode")


@pytest.mark.parametrize("norm", ["none", "batch", "layer", "batch_renorm", "noisy_batch"])
def test_a_history_is_torchs(norm):
    run = BASE.replace(norm=norm, norm_options={} if norm == "none" else {"eps": 1e-5})
    one, other = train(run, device="cpu"), train(run, engine="compiled")
    for name in ARRAYS:
        assert np.allclose(getattr(one, name), getattr(other, name), rtol=1e-10, atol=0), name
    assert one.test_accuracy == pytest.approx(other.test_accuracy, abs=1e-12)
    assert one.diverged_at is other.diverged_at is None
    assert other.run == run and "kernels" in other.versions


def test_steps_come_one_by_one_and_twice_the_same():
    run, seen = BASE.replace(norm="batch", precision="float32", steps=150), []
    one, other = train(run, engine="compiled", on_step=seen.append), train(run, engine="compiled")
    assert [step.step for step in seen] == list(range(151))
    assert one.loss.tobytes() == other.loss.tobytes()
    assert one.step.tolist() == [*range(0, 150, 7), 150]


@pytest.mark.parametrize("norm, lr", [("none", 3.0), ("none", 1e4), ("none", 1.0), ("rms", 1e9)])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_divergence_comes_at_the_same_step(norm, lr, precision):
    run = BASE.replace(norm=norm, lr=lr, precision=precision)
    one, other = train(run, device="cpu"), train(run, engine="compiled")
    assert one.diverged_at == other.diverged_at
    assert len(one.loss) == len(other.loss)
    assert np.array_equal(np.isfinite(one.loss), np.isfinite(other.loss))
    assert math.isnan(one.test_accuracy) == math.isnan(other.test_accuracy)


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_nan_and_infinity_come_through_relu_max_and_the_statistics(poison):
    for norm, options in (("batch", {}), ("linf_batch", {}), ("filter_response", {})):
        options = {"learnable_eps": True} if norm == "filter_response" else options
        trainer = make_trainer(BASE.replace(norm=norm, norm_options=options), "compiled")
        trainer.machine.write(trainer.places["params"] + 70, [poison])
        assert not math.isfinite(trainer.update(np.arange(16))[0])


def test_the_net_comes_back_trained():
    run = BASE.replace(norm="noisy_batch")
    one, other = make_trainer(run), make_trainer(run, "compiled")
    for trainer in (one, other):
        assert len(list(trainer.steps())) == run.steps + 1
    theirs = one.net.state_dict()
    for name, value in other.trained().state_dict().items():
        assert torch.allclose(value.double(), theirs[name].double(), rtol=1e-9, atol=1e-12), name


@needs_compiler
def test_a_net_that_is_not_in_the_book_is_compiled():
    run = BASE.replace(net="resnet", depth=2, width=4, norm="batch", steps=5)
    one, other = train(run, device="cpu"), train(run, engine="compiled")
    assert np.allclose(one.loss, other.loss, rtol=1e-10, atol=0)


def test_a_net_that_is_not_in_the_book_without_a_compiler(monkeypatch):
    monkeypatch.setattr(engine, "has_compiler", lambda: False)
    with pytest.raises(ValueError, match=r"mlp 4x33 none' is not among .* ziglang"):
        train(BASE.replace(width=33), engine="compiled")


# ------------------------------------------------------------------------------------- errors


def test_sizes_that_are_not_supported():
    with pytest.raises(ValueError, match="needs 301"):
        train(BASE.replace(batch_size=301), engine="compiled")
    with pytest.raises(ValueError, match="runs on the CPU"):
        train(BASE, engine="compiled", device="cuda")
    with pytest.raises(ValueError, match="more than one value"):
        train(BASE.replace(norm="batch", batch_size=1), engine="compiled")


def test_dampening_is_not_compiled():
    with pytest.raises(ValueError, match="dampening is not compiled"):
        update_of("sgd", 0.1, {"momentum": 0.9, "dampening": 0.5})


def test_an_unsupported_operation_is_named_with_its_module():
    net = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.ELU())
    with named_modules(net):
        module = trace(lambda x: (net(x),), [torch.zeros(6, 3)], (0,))
    with pytest.raises(NotSupportedError, match=r"module '1' .* operation expm1"):
        Lowering().run(module.graph, ["x"], [["y"]])


def test_a_net_that_works_for_one_batch_size_alone_is_refused():
    with pytest.raises(RuntimeError, match="became the constant 6"):
        trace(lambda x: (x.reshape(6, 3),), [torch.zeros(6, 3)], (0,))


def test_a_size_that_is_no_multiple_of_the_batch_is_refused():
    with pytest.raises(ValueError, match="square of the batch"):
        Size(size(1).a + 1) * Size(size(1).a + 1)


@pytest.fixture
def copied(tmp_path):
    return shutil.copytree(artefact.FOLDER, tmp_path / "copy")


@pytest.mark.parametrize("name", ["kernels.float32.wasm", "programs.bin"])
def test_a_corrupted_file_is_noticed(copied, name):
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / name).write_bytes(content)
    with pytest.raises(CorruptedError, match=f"{name} .* not the file that was built"):
        artefact.load(copied)


def test_a_missing_or_foreign_file_is_noticed(copied):
    (copied / "programs.bin").unlink()
    with pytest.raises(CorruptedError, match=r"programs.bin .* missing"):
        artefact.load(copied)
    (copied / "manifest.json").write_text('{"format": 99}')
    with pytest.raises(CorruptedError, match="has format 99"):
        artefact.read(copied)
    (copied / "manifest.json").write_text("no JSON")
    with pytest.raises(CorruptedError, match="no manifest"):
        artefact.read(copied)


# ------------------------------------------------------------------------------------ artefacts


def test_programs_survive_their_packing():
    places = [2, 0, 3]
    code = [0, 5, 2**24, 1, 2, 7, 1, 0, 0, 6, 2**24 + 9, 1, 2, 7, 1, 3]
    assert restored(unpacked(packed(differences(code, places))), places) == code
    numbers = [0, -1, 1, -64, 63, 64, -65, 2**31, -(2**31)]
    assert unpacked(packed(numbers)) == numbers


@needs_compiler
def test_a_build_can_be_repeated_to_the_byte():
    nets = [Net("mlp", 2, 16, "batch"), Net("mlp", 1, 16, "group", '{"group_size": 4}')]
    (one, places), (other, places_again) = compile_nets(nets), compile_nets(nets)
    assert one.modules == other.modules and places == places_again
    assert [one.nets[n.key] for n in nets] == [other.nets[n.key] for n in nets]
