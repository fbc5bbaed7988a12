"""The same bits in node and in Python, over 1,000 steps of a net with each normalizer."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import bnlab.engines.compiled
from bnlab import random
from bnlab.data import batches, digits, with_wrong_labels
from bnlab.engines.compiled import engine
from bnlab.engines.compiled.artefact import FOLDER, load, save
from bnlab.engines.compiled.catalogue import OPTIONS, UNDEFINED
from bnlab.engines.compiled.compiler.build import has_compiler
from bnlab.engines.compiled.initial import checked
from bnlab.engines.compiled.nets import Net, compile_nets
from bnlab.norms import NORMS
from bnlab.train import Run, make_trainer

JS = Path(bnlab.engines.compiled.__file__).parent / "js"
HERE = Path(__file__).parent
NODE = shutil.which("node")
STEPS = 1000

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")


def node(script: str, *args: object, given: object = None) -> object:
    command = [NODE, str(HERE / script), *map(str, args)]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_random_numbers_are_the_same():
    got = node("node_random.mjs", JS / "random.js")
    labels = random.integers(3, 9, 10, 400)
    wrong = with_wrong_labels(labels, 0.3, 10, 4294967295)
    assert got["wrong"] == wrong.tolist() and (wrong != labels).any()
    assert got["labels"] == labels.tolist()
    assert got["bits"] == random.bits(4294967295, 2003, 50, 1000).tolist()
    assert got["last"] == random.bits(1, 2, 3, 2**32 - 3).tolist()
    assert got["uniform"] == random.uniform(5, 1000, 20).tolist()
    assert got["integers"] == random.integers(5, 2, 1197, 20, 64).tolist()
    assert got["permutation"] == random.permutation(0, 1, 500).tolist()
    parts = np.split(random.permutation(4, random.SPLIT, 10), [5, 8])
    assert got["split"] == [part.tolist() for part in parts]
    for name, options in (("iid", {}), ("one_class", {}), ("k_classes", {"k": 3})):
        drawn = list(batches(labels, name, 7, 5, 7, **options))[3:]
        assert got[name] == np.concatenate(drawn).tolist(), name


def digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def task_of(run: Run) -> dict:
    trainer = make_trainer(run, "compiled")
    return {
        "key": Net.of(run).key,
        "precision": run.precision,
        "update": trainer.update_name,
        "inputs": trainer.inputs,
        "seed": run.seed,
        "sampler": run.sampler,
        "k": run.sampler_options.get("k", 1),
        "batch": run.batch_size,
        "steps": run.steps,
    }


def in_python(run: Run) -> dict:
    trainer = make_trainer(run, "compiled")
    if run.steps == STEPS:  # in blocks, as train does it
        records = [r for r in trainer.steps(looks=False) if r.step and not r.diverged]
        pairs, metrics = [(r.loss, r.accuracy) for r in records], None
    else:
        pairs = [trainer.update(numbers) for numbers in trainer.batches]
        metrics = trainer.last_metrics()
    loss, accuracy = np.array(pairs).T
    params, buffers, counters = (v.numpy() for v in trainer.state.vectors(trainer.net))
    data = trainer.data
    named = lambda pair: dict(zip(("loss", "accuracy"), pair, strict=True))  # noqa: E731
    return {
        "taken": len(pairs),
        "loss": digest(loss),
        "accuracy": digest(accuracy),
        "params": digest(params),
        "buffers": digest(buffers),
        "counters": counters.tolist(),
        "metrics": metrics and _as_in_javascript(metrics),
        "evaluation": named(trainer.evaluate(data.val_x, data.val_y, False)),
        "batchStatistics": named(trainer.evaluate(data.val_x, data.val_y, True)),
    }


def _as_in_javascript(metrics: dict) -> dict:
    keys = ("mean", "variance", "dead")
    rows = [dict(zip(keys, row, strict=True)) for row in metrics["layers"].tolist()]
    return {"gradientNorm": metrics["norm"], "layers": rows}


RUNS = [
    Run(norm=norm, norm_options=OPTIONS.get(norm, {}), depth=3, batch_size=4, lr=0.02, steps=STEPS)
    for norm in NORMS
    if norm not in UNDEFINED
] + [
    Run(norm="batch", depth=2, batch_size=6, steps=50, precision="float64", optimizer="adam"),
    Run(norm="noisy_batch", depth=2, batch_size=5, steps=50, precision="float64", seed=9),
    Run(norm="layer", depth=1, batch_size=256, steps=20, sampler="one_class"),
    Run(
        norm="batch_renorm",
        norm_options={"r_max": 1.5, "d_max": 0.5},
        sampler="k_classes",
        sampler_options={"k": 2},
        optimizer_options={"momentum": 0.9, "weight_decay": 1e-3},
        steps=100,
    ),
]


def compared(runs: list[Run], folder: Path, tmp_path: Path) -> None:
    data = digits()
    content = {
        "images": data.train_x.ravel().astype(float).tolist(),
        "labels": data.train_y.tolist(),
        "val_x": data.val_x.ravel().astype(float).tolist(),
        "val_y": data.val_y.tolist(),
    }
    file = tmp_path / "data.json"
    file.write_text(json.dumps(content))
    results = node("node_train.mjs", folder, JS, file, given=[task_of(run) for run in runs])
    for run, theirs in zip(runs, results, strict=True):
        mine = in_python(run)
        assert theirs | {"metrics": mine["metrics"] and theirs["metrics"]} == mine, run.norm
        assert theirs["taken"] == run.steps


def test_mlps_train_to_the_same_bits(tmp_path):
    compared(RUNS, FOLDER, tmp_path)


@pytest.mark.skipif(not has_compiler(), reason="ziglang is not installed")
def test_a_residual_net_trains_to_the_same_bits(tmp_path, monkeypatch):
    net = Net("resnet", 1, 4, "batch")
    store, places = compile_nets([net], ("float32",))
    folder = tmp_path / "nets"
    save(store, places, {net.key: checked(net)}, folder)
    monkeypatch.setattr(engine, "store_for", lambda *_: load(folder))
    run = Run(net="resnet", depth=1, width=4, norm="batch", batch_size=4, lr=0.02)
    # node_train.mjs reads kernels of both precisions; there are none of float64 here.
    (folder / "kernels.float64.wasm").write_bytes(store.modules["float32"])
    compared([run.replace(steps=STEPS), run.replace(steps=30)], folder, tmp_path)
