"""A call that works for each public function, to be spoiled one argument at a time."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import bnlab
from bnlab.measure import Product, layer_inputs
from bnlab.nets import ResNet, Supernet, make_net
from bnlab.norms import read_norm
from bnlab.norms.weight import normalize_weights

SHAPE = (1, 8, 8)
PACKAGES = (
    *("check", "claims", "data", "doctor", "lab", "measure", "methods", "nets", "norms"),
    "norms.weight",
    *("optim", "show", "store", "sweep", "train"),
)


def public() -> dict[str, Callable]:
    """Every public function and class by its name, ``measure.measure_signals``."""
    found = {}
    for package in PACKAGES:
        module = importlib.import_module(f"bnlab.{package}")
        names = [name for name in module.__all__ if callable(getattr(module, name))]
        found |= {f"{package}.{name}": getattr(module, name) for name in names}
    return found


def folders() -> Iterator[str]:
    """The packages of bnlab that say what is public in them."""
    for module in pkgutil.iter_modules(bnlab.__path__):
        if module.ispkg and hasattr(importlib.import_module(f"bnlab.{module.name}"), "__all__"):
            yield module.name


def mlp(norm: str = "batch") -> nn.Module:
    """A small net."""
    return make_net("mlp", SHAPE, 10, 2, 8, norm)


def conv(norm: str = "batch") -> nn.Module:
    """A small net of convolutions."""
    return make_net("plain", SHAPE, 10, 2, 8, norm)


def residual() -> ResNet:
    """A small net with shortcuts."""
    return make_net("resnet", SHAPE, 10, 8, 8, "batch")


def images(count: int = 8) -> torch.Tensor:
    """What a net takes."""
    return torch.randn(count, *SHAPE, generator=torch.Generator().manual_seed(0))


def labels(count: int = 8) -> torch.Tensor:
    """The class of each image."""
    return torch.arange(count) % 10


def on_batch(**more: object) -> dict[str, object]:
    """The arguments that nearly all measurements have."""
    return {"net": mlp(), "loss": cross_entropy, "x": images(), "y": labels(), **more}


def product() -> object:
    """Products of a tiny net's Hessian."""
    return Product([torch.ones(3)], lambda v: (2 * v[0],))


def supernet() -> Supernet:
    """A small supernet."""
    return Supernet(SHAPE, 10, 2, 4)


def with_weights() -> nn.Module:
    """A net with normalized weights."""
    net = conv("none")
    normalize_weights(net, "weight_standardization")
    return net


def optimizer(net: nn.Module) -> torch.optim.Optimizer:
    """Of a net."""
    return torch.optim.SGD(net.parameters(), lr=0.1)


def projection() -> dict[str, object]:
    """An optimizer and the net whose weights it moves."""
    net = conv("none")
    return {"optimizer": optimizer(net), "model": net, "eligible": "all"}


def norm_calls() -> dict[str, Callable[[], dict]]:
    """Of the normalizers' classes: all take the number of channels."""
    classes = [
        *("BatchNorm", "BatchRenorm", "EvoNormB0", "EvoNormS0", "FilterResponseNorm"),
        *("GhostBatchNorm", "GroupNorm", "InstanceNorm", "L1BatchNorm", "L2BatchNorm"),
        *("LInfBatchNorm", "LayerNorm", "NoNorm", "NoisyBatchNorm", "Normalizer", "RMSNorm"),
        "VarianceNorm",
    ]
    more = {"GroupNorm": {"group_size": 4}, "EvoNormS0": {"group_size": 4}}
    more["GhostBatchNorm"] = {"ghost_size": 4}
    given = {name: {"num_features": 8, **more.get(name, {})} for name in classes}
    return {f"norms.{name}": given[name].copy for name in classes} | {
        "norms.RenormSchedule": lambda: {"warmup": 5, "r_end": 10, "d_end": 10, "r_max": 2.0},
        "norms.check_options": lambda: {"name": "batch", "options": {"momentum": 0.1}},
        "norms.make_norm": lambda: {"name": "batch", "num_features": 8},
        "norms.options_of": lambda: {"name": "batch"},
        "norms.read_norm": lambda: {"module": nn.GroupNorm(2, 8)},
        "norms.register_norm": lambda: {"cls": "a.library.Norm", "reader": read_norm},
        "norms.recompute_statistics": lambda: {"model": mlp(), "batches": [images()]},
        "norms.swap_norms": lambda: {"model": mlp(), "name": "layer"},
    }


