"""What a Run trains: the untrained net, its data, its device."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from bnlab.arguments import checked
from bnlab.data import Dataset, batches, load, with_wrong_labels
from bnlab.methods import apply_method, projected_layers
from bnlab.nets import make_net
from bnlab.norms import Normalizer
from bnlab.norms.weight import normalize_weights, project_after_step
from bnlab.runs.optimizers import make_optimizer
from bnlab.runs.run import Run


@checked
def make_device(device: str = "auto") -> torch.device:
    """The device called so; ``auto`` is the GPU if torch sees a CUDA one, else the CPU.

    Raises:
        ValueError: if torch does not know the device or cannot use it here.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen).item()  # "meta" makes tensors too, but they hold nothing
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        first_line = str(error).splitlines()[0]
        raise ValueError(f"device {device!r} cannot be used here ({first_line}).") from error
    return chosen


@checked
@contextlib.contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Let torch use ``count`` threads inside; None leaves it as it is."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@checked
def build(run: Run) -> nn.Module:
    """The untrained net of a Run, on the CPU, with torch's fused kernels where there are any."""
    data = load(run.data, run.split_seed, run.image_size)
    options = {"native": True, **run.norm_options}
    shape, classes = data.image_shape, data.num_classes
    sizes = (run.depth, run.width)
    net = make_net(run.net, shape, classes, *sizes, run.norm, options, run.seed, **run.net_options)
    net = apply_method(net, run.method, run.method_options)
    _start_gamma(net, run.gamma)
    if run.weight_norm != "none":
        normalize_weights(net, run.weight_norm, **run.weight_norm_options)
    return net.to(getattr(torch, run.precision))


def optimizer_of(run: Run, net: nn.Module) -> torch.optim.Optimizer:
    """The optimizer of a Run for its net; with a projection after each step if its method has one.

    Raises:
        ValueError: for a bad value of an option.
    """
    optimizer = make_optimizer(run.optimizer, net, run.lr, **run.optimizer_options)
    rule = projected_layers(run.method, run.method_options)
    if rule is not None:
        project_after_step(optimizer, net, rule)
    return optimizer


@checked
def training_data(run: Run) -> Dataset:
    """The data of a Run; some training labels are wrong if it says so."""
    data = load(run.data, run.split_seed, run.image_size)
    if not run.label_noise:
        return data
    wrong = with_wrong_labels(data.train_y, run.label_noise, data.num_classes, run.seed)
    return dataclasses.replace(data, train_y=wrong)


def training_batches(run: Run, labels: np.ndarray) -> Iterator[np.ndarray]:
    """Numbers of the training images of each step of a Run, (B,) each.

    Raises:
        ValueError: at once, for a batch that is larger than the data.
    """
    size, options = run.batch_size, run.sampler_options
    return batches(labels, run.sampler, run.seed, size, run.steps, **options)


def _start_gamma(net: nn.Module, gamma: float) -> None:
    for module in net.modules():
        if isinstance(module, Normalizer) and getattr(module, "weight", None) is not None:
            nn.init.constant_(module.weight, gamma)
