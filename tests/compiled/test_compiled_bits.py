"""The same bits in node and in Python, over 1,000 steps of a net with each normalizer."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import bnlab.compiled
from bnlab import random
from bnlab.compiled.artefact import FOLDER
from bnlab.compiled.catalogue import OPTIONS, UNDEFINED
from bnlab.data import batches, digits
from bnlab.norms import NORMS
from bnlab.train import Run, make_trainer

JS = Path(bnlab.compiled.__file__).parent / "js"
HERE = Path(__file__).parent
NODE = shutil.which("node")
STEPS = 1000

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")


def node(script: str, *args: object, given: object = None) -> object:
    command = [NODE, str(HERE / script), *map(str, args)]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_random_numbers_are_the_same():
    got = node("node_random.mjs", JS / "random.js")
    labels = random.integers(3, 9, 10, 400)
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
        "key": next(k for k, v in trainer.store.nets.items() if v is trainer.programs),
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
    records = [r for r in trainer.steps(looks=False) if r.step and not r.diverged]
    net = trainer.trained()
    state = trainer.state
    params, buffers, counters = (v.numpy() for v in state.vectors(net))
    metrics = trainer.last_metrics()
    keys = ("mean", "variance", "dead")
    data = trainer.data
    named = lambda pair: dict(zip(("loss", "accuracy"), pair, strict=True))  # noqa: E731
    return {
        "taken": len(records),
        "loss": digest(np.array([r.loss for r in records])),
        "accuracy": digest(np.array([r.accuracy for r in records])),
        "params": digest(params),
        "buffers": digest(buffers),
        "counters": counters.tolist(),
        "metrics": {
            "gradientNorm": metrics["norm"],
            "layers": [dict(zip(keys, map(float, row), strict=True)) for row in metrics["layers"]],
        },
        "evaluation": named(trainer.evaluated(data.val_x, data.val_y, False)),
        "batchStatistics": named(trainer.evaluated(data.val_x, data.val_y, True)),
    }


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


def test_nets_train_to_the_same_bits(tmp_path):
    data = digits()
    content = {
        "images": data.train_x.ravel().astype(float).tolist(),
        "labels": data.train_y.tolist(),
        "val_x": data.val_x.ravel().astype(float).tolist(),
        "val_y": data.val_y.tolist(),
    }
    (tmp_path / "data.json").write_text(json.dumps(content))
    results = node(
        "node_train.mjs", FOLDER, JS, tmp_path / "data.json", given=[task_of(r) for r in RUNS]
    )
    for run, theirs in zip(RUNS, results, strict=True):
        assert theirs == in_python(run), run.norm
        assert theirs["taken"] == run.steps
