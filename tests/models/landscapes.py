"""Measurements of the loss around a net, against nets whose weights were moved by hand."""

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from bnlab import measure
from tests.models.direct import gradients, length, looking, moved, near, trained, twin, value
from tests.models.measurements import batch, by_channel, seeded
from tests.models.zoo import Case, call, loss, same_noise

SMALL = 16  # numbers, at most, in the parameter whose dense Hessian is computed


def check_landscape(case: Case) -> None:
    """Losses and changes of the gradient along the negative gradient."""
    steps = [0.01, 0.1]
    found = seeded(measure.measure_landscape, *batch(case), steps)
    slopes = gradients(case, case.net)
    near(found.loss, value(case, case.net).detach())
    near(found.gradient_norm, length(slopes.values()))
    for k, step in enumerate(steps):
        net = moved(case, (-step, slopes))
        there = gradients(case, net)
        near(found.losses[k], value(case, net).detach())
        near(found.gradient_changes[k], length(there[n] - slopes[n] for n in slopes), 1e-5)


def check_line(case: Case) -> None:
    """Losses along a random direction."""
    along = measure.random_direction(case.net)
    found = seeded(measure.measure_line_slice, *batch(case), along, (-0.01, 0.01))
    for k, t in enumerate(found.t):
        near(found.losses[k], value(case, moved(case, (float(t), along))).detach())


def check_plane(case: Case) -> None:
    """The loss at one place of a plane of two random directions."""
    pair = measure.random_direction(case.net, 0), measure.random_direction(case.net, 1)
    found = seeded(measure.measure_plane_slice, *batch(case), pair, a=(0.01,), b=(0.02,))
    net = moved(case, (0.01, pair[0]), (0.02, pair[1]))
    near(found.losses[0, 0], value(case, net).detach())


def check_relative_loss(case: Case) -> None:
    """The loss after one step over that before."""
    pairs = [(case.x, case.y)]
    found = seeded(measure.measure_relative_loss, case.net, loss, pairs, [0.1])
    after = value(case, moved(case, (-0.1, gradients(case, case.net))))
    near(found.relative[0, 0], (after / value(case, case.net)).detach())


def check_stable_rate(case: Case) -> None:
    """At the rate called stable no step raises the loss, at the other one some step does."""
    limits = {"low": 0.1, "high": 10.0, "steps": 2, "rules": ("rise",), "tolerance": 4.0}
    found = seeded(measure.measure_stable_rate, case.net, loss, [(case.x, case.y)], **limits).rise
    for rate, stable in ((found.stable, True), (found.unstable, False)):
        if rate is not None:
            assert _falls(case, rate) is stable, (rate, stable)


def _falls(case: Case, rate: float) -> bool:
    net, falls = twin(case), []
    with same_noise():
        for _ in range(2):
            noise = torch.get_rng_state()
            before = loss(call(net, case.x), case.y)
            next_noise = torch.get_rng_state()
            found = list(trained(net).values())
            slopes = torch.autograd.grad(before, found, allow_unused=True, materialize_grads=True)
            with torch.no_grad():
                for parameter, slope in zip(found, slopes, strict=True):
                    parameter -= rate * slope
            torch.set_rng_state(noise)
            after = loss(call(net, case.x), case.y)
            torch.set_rng_state(next_noise)
            falls.append(bool(after <= before * (1 + 1e-6)))
    return all(falls)


def check_step_moments(case: Case) -> None:
    """Means and variances of every layer's output after half a step."""
    found = seeded(measure.measure_step_moments, *batch(case), lr=0.1, shares=(0.5,))
    net = moved(case, (-0.05, gradients(case, case.net)))
    kinds = tuple({type(net.get_submodule(name)) for name in found.layers})
    with looking(net, kinds) as looks:
        near(found.losses[0], value(case, net).detach())
    for name, mean, variance in zip(found.layers, found.mean, found.variance, strict=True):
        values = by_channel(net.get_submodule(name), looks.outputs[name][0])
        near(mean[0], values.mean(1), 1e-5)
        near(variance[0], values.var(1, False), 1e-5)


def check_curvature(case: Case) -> None:
    """Both ends against a dense Hessian by plain autograd; a product against a difference."""
    net = twin(case)
    name = _small(case)
    for other, parameter in net.named_parameters():
        parameter.requires_grad_(other == name)
    found = seeded(measure.measure_curvature, *batch(case, net), top=1, bottom=1, probes=0)
    values = np.linalg.eigvalsh(_dense(case, net, name))
    size = np.abs(values).max()
    assert abs(found.top[0] - values[-1]) <= 1e-4 * size
    assert abs(found.bottom[0] - values[0]) <= 1e-4 * size
    _check_product(case)


def _small(case: Case) -> str:
    """The small parameter that the loss depends on most; the head's only if there is no other."""
    slopes = gradients(case, twin(case))
    head = list(slopes)[-1].rpartition(".")[0]
    fitting = {n: float(g.norm()) for n, g in slopes.items() if 1 < g.numel() <= SMALL}
    inner = {n: size for n, size in fitting.items() if not n.startswith(head)}
    return max(inner or fitting, key=(inner or fitting).get)


def _dense(case: Case, net: torch.nn.Module, name: str) -> np.ndarray:
    parameter = net.get_parameter(name)
    with sdpa_kernel(SDPBackend.MATH):  # the fused kernel has no second derivative
        (slope,) = torch.autograd.grad(value(case, net), parameter, create_graph=True)
    rows = [torch.autograd.grad(s, parameter, retain_graph=True)[0] for s in slope.flatten()]
    return torch.stack([row.flatten() for row in rows]).numpy()


def _check_product(case: Case) -> None:
    along = measure.random_direction(case.net)
    with same_noise(), measure.curvature_products(*batch(case)) as product:
        found = product(torch.cat([along[n].flatten() for n in trained(case.net)]))
    agree = (_gap(case, along, found, h) < 1e-3 for h in (1e-8, 1e-6, 1e-4))
    assert any(agree), "no difference of gradients agrees with the product"


def _gap(case: Case, along: dict[str, torch.Tensor], found: torch.Tensor, h: float) -> float:
    """Between a product and a difference of gradients; a kink or rounding makes it large."""
    ends = [gradients(case, moved(case, (side, along))) for side in (h, -h)]
    wanted = torch.cat([(ends[0][n] - ends[1][n]).flatten() / (2 * h) for n in along])
    return float((found - wanted).norm() / wanted.norm())
