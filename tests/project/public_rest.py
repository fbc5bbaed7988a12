"""A call that works for each public function that neither normalizes nor measures."""

from __future__ import annotations

import functools
import inspect
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from bnlab import claims, lab
from bnlab.claims import Effect
from bnlab.optim import constrained_weights
from bnlab.store import write_result
from bnlab.sweep import Code
from bnlab.train import Run
from tests.project.public_calls import SHAPE, conv, images, labels, mlp, optimizer, residual

SHORT = Run(steps=2, depth=2, width=8)
EFFECT = Effect("gain", "a gain", "points", 1.0)
OF_A_NET = {"image_shape": SHAPE, "num_classes": 10, "depth": 2, "width": 8, "norm": "batch"}


def named(package: str, calls: dict[str, Callable[[], dict]]) -> dict[str, Callable[[], dict]]:
    """The calls by their full names."""
    return {f"{package}.{name}": call for name, call in calls.items()}


def doubled(items: list[int]) -> list[dict]:
    """Work that a pool can do."""
    return [{"twice": 2 * item} for item in items]


def folder() -> Path:
    """An empty one."""
    return Path(tempfile.mkdtemp())


def written() -> Path:
    """A result in a file."""
    path = folder() / "result.json"
    write_result(path, {"a": 1})
    return path


def data_calls() -> dict[str, Callable[[], dict]]:
    """Of bnlab.data."""
    return named(
        "data",
        {
            "batches": lambda: {
                "labels": np.arange(100) % 10,
                "name": "iid",
                "seed": 0,
                "batch_size": 4,
                "steps": 2,
            },
            "check_sampler": lambda: {"name": "iid", "options": {}},
            "check_size": lambda: {"name": "digits", "image_size": None},
            "digits": lambda: {"split_seed": 0},
            "load": lambda: {"name": "digits", "split_seed": 0, "image_size": None},
            "with_wrong_labels": lambda: {
                "labels": np.arange(10),
                "share": 0.1,
                "classes": 10,
                "seed": 0,
            },
        },
    )


def net_calls() -> dict[str, Callable[[], dict]]:
    """Of bnlab.nets, bnlab.methods and bnlab.optim."""
    of_nets = {
        "MLP": lambda: dict(OF_A_NET),
        "BinaryResNet": lambda: {**OF_A_NET, "depth": 8, "branch": "plain", "alpha": 0.2},
        "Block": lambda: {"fan_in": 8, "width": 8, "stride": 1, "norm": "batch"},
        "PlainConvNet": lambda: {**OF_A_NET, "downsample": "stride"},
        "ResNet": lambda: {**OF_A_NET, "depth": 8, "branch": "plain"},
        "Supernet": lambda: {**OF_A_NET, "ops": ("k3e3", "k3e6")},
        "initialize": lambda: {"net": conv(), "seed": 0},
        "make_net": lambda: {"name": "mlp", **OF_A_NET, "norm_options": {}, "seed": 0},
    }
    of_methods = {
        "apply_method": lambda: {"model": conv(), "name": "mimic_cifar", "options": {}},
        "check_method": lambda: {
            "name": "mimic_cifar",
            "options": {},
            "net": "resnet",
            "norm": "none",
        },
        "head_norm": lambda: {"model": residual()},
        "mimic": lambda: {"model": conv(), "variant": "mimic_cifar", "part": "both"},
        "projected_layers": lambda: {"name": "mimic_cifar", "options": {}},
    }
    return named("nets", of_nets) | named("methods", of_methods) | optim_calls()


def lawn() -> dict[str, object]:
    """What LAWN takes."""
    net = conv("none")
    return {"base": optimizer(net), "constrained": constrained_weights(net), "free_steps": 3}


def with_gradients() -> torch.nn.Module:
    """A net after a backward pass."""
    net = conv()
    cross_entropy(net(images()), labels()).backward()
    return net


def optim_calls() -> dict[str, Callable[[], dict]]:
    """Of bnlab.optim."""
    ones = torch.ones(4, 3)
    return named(
        "optim",
        {
            "LAWN": lawn,
            "adaptive_clip_grad": lambda: {
                "model": with_gradients(),
                "clip": 0.01,
                "eps": 1e-3,
                "exclude": "last",
            },
            "clip_units": lambda: {"grad": ones, "weight": ones, "clip": 0.01, "eps": 1e-3},
            "constrained_weights": lambda: {"model": conv("none"), "part": "all"},
            "tangent": lambda: {"vector": ones, "weight": ones},
        },
    )


def store_calls() -> dict[str, Callable[[], dict]]:
    """Of bnlab.store."""
    return named(
        "store",
        {
            "Results": lambda: {"folder": folder(), "code": "a"},
            "read_object": lambda: {"path": written()},
            "read_result": lambda: {"path": written(), "renew": "make it"},
            "write_result": lambda: {"path": folder() / "a.json", "payload": {"a": 1}},
            "write_text": lambda: {"path": folder() / "a.txt", "text": "a"},
        },
    )


