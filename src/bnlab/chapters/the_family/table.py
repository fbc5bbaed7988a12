"""The table of all methods: formulas from here, everything else from the modules themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from bnlab.arguments import checked
from bnlab.draw.shown import Shown, table
from bnlab.draw.style import STYLE
from bnlab.errors import check_name
from bnlab.measure.cost.cost import measure_cost
from bnlab.measure.kit.dependence import Dependence, measure_dependence
from bnlab.norms import NORMS, make_norm
from bnlab.norms.weight import WEIGHT_NORMS, normalize_weights
from bnlab.train import make_device, threads

SHAPE = (32, 32, 8, 8)
SMALL = 1e-6  # rounding; a real change is larger
BEYOND = 50.0  # times as large: what no method corrects without clipping


@dataclass(frozen=True)
class Method:
    """What no module can say about itself: its formula, and what its statistic is taken over.

    ``clips`` says that the method limits a correction, so that it is tried beyond the limits too.
    """

    formula: str
    over: str
    options: tuple[tuple[str, object], ...] = ()
    clips: bool = False


SHIFTED = "γ (x − μ) / √(σ² + ε) + β"
BATCH, SAMPLE = "N, H, W; one a channel", "C, H, W; one a sample"
GROUP = "g channels, H, W; one a sample and group"
METHODS: dict[str, Method] = {
    "none": Method("x", "nothing"),
    "batch": Method(SHIFTED, BATCH),
    "ghost_batch": Method(
        SHIFTED, "part of N, H, W; one a part and channel", (("ghost_size", SHAPE[0] // 4),)
    ),
    "batch_renorm": Method(
        "γ (r (x − μ) / σ + d) + β, with r = σ / σ_run, d = (μ − μ_run) / σ_run, both clipped",
        BATCH,
        clips=True,
    ),
    "variance": Method("γ x / √(σ² + ε) + β", BATCH),
    "l1_batch": Method("γ (x − μ) / (mean |x| + ε) + β", BATCH),
    "l2_batch": Method("γ (x − μ) / √(mean x² + ε) + β", BATCH),
    "linf_batch": Method("γ (x − μ) / (max |x| + ε) + β", BATCH),
    "noisy_batch": Method("s · [γ (x − μ) / √(σ² + ε) + β] + t, with s and t drawn", BATCH),
    "layer": Method(SHIFTED, SAMPLE),
    "group": Method(SHIFTED, GROUP, (("group_size", SHAPE[1] // 4),)),
    "instance": Method(SHIFTED, "H, W; one a sample and channel"),
    "rms": Method("γ x / √(mean x² + ε)", SAMPLE),
    "filter_response": Method("max(γ x / √(mean x² + ε) + β, τ)", "H, W; one a sample and channel"),
    "evonorm_b0": Method(
        "γ x / max(√(σ² + ε), v x + √(σ_i² + ε)) + β",
        "σ: N, H, W; one a channel. σ_i: H, W; one a sample and channel",
    ),
    "evonorm_s0": Method(
        "γ x · sigmoid(v x) / √(σ² + ε) + β", GROUP, (("group_size", SHAPE[1] // 4),)
    ),
}
WEIGHTS: dict[str, Method] = {
    "weight_norm": Method("w = a v / ‖v‖, with a learned", "the weights of one output"),
    "weight_standardization": Method("w = (v − μ) / √(σ² + ε)", "the weights of one output"),
    "scaled_weight_standardization": Method(
        "w = k a (v − μ) / √(n (σ² + ε)), with n inputs, a learned, and k = 1.71 before a ReLU",
        "the weights of one output",
    ),
    "weight_mean": Method("w = v − μ", "the weights of one output"),
}
FORMULAS = ["Name", "Output", "Statistic over"]
BEHAVIOUR = ["Name", "Learned", "Stored", "Others matter in", "Train = eval", "Time"]


@checked
def methods_table(kind: str = "activations", device: str = "cpu") -> Shown:
    """All normalizers of a kind: what they compute, and how they behave, tried here and now.

    Parameters and buffers are those of the modules. Whether other samples matter, and whether both
    modes compute the same, is found by ``measure_dependence`` after a few training batches. Time is
    that of a training pass on ``device``, torch's kernel where there is one, divided by the time of
    ``batch``; for normalizers of weights, of a convolution with it by that without.

    Args:
        kind: ``activations`` or ``weights``.
        device: where the time is measured.

    Raises:
        ValueError: for another kind.
    """
    check_name("kind of normalizers", kind, ("activations", "weights"))
    of_weights = kind == "weights"
    methods, modules = (WEIGHTS, _layers()) if of_weights else (METHODS, _normalizers())
    # A mean of its own, which running statistics have to find.
    batches = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(0)) + 0.5
    costs = _costs(modules, "plain" if of_weights else "batch", batches[0].to(make_device(device)))
    rows = [_row(name, modules[name].cpu(), batches, costs[name], methods) for name in methods]
    formulas = [[_label(name), method.formula, method.over] for name, method in methods.items()]
    (first, text_1), (second, text_2) = table(FORMULAS, formulas), table(BEHAVIOUR, rows)
    return Shown(
        f'<div class="bnlab-table bnlab-formulas">{first}</div>'
        f'<div class="bnlab-table">{second}</div>',
        f"{text_1}\n\n{text_2}",
    )


@threads(1)
def _costs(modules: dict[str, nn.Module], first: str, x: torch.Tensor) -> dict[str, float]:
    ordered = {first: modules[first], **modules}
    return measure_cost({name: module.to(x.device) for name, module in ordered.items()}, x)


def _row(
    name: str, module: nn.Module, batches: torch.Tensor, cost: float, methods: dict[str, Method]
) -> list[str]:
    with torch.no_grad():
        for one in batches[2:]:
            module.train()(one)
    words = _words(measure_dependence(module, batches[0], batches[1]))
    if methods[name].clips:
        far = BEYOND * batches[:2]
        words = _clipped(words, _words(measure_dependence(module, far[0], far[1])))
    learned, stored = (_names(kind) for kind in (module.named_parameters(), module.named_buffers()))
    return [_label(name), learned, stored, *words, f"{cost:.1f}"]


def _label(name: str) -> str:
    return f"{STYLE[name]['label']}, {name}" if name in STYLE else name


def _normalizers() -> dict[str, nn.Module]:
    return {
        name: make_norm(name, SHAPE[1], native=True, **dict(METHODS[name].options))
        for name in NORMS
    }


def _layers() -> dict[str, nn.Module]:
    def convolution() -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return nn.Conv2d(SHAPE[1], SHAPE[1], 3, padding=1, bias=False)

    layers = {"plain": convolution()}
    for name in WEIGHT_NORMS:
        layers[name] = convolution()
        normalize_weights(layers[name], name)
    return layers


def _names(tensors: Iterable[tuple[str, torch.Tensor]]) -> str:
    last = [name.split(".")[-1] for name, _ in tensors]
    return ", ".join(last) or "–"


def _words(found: Dependence) -> list[str]:
    modes = [m for m in ("train", "eval") if getattr(found, m) > SMALL]
    return [" and ".join(modes) or "neither", "no" if found.modes > SMALL else "yes"]


def _clipped(within: list[str], beyond: list[str]) -> list[str]:
    """The words for inputs within the limits, with what changes where a correction is clipped."""
    (others, others_beyond), (same, same_beyond) = zip(within, beyond, strict=True)
    return [
        others if others == others_beyond else f"{others_beyond}, where clipped",
        same if same == same_beyond else f"{same}, unless clipped",
    ]
