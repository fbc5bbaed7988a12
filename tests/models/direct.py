"""What the measurements should find, computed directly: autograd, hooks and copies."""

import contextlib
import copy
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from tests.models.zoo import Case, call, loss, same_noise

PLAIN = (nn.Linear, _ConvNd)


def twin(case: Case) -> nn.Module:
    """A copy of the case's net, which may be changed."""
    return copy.deepcopy(case.net)


def near(found: object, wanted: object, share: float = 1e-6) -> None:
    """Fail unless two tensors or numbers agree, up to this share of the largest."""
    found, wanted = (torch.as_tensor(v, dtype=torch.float64) for v in (found, wanted))
    assert found.shape == wanted.shape, (found.shape, wanted.shape)
    room = share * float(wanted.abs().max()) + 1e-12
    gap = float((found - wanted).abs().max())
    assert gap <= room, f"found {found.flatten()[:4]}, wanted {wanted.flatten()[:4]}, gap {gap}"


def value(case: Case, net: nn.Module) -> Tensor:
    """The loss of a net on the case's batch."""
    with same_noise():
        return loss(call(net, case.x), case.y)


def trained(net: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that require a gradient."""
    return {name: p for name, p in net.named_parameters() if p.requires_grad}


def gradients(case: Case, net: nn.Module) -> dict[str, Tensor]:
    """The gradient of every parameter, by plain autograd."""
    found = trained(net)
    slopes = torch.autograd.grad(
        value(case, net), list(found.values()), allow_unused=True, materialize_grads=True
    )
    return dict(zip(found, slopes, strict=True))


@torch.no_grad()
def moved(case: Case, *parts: tuple[float, dict[str, Tensor]]) -> nn.Module:
    """A twin whose weights are moved by multiples of directions."""
    net = twin(case)
    for length, direction in parts:
        for name, parameter in trained(net).items():
            parameter += length * direction[name]
    return net


def length(tensors: Iterable[Tensor]) -> float:
    """Euclidean length of all these numbers together."""
    return float(torch.cat([t.detach().flatten() for t in tensors]).norm())


class Looks:
    """Inputs and outputs of modules in one pass, as tensors that nothing overwrites."""

    def __init__(self) -> None:
        self.inputs: dict[str, list[Tensor]] = {}
        self.outputs: dict[str, list[Tensor]] = {}

    def once(self) -> list[str]:
        """The modules that ran once and gave one tensor of floating-point numbers."""
        return [name for name, found in self.outputs.items() if len(found) == 1]

    def slopes(self, of: Tensor, names: Iterable[str]) -> dict[str, Tensor]:
        """The gradient of a loss with respect to the outputs."""
        names = [name for name in names if self.outputs[name][0].requires_grad]
        outputs = [self.outputs[name][0] for name in names]
        found = torch.autograd.grad(of, outputs, allow_unused=True, materialize_grads=True)
        return dict(zip(names, found, strict=True))


@contextlib.contextmanager
def looking(net: nn.Module, kinds: tuple[type, ...] | None = None) -> Iterator[Looks]:
    """Look at the modules of these kinds, or at all that have no children, while the net runs."""
    looks, hooks = Looks(), []

    def enter(name: str) -> Callable:
        def note(_: nn.Module, args: tuple) -> tuple:
            if not (args and isinstance(args[0], Tensor)):
                return args
            looks.inputs.setdefault(name, []).append(args[0].clone())
            return (looks.inputs[name][-1].clone(), *args[1:])

        return note

    def leave(name: str) -> Callable:
        def note(_: nn.Module, __: tuple, output: object) -> object:
            if not (isinstance(output, Tensor) and output.is_floating_point()):
                return output
            kept = output.clone()
            looks.outputs.setdefault(name, []).append(kept)
            return kept.clone()

        return note

    for name, module in net.named_modules():
        if isinstance(module, kinds or PLAIN) or not (kinds or any(module.children())):
            hooks.append(module.register_forward_pre_hook(enter(name)))
            hooks.append(module.register_forward_hook(leave(name)))
    try:
        yield looks
    finally:
        for hook in hooks:
            hook.remove()


def by_channel(module: nn.Module, values: Tensor) -> Tensor:
    """(C, everything else): features last in a Linear, else on axis 1."""
    axis = -1 if isinstance(module, nn.Linear) else 1
    return values.detach().movedim(axis, 0).flatten(1)


def weight_sum(module: nn.Module, entered: Tensor, slope: Tensor) -> Tensor:
    """The gradient of a weight from what went in and the slope of what came out."""
    if isinstance(module, nn.Linear):
        return torch.einsum("...o,...i->oi", slope, entered)
    rule = getattr(torch.nn.grad, f"conv{len(module.kernel_size)}d_weight")
    kernel = (module.out_channels, module.in_channels // module.groups, *module.kernel_size)
    options = (module.stride, module.padding, module.dilation, module.groups)
    return rule(entered, kernel, slope, *options)