def train_calls() -> dict[str, Callable[[], dict]]:
    """Of bnlab.train and bnlab.sweep."""
    of_train = {
        "Run": lambda: {"data": "digits", "net": "mlp", "norm": "batch", "lr": 0.1, "steps": 3},
        "Trainer": lambda: {"run": SHORT, "device": "cpu"},
        "build": lambda: {"run": SHORT},
        "evaluate": lambda: {"net": mlp(), "x": images(), "y": labels()},
        "make_device": lambda: {"device": "cpu"},
        "make_optimizer": lambda: {"name": "sgd", "net": mlp(), "lr": 0.1},
        "make_trainer": lambda: {"run": SHORT, "engine": "torch", "device": "cpu"},
        "threads": lambda: {"count": 1},
        "train": lambda: {"run": SHORT, "engine": "torch", "device": "cpu", "on_step": None},
        "train_many": lambda: {"runs": [SHORT], "engine": "torch", "device": "cpu"},
        "training": lambda: {"run": SHORT, "engine": "torch", "device": "cpu"},
        "training_data": lambda: {"run": SHORT},
    }
    of_sweep = {
        "collect": lambda: {
            "items": {"a": 1},
            "work": doubled,
            "code": Code.of(("norms",)),
            "results": None,
            "executor": None,
        },
        "computes": lambda: {"engine": "torch"},
        "processes": lambda: {"count": 1},
        "sweep": lambda: {"runs": [SHORT], "executor": None, "store": None, "progress": False},
        "train_each": lambda: {"runs": [SHORT], "engine": "torch", "device": "cpu"},
    }
    return named("train", of_train) | named("sweep", of_sweep)


def doctor_calls() -> dict[str, Callable[[], dict]]:
    """Of bnlab.doctor."""
    net = mlp()
    call = {"model": net, "batch": images(), "optimizer": optimizer(net), "accumulate": 2}
    told = {"steps": 100, "trained": None, "evaluating": False, "independent": True}
    return named("doctor", {"diagnose": lambda: {**call, **told, "representative": True}})


def claim_calls() -> dict[str, Callable[[], dict]]:
    """Of bnlab.claims and bnlab.check."""
    values = np.linspace(1.0, 2.0, 8)
    return named("check", {"check": lambda: {"exercise": "03.1", "answer": 1}}) | named(
        "claims",
        {
            "claim": lambda: {"name": "B1", "scale": "digits"},
            "decide": lambda: {"claim": claims.claim("B1"), "values": claims.load("B1").values},
            "interval": lambda: {"values": values, "seed": 0},
            "judge": lambda: {"effect": EFFECT, "values": values},
            "load": lambda: {"name": "B1", "engine": None, "scale": "digits"},
            "measure": lambda: {"name": "M2", "scale": "digits"},
        },
    )


def show_calls() -> dict[str, Callable[[], dict]]:
    """Of bnlab.show; those that take ids alone are in ``ids_alone``."""
    return named(
        "show",
        {
            "claim_box": lambda: {"name": "B1", "scale": "digits"},
            "claims_table": lambda: {"paper": "bjorck2018"},
            "demonstrations": dict,
            "findings": dict,
            "forest": dict,
            "guide": dict,
            "say_guide": dict,
            "say_scales": dict,
            "scales": dict,
            "compatibility": dict,
            "scoreboard": dict,
            "in_short": lambda: {"answer": "It is so.", "aims": "You will know."},
            "methods_table": lambda: {"kind": "activations", "device": "cpu"},
            "plan": lambda: {"lectures": 2},
            "plot": lambda: {"evidence": claims.load("B1")},
            "say": lambda: {"name": "B1", "template": "At {none_lr_12:g}.", "scale": "digits"},
            "say_failed": lambda: {"scale": "digits"},
            "say_sum": lambda: {"template": "{claims} claims", "scale": "digits"},
            "say_together": lambda: {"template": "At {B1[none_lr_12]:g}."},
            "scenes": lambda: {"page": "learning_rates"},
            "verdict_box": lambda: {"name": "B1", "here": None, "scale": "digits"},
        },
    )


def lab_calls() -> dict[str, Callable[[], dict]]:
    """Of the widgets: what each takes, as it is by default."""
    return {f"lab.{name}": functools.partial(defaults, getattr(lab, name)) for name in lab.__all__}


def defaults(function: Callable) -> dict[str, object]:
    """The arguments of a function that has a default for each; ``**`` takes none."""
    parameters = inspect.signature(function).parameters.values()
    return {one.name: one.default for one in parameters if one.kind != one.VAR_KEYWORD}
