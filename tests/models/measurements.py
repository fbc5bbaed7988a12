"""Every measure_... against plain autograd, hooks and torch's own counters."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase
from torch.nn.modules.conv import _ConvNd
from torch.utils.flop_counter import FlopCounterMode

from bnlab import measure
from tests.models.direct import (
    PLAIN,
    Looks,
    by_channel,
    gradients,
    looking,
    near,
    trained,
    twin,
    value,
    weight_sum,
)
from tests.models.zoo import Case, call, loss, same_noise


def seeded(function: object, *args: object, **options: object) -> object:
    """A measurement, under the noise of the direct computations; it leaves the net as it was."""
    net = args[0]
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    modes = [module.training for module in net.modules()]
    with same_noise():
        found = function(net, *args[1:], **options)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert modes == [module.training for module in net.modules()]
    return found


def batch(case: Case, net: nn.Module | None = None) -> tuple:
    """What every measurement is called with: a net, a loss and a batch."""
    return (net or case.net), loss, case.x, case.y


def check_signals(case: Case) -> None:
    """Statistics of the outputs of Linear and convolutions; by default, of the net's own stages."""
    found = seeded(measure.measure_signals, *batch(case), layers=PLAIN)
    net = twin(case)
    with looking(net, PLAIN) as looks:
        of = value(case, net)
    once = [name for name in looks.once() if name in found.names]
    slopes = looks.slopes(of, once)
    assert once, "no layer to compare"
    for name in once:
        k, module, output = found.names.index(name), net.get_submodule(name), looks.outputs[name][0]
        values = by_channel(module, output)
        near(found.mean[k], values.mean())
        near(found.variance[k], values.var(1, False).mean())
        near(found.dead[k], (values == 0).all(1).double().mean())
        rows = nn.functional.normalize(output.detach().flatten(1), dim=1)
        pairs = rows @ rows.T
        near(found.cosine[k], pairs[~torch.eye(len(rows), dtype=bool)].mean(), 1e-5)
        if name in slopes:
            near(found.gradient_norm[k], slopes[name].norm())
    _check_stages(case)


def _check_stages(case: Case) -> None:
    found = seeded(measure.measure_signals, *batch(case))
    net = twin(case)
    with looking(net) as looks:
        value(case, net)
    for mean, variance in zip(found.mean, found.variance, strict=True):
        pairs = [pair for name in looks.outputs for pair in _moments(net, looks, name)]
        assert any(np.allclose((mean, variance), pair, rtol=1e-6, atol=1e-9) for pair in pairs)


def _moments(net: nn.Module, looks: Looks, name: str) -> list[tuple[float, float]]:
    """Mean and variance of a channel of what a module gave; of an activation, on either axis."""
    module = net.get_submodule(name)
    axes = (1,) if isinstance(module, (_ConvNd, _NormBase)) else (1, -1)
    axes = (-1,) if isinstance(module, nn.Linear) or type(module) is nn.LayerNorm else axes
    if type(module).__name__ == "Permute":  # it gives what another module gave
        return []
    outputs = [o.detach() for o in looks.outputs[name] if o.ndim > 1]
    return [
        (float(o.mean()), float(o.movedim(axis, 0).flatten(1).var(1, False).mean()))
        for o in outputs
        for axis in axes
    ]


def check_gradients(case: Case) -> None:
    """Scale and counts of the gradients of each module's matrices."""
    found = seeded(measure.measure_gradients, *batch(case))
    slopes = gradients(case, case.net)
    for k, name in enumerate(found.names):
        module = case.net.get_submodule(name)
        own = [f"{name}.{n}" if name else n for n, p in module.named_parameters(recurse=False)]
        parts = [slopes[n].flatten() for n in own if n in slopes and slopes[n].ndim > 1]
        near(found.std[k], torch.cat(parts).square().mean().sqrt())
        near(found.counts[k].sum(), len(torch.cat(parts)))
    everything = {n.rpartition(".")[0] for n, g in slopes.items() if g.ndim > 1}
    assert set(found.names) == everything


def check_cancellation(case: Case) -> None:
    """Both sums from the layers' inputs and the slopes of their outputs; one is the gradient."""
    found = seeded(measure.measure_cancellation, *batch(case))
    net = twin(case)
    with looking(net, PLAIN) as looks:
        of = value(case, net)
    once = [name for name in looks.once() if name in found.names]
    slopes, whole = looks.slopes(of, once), gradients(case, case.net)
    assert slopes, "no layer to compare"
    for name, slope in slopes.items():
        k, module, entered = found.names.index(name), net.get_submodule(name), looks.inputs[name][0]
        if type(module).forward in (nn.Linear.forward, nn.Conv1d.forward, nn.Conv2d.forward):
            parts = weight_sum(module, entered.detach().abs(), slope.abs())
            near(found.absolute[k], parts.mean())
            near(found.summed[k], weight_sum(module, entered.detach(), slope).abs().mean())
        if f"{name}.weight" in whole and "Std" not in type(module).__name__:
            near(found.summed[k], whole[f"{name}.weight"].abs().mean())