def weight_calls() -> dict[str, Callable[[], dict]]:
    """Of weight normalizers."""
    layer = nn.Linear(4, 4)
    filters = {"filters": torch.ones(4, 3), "groups": 1, "transposed": False}
    return {
        f"norms.weight.{name}": call
        for name, call in {
            "NormalizedReLU": dict,
            "ScaledWeightStandardization": lambda: {"layer": layer, "eps": 1e-6, "gamma": "relu"},
            "WeightMean": lambda: {"layer": layer},
            "WeightNorm": lambda: {"layer": layer, "gain": "keep", "eps": 0.0},
            "WeightNormalizer": lambda: {"layer": layer},
            "WeightStandardization": lambda: {"layer": layer, "eps": 1e-5},
            "correct_relus": lambda: {"model": conv()},
            "eligible_layers": lambda: {"model": conv(), "eligible": "all"},
            "from_filters": lambda: filters,
            "normalize_weights": lambda: {
                "model": conv("none"),
                "name": "weight_norm",
                "eligible": "all",
            },
            "normalized_relu": lambda: {"z": torch.ones(3)},
            "project_after_step": projection,
            "project_weight_mean": lambda: {"model": conv("none"), "eligible": "all"},
            "remove_weight_norms": lambda: {"model": with_weights(), "keep": "normalized"},
            "to_filters": lambda: {"weight": torch.ones(4, 3), "groups": 1, "transposed": False},
            "weight_norm_options": lambda: {"name": "weight_norm"},
        }.items()
    }


def measure_calls() -> dict[str, Callable[[], dict]]:
    """Of instruments."""
    truth = np.arange(40.0).reshape(4, 10)
    paths = [(first, second) for first in range(2) for second in range(4)]
    direction = {name: torch.ones_like(p) for name, p in mlp().named_parameters()}
    return {
        f"measure.{name}": call
        for name, call in {
            "Product": lambda: {"parameters": [torch.ones(3)], "apply": lambda v: v, "zeros": None},
            "ShiftRecorder": lambda: {"net": mlp(), "x": images(), "every": 2},
            "StepGrid": lambda: {"low": 0.1, "high": 1.0, "cap": 2.0, "points": 3},
            "agreement_beyond": lambda: {
                "truth": truth,
                "scores": truth + 1,
                "rival": np.arange(10.0),
                "seed": 0,
            },
            "bisect_rate": lambda: {
                "losses_at": lambda rate: [1.0, 1.0 + rate],
                "low": 0.01,
                "high": 10.0,
            },
            "block_variances": lambda: {"net": residual(), "x": images()},
            "crossing_gamma": lambda: {"fan_in": [64, 100, 100]},
            "curvature_products": lambda: on_batch(kind="hessian", mode="train"),
            "extreme_eigenvalues": lambda: {"product": product(), "top": 1, "bottom": 0},
            "filter_normalized": lambda: {"net": mlp(), "direction": direction},
            "fit_growth": lambda: {"values": [1.0, 2.0, 4.0, 8.0], "depth": [1, 2, 3, 4]},
            "gradient_direction": lambda: on_batch(mode="train"),
            "hutchinson_trace": lambda: {"product": product(), "probes": 2, "seed": 0},
            "lanczos_density": lambda: {"product": product(), "probes": 2, "steps": 5},
            "layer_inputs": lambda: {"net": mlp(), "x": images(), "mode": "train"},
            "mean_field": lambda: {"fan_in": [64, 100, 100], "norm": "batch", "gamma": 1.0},
            "measure_cancellation": lambda: on_batch(net=conv(), mode="train"),
            "measure_covariate_shift": lambda: on_batch(lr=0.1, mode="train"),
            "measure_curvature": lambda: on_batch(top=1, bottom=0, probes=0, steps=5),
            "measure_flops": lambda: {"net": mlp(), "x": images(), "samples": 8},
            "measure_gradient_identity": lambda: on_batch(layer=None, mode="train"),
            "measure_gradients": lambda: on_batch(of="weights", bins=5, tail=0.1),
            "measure_indicator": lambda: {
                "nets": [supernet() for _ in range(2)],
                "paths": paths,
                "truth": np.arange(16.0).reshape(2, 8),
                "image_shape": SHAPE,
            },
            "measure_input_shift": lambda: dict.fromkeys(("before", "after"), _inputs()),
            "measure_landscape": lambda: on_batch(steps=[0.1, 0.2], mode="train"),
            "measure_line_slice": lambda: on_batch(direction=direction, t=[0.0, 0.1]),
            "measure_memory": lambda: on_batch(mode="train"),
            "measure_plane_slice": lambda: on_batch(
                directions=(direction, direction), a=[0.0], b=[0.0, 1.0]
            ),
            "measure_relative_loss": lambda: {
                "net": mlp(),
                "loss": cross_entropy,
                "batches": [(images(), labels())],
                "steps": [0.1],
            },
            "measure_signals": lambda: on_batch(mode="train", channel_axis=-1),
            "measure_stable_rate": lambda: {
                "net": mlp(),
                "loss": cross_entropy,
                "batches": [(images(), labels())],
                "low": 0.1,
                "high": 1.0,
                "steps": 2,
            },
            "measure_step_moments": lambda: on_batch(lr=0.1, shares=[0.0, 1.0]),
            "noise_ceiling": lambda: {"truth": truth, "seed": 0},
            "random_direction": lambda: {"net": mlp(), "seed": 0},
            "rank_agreement": lambda: {"truth": truth, "scores": truth + 1, "seed": 0},
            "tail_index": lambda: {"values": np.arange(1.0, 101.0), "tail": 0.1},
        }.items()
    }


def _inputs() -> object:
    return layer_inputs(mlp(), images())
