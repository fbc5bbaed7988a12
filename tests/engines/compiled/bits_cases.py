"""Nets that are trained on every machine, and what has to come out, in bits."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np

import bnlab.engines.compiled
from bnlab.data import digits
from bnlab.engines.compiled import engine
from bnlab.engines.compiled.artefact import load
from bnlab.engines.compiled.catalogue import OPTIONS, UNDEFINED
from bnlab.engines.compiled.nets import Net, Store
from bnlab.engines.compiled.page_sets import FOLDERS, PAGE_SETS, RENORM_NETS, nets
from bnlab.engines.compiled.stores import store_for
from bnlab.norms import NORMS
from bnlab.train import Run, make_trainer

JS = Path(bnlab.engines.compiled.__file__).parent / "js"
STEPS = 1000
LONG = Run(depth=3, width=64, batch_size=4, lr=0.02, steps=STEPS)
SHORT = LONG.replace(depth=2, steps=50, precision="float64")
MOMENTUM = {"momentum": 0.9, "weight_decay": 1e-3}

LAWN = {"optimizer": "lawn_adam", "lr": 0.01, "batch_size": 64}

BINARY = LONG.replace(net="binary", depth=4, width=8, lr=0.005)

CLINIC = LONG.replace(depth=4, norm="batch", batch_size=32)
HEAD = {"trained": "head", "weight_decay": 0.01}

RENORM = LONG.replace(depth=4, batch_size=32)
MOVED = LONG.replace(depth=2, batch_size=32, label_noise=0.2)


def of_images(net: Net) -> Run:
    """A training of a net of the set ``images``."""
    fields = {name: getattr(net, name) for name in ("net", "depth", "width", "norm", "weight_norm")}
    return LONG.replace(**fields, norm_options=json.loads(net.options))


RUNS = {
    "nets": [
        *(
            LONG.replace(norm=norm, norm_options=OPTIONS.get(norm, {}))
            for norm in NORMS
            if norm not in UNDEFINED
        ),
        LONG.replace(norm="batch", optimizer_options=MOMENTUM),
        LONG.replace(norm="layer", optimizer_options={**MOMENTUM, "nesterov": True}),
        LONG.replace(norm="batch_renorm", optimizer="adam", lr=0.003),
        SHORT.replace(norm="batch", batch_size=6, optimizer="adam"),
        SHORT.replace(norm="noisy_batch", batch_size=5, seed=9),
        LONG.replace(norm="layer", depth=1, batch_size=256, steps=20, sampler="one_class"),
        LONG.replace(
            norm="batch_renorm",
            norm_options={"r_max": 1.5, "d_max": 0.5},
            sampler="k_classes",
            sampler_options={"k": 2},
            optimizer_options=MOMENTUM,
            steps=100,
        ),
    ],
    "groups": [LONG.replace(depth=2, norm="group", norm_options={"group_size": 16})],
    "squares": [LONG.replace(depth=2, norm="batch", loss="squared_error")],
    "lawn": [
        LONG.replace(**LAWN, label_noise=0.3, optimizer_options={"free_steps": 70}),
        LONG.replace(**LAWN, optimizer_options={"betas": [0.8, 0.9]}, precision="float64"),
    ],
    "binary": [
        BINARY.replace(norm="batch", optimizer="adam"),
        BINARY.replace(net_options={"branch": "bn_free"}, clip=0.02, optimizer="adam"),
        BINARY.replace(net_options={"shortcuts": False, "first_weights": "positive"}, clip=0.08),
        BINARY.replace(net_options={"standardized": True}, steps=50, precision="float64"),
    ],
    "clinic": [
        CLINIC.replace(optimizer_options={"decay": "weights", "weight_decay": 0.01}),
        CLINIC.replace(optimizer_options={"decay": "gamma", **MOMENTUM}),
        CLINIC.replace(optimizer_options=HEAD, net_options={"frozen_statistics": True}),
        CLINIC.replace(optimizer_options=HEAD, steps=50, precision="float64"),
    ],
    "deep": [
        *(LONG.replace(depth=15, norm=norm) for norm in ("none", "batch", "noisy_batch")),
        LONG.replace(depth=6, norm="noisy_batch", steps=100),
    ],
    "lawn_sgd": [
        MOVED.replace(optimizer="lawn_sgd", optimizer_options={"free_steps": 99, "momentum": 0.9}),
        MOVED.replace(optimizer="lawn_adam", lr=0.01, optimizer_options={"free_steps": 0}),
        MOVED.replace(optimizer_options=MOMENTUM),
    ],
    "images": [of_images(net) for net in nets("images") if net.depth <= 10],
    "renorm": [RENORM.replace(norm=norm, norm_options=of) for norm, of in RENORM_NETS.items()],
}
"""By the set whose kernels they take; a net of each kind for 1,000 steps."""


def write(folder: Path) -> None:
    """Put there what ``trained.mjs`` needs, and that itself."""
    data = digits()
    content = {
        "images": data.train_x.ravel().astype(float).tolist(),
        "labels": data.train_y.tolist(),
        "val_x": data.val_x.ravel().astype(float).tolist(),
        "val_y": data.val_y.tolist(),
    }
    folder.joinpath("data.json").write_text(json.dumps(content))
    shutil.copytree(JS, folder / "js")
    shutil.copy(Path(__file__).parent / "trained.mjs", folder)
    for name in RUNS:
        folder.joinpath(name).symlink_to(FOLDERS[name])


@contextmanager
def from_files() -> Iterator[None]:
    """The engine takes the nets of ``PAGE_SETS`` from their files, and does not compile them."""

    def found(net: Net, precision: str, extras: tuple[str, ...] = ()) -> Store:
        stores = (load(FOLDERS[name]) for name in PAGE_SETS if net in nets(name))
        fitting = (s for s in stores if set(extras) <= s.nets[net.key].extras.keys())
        return next(fitting, None) or store_for(net, precision, extras)

    with patch.object(engine, "store_for", found):
        yield


def tasks() -> dict[str, list[dict]]:
    """All ``RUNS`` as ``trained.mjs`` takes them."""
    return {name: [_task(run) for run in runs] for name, runs in RUNS.items()}


def _task(run: Run) -> dict:
    trainer = make_trainer(run, "compiled")
    return {
        "extra": trainer.lawn or trainer.parts or ("clip" if run.clip else None),
        "decay": run.optimizer_options["weight_decay"] if trainer.parts else None,
        "start": {"positive": run.net_options.get("first_weights") == "positive"},
        "free": trainer.free_steps if trainer.lawn else run.steps,
        "wrong": run.label_noise,
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
    """What comes out in Python; ``metrics`` if it was trained step by step."""
    trainer = make_trainer(run, "compiled")
    if run.steps == STEPS:  # in blocks, as train does it
        records = [r for r in trainer.steps(looks=False) if r.step and not r.diverged]
        pairs, metrics = [(r.loss, r.accuracy) for r in records], None
    else:
        pairs = [trainer.update(numbers) for numbers in trainer.batches]
        metrics = _as_in_javascript(trainer.last_metrics())
    loss, accuracy = np.array(pairs).T
    params, buffers, counters = (v.numpy() for v in trainer.state.vectors(trainer.net))
    data = trainer.data
    named = lambda pair: dict(zip(("loss", "accuracy"), pair, strict=True))  # noqa: E731
    return {
        "taken": len(pairs),
        "loss": _digest(loss),
        "accuracy": _digest(accuracy),
        "params": _digest(params),
        "buffers": _digest(buffers),
        "counters": counters.tolist(),
        "metrics": metrics,
        "evaluation": named(trainer.evaluate(data.val_x, data.val_y, False)),
        "batchStatistics": named(trainer.evaluate(data.val_x, data.val_y, True)),
    }


def _digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def _as_in_javascript(metrics: dict) -> dict:
    keys = ("mean", "variance", "dead")
    if "signs" in metrics:  # a whole number of rows or not
        return {"gradientNorm": metrics["norm"], "signs": _digest(metrics["signs"])}
    rows = [dict(zip(keys, row, strict=True)) for row in metrics["layers"].tolist()]
    return {"gradientNorm": metrics["norm"], "layers": rows}


def compared(results: dict[str, list[dict]]) -> None:
    """Fail unless JavaScript's results are those of Python, and whole trainings."""
    assert results.keys() == RUNS.keys()
    for name, runs in RUNS.items():
        for run, theirs in zip(runs, results[name], strict=True):
            mine = in_python(run)
            wanted = theirs | {"metrics": mine["metrics"] and theirs["metrics"]}
            assert wanted == mine, (run.net, run.norm, run.optimizer)
            assert theirs["taken"] == run.steps
