"""From a function of tensors to a graph of core ATen operations, for every size of a batch.

``make_fx(tracing_mode="symbolic")`` would make every axis of every input symbolic and tie equal
sizes together: a batch of 8 to 8 groups. Here one axis of the inputs that are named is dynamic, and
everything else is a constant.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, fx, nn
from torch._decomp import core_aten_decompositions, get_decompositions
from torch._dispatch.python import enable_python_dispatcher
from torch._dynamo.source import ConstantSource
from torch._functorch.compile_utils import fx_graph_cse
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx import traceback
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.experimental.symbolic_shapes import DimDynamic, ShapeEnv, StatelessSymbolicContext

from bnlab.norms import noise

aten = torch.ops.aten

# What core ATen keeps whole and the lowering does not know.
SPLIT = (
    aten._log_softmax,
    aten._log_softmax_backward_data,
    aten.threshold_backward,
    aten.sigmoid_backward,
    aten.tanh_backward,
    aten.linalg_vector_norm,
    aten.addcmul,
    aten.lerp,
)


def trace(
    function: Callable[..., tuple], args: Sequence[Tensor], dynamic: Sequence[int]
) -> fx.GraphModule:
    """The graph of ``function``.

    Args:
        function: of tensors, gives a tuple of tensors.
        args: examples of its arguments, all float32 or integers; float64 for plain numbers.
        dynamic: indices of those whose first axis may have any size, the same for all of them.

    Raises:
        RuntimeError: if the function only works for the size of the example.
    """
    env = ShapeEnv()
    mode = FakeTensorMode(shape_env=env, allow_non_fake_inputs=True)
    fakes = [_fake(mode, a, k in dynamic, f"input{k}") for k, a in enumerate(args)]
    # Without the Python dispatcher some decompositions fix the size silently.
    with mode, enable_python_dispatcher(), _undivided_noise():
        module = make_fx(function, tracing_mode="real", decomposition_table=_table())(*fakes)
    for k in dynamic:
        if not isinstance(fakes[k].shape[0], torch.SymInt) or _is_fixed(fakes[k].shape[0]):
            raise RuntimeError(
                f"the size of input {k} became the constant {fakes[k].shape[0]} while tracing: "
                "some operation of the net works for this size alone."
            )
    _without_mutation(module.graph)
    graph = fx_graph_cse(module.graph)
    graph.eliminate_dead_code()
    return fx.GraphModule(module, graph)


@functools.cache
def _table() -> dict:
    # A plain dictionary: torch's own is filled anew, in a second, by each trace.
    return {**dict(core_aten_decompositions().items()), **get_decompositions(SPLIT)}


@contextlib.contextmanager
def named_modules(net: nn.Module) -> Iterator[None]:
    """Let the nodes of a graph say which module of ``net`` they come from, see ``module_of``."""
    stack = [""]

    def enter(name: str) -> None:
        stack.append(name)
        traceback.current_meta["custom"] = {"module": name}

    def leave() -> None:
        stack.pop()
        traceback.current_meta["custom"] = {"module": stack[-1]}

    hooks = []
    for name, module in net.named_modules():
        hooks.append(module.register_forward_pre_hook(lambda *_, name=name: enter(name)))
        hooks.append(module.register_forward_hook(lambda *_: leave()))
    try:
        with traceback.preserve_node_meta():
            yield
    finally:
        for hook in hooks:
            hook.remove()


def module_of(node: fx.Node) -> str:
    """The name of the module that a node comes from; in a backward pass, of one that it needs."""
    queue, seen = [node], {node}
    while queue:
        one = queue.pop(0)
        if name := one.meta.get("custom", {}).get("module"):
            return name
        new = [n for n in one.all_input_nodes if n not in seen]
        queue, seen = queue + new, seen | set(new)
    return ""


def _fake(mode: FakeTensorMode, arg: Tensor, is_dynamic: bool, name: str) -> Tensor:
    sizes = [DimDynamic.STATIC] * arg.ndim
    if is_dynamic:
        sizes[0] = DimDynamic.DYNAMIC
    context = StatelessSymbolicContext(dynamic_sizes=sizes)
    return mode.from_tensor(arg, source=ConstantSource(name), symbolic_context=context)


def _is_fixed(size: torch.SymInt) -> bool:
    return size.node.expr.is_number


@contextlib.contextmanager
def _undivided_noise() -> Iterator[None]:
    # Blocks of noise are for the processor's cache; how many there are would fix the batch.
    block, noise.BLOCK = noise.BLOCK, 2**31
    try:
        yield
    finally:
        noise.BLOCK = block


def _without_mutation(graph: fx.Graph) -> None:
    """x.op_(...) becomes x' = x.op(...), and x' stands for x from there on."""
    order = {node: k for k, node in enumerate(graph.nodes)}
    for node in list(graph.nodes):
        target = node.target
        if not isinstance(target, torch._ops.OpOverload) or not _mutates(target):
            continue
        packet = getattr(aten, target._schema.name.removeprefix("aten::").removesuffix("_"))
        node.target = getattr(packet, target._overloadname)
        changed = node.args[0]
        for user in list(changed.users):
            if order[user] > order[node]:
                user.replace_input_with(changed, node)


def _mutates(target: torch._ops.OpOverload) -> bool:
    name = target._schema.name
    return name.startswith("aten::") and name.endswith("_") and target._schema.is_mutable