def check_covariate_shift(case: Case) -> None:
    """The first, middle and last layer: all before it take a step, and its gradient is compared."""
    lr = 0.1
    slopes, order = gradients(case, case.net), _called(case)
    matrices = {n.rpartition(".")[0] for n, slope in slopes.items() if slope.ndim > 1}
    names = [n for n in order if n in matrices and not any(case.net.get_submodule(n).children())]
    names = list(dict.fromkeys([names[0], names[len(names) // 2], names[-1]]))
    every = seeded(measure.measure_covariate_shift, *batch(case), lr=lr, layers=names)
    assert every.names == tuple(names)
    for k, name in enumerate(names):
        net = twin(case)
        with torch.no_grad():
            for earlier in order[: order.index(name)]:
                for own, parameter in net.get_submodule(earlier).named_parameters(recurse=False):
                    parameter -= lr * slopes.get(f"{earlier}.{own}".lstrip("."), 0)
        after = gradients(case, net)
        own = [n for n in slopes if n.rpartition(".")[0] == name]
        before, now = (torch.cat([g[n].flatten() for n in own]) for g in (slopes, after))
        near(every.before[k], before.norm())
        near(every.after[k], now.norm(), 1e-5)
        near(every.l2[k], (now - before).norm(), 1e-4)


def _called(case: Case) -> list[str]:
    net, order = twin(case), {}
    for name, module in net.named_modules():
        if any(True for _ in module.parameters(recurse=False)):
            module.register_forward_pre_hook(lambda _, __, name=name: order.setdefault(name))
    value(case, net)
    return list(order) + [n for n, m in net.named_modules() if n not in order]


def check_flops(case: Case) -> None:
    """The counter of torch around a forward pass, and 2 m n k for each Linear and convolution."""
    found = seeded(measure.measure_flops, case.net, case.x)
    net = twin(case)
    with (
        torch.no_grad(),
        same_noise(),
        sdpa_kernel(SDPBackend.MATH),
        FlopCounterMode(display=False) as counter,
        looking(net, PLAIN) as looks,
    ):
        call(net, case.x)
    near(found.total, counter.get_total_flops(), 0)
    for name, outputs in looks.outputs.items():
        weight = net.get_submodule(name).weight
        if outputs[0].ndim >= 2 and type(net.get_submodule(name)).__name__ != "ConvTranspose2d":
            sums = sum(o.numel() for o in outputs) * weight[0].numel()
            near(found.by_layer[name], 2 * sums, 0)


def check_memory(case: Case) -> None:
    """Bytes of all storages that autograd holds, less those of the net and the batch."""
    import weakref

    found = seeded(measure.measure_memory, *batch(case))
    net, kept = twin(case), []

    class Box:
        def __init__(self, tensor: Tensor) -> None:
            self.tensor = tensor.detach()

    def pack(tensor: Tensor) -> Box:
        box = Box(tensor)
        kept.append(weakref.ref(box))
        return box

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda box: box.tensor):
        of = value(case, net)
    alive = [box().tensor.untyped_storage() for box in kept if box() is not None]
    sizes = {storage.data_ptr(): storage.nbytes() for storage in alive}
    inputs = case.x.values() if isinstance(case.x, dict) else [case.x]
    own = [*net.parameters(), *net.buffers(), *inputs, case.y]
    there = {tensor.untyped_storage().data_ptr() for tensor in own}
    near(found.saved, sum(size for place, size in sizes.items() if place not in there), 0)
    near(sum(found.by_layer.values()), found.saved, 0)
    del of


def check_identity(case: Case) -> None:
    """Both sides at the first BatchNorm, from its input and the slope of its output."""
    found = seeded(measure.measure_gradient_identity, *batch(case))
    net = twin(case)
    module = net.get_submodule(found.layer)
    assert isinstance(module, _BatchNorm)
    ends = []

    def enter(_: nn.Module, args: tuple) -> tuple:
        z = args[0].detach().requires_grad_()
        ends.append(z)
        return (z,)

    module.register_forward_pre_hook(enter)
    with looking(net, (type(module),)) as looks:
        of = value(case, net)
    (left,) = torch.autograd.grad(of, ends, retain_graph=True)
    near(found.before, left.movedim(1, 0).flatten(1).square().sum(1), 1e-6)
    near(found.right, found.before, 1e-6)
    after = looks.slopes(of, [found.layer])[found.layer]
    near(found.after, after.movedim(1, 0).flatten(1).square().sum(1), 1e-6)


def check_input_shift(case: Case) -> None:
    """Means and variances of the inputs of all layers, before and after a step."""
    net = twin(case)
    slopes = gradients(case, net)
    records, looked = [], []
    for _ in range(2):
        records.append(seeded(measure.layer_inputs, net, case.x))
        with looking(net, PLAIN) as looks:
            value(case, net)
        looked.append(looks)
        with torch.no_grad():
            for name, parameter in trained(net).items():
                parameter -= 0.1 * slopes[name]
    found = measure.measure_input_shift(*records)
    for name in looked[0].once():
        module, k = net.get_submodule(name), found.names.index(name)
        before, after = (by_channel(module, looks.inputs[name][0]) for looks in looked)
        near(found.mean_change[k], (after.mean(1) - before.mean(1)).abs().mean(), 1e-5)
        change = after.var(1, False) - before.var(1, False)
        near(found.variance_change[k], change.abs().mean(), 1e-5)


def check_indicator(case: Case) -> None:
    """It is for supernets alone."""
    truth = np.array([[0.5, 0.6], [0.4, 0.7]])
    measure.measure_indicator(case.net, [[0], [1]], truth, (3, 32, 32))
    raise AssertionError("a net that is no supernet was taken for one")
