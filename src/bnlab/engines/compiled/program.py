"""Programs: what one net, or one optimizer, asks of the kernels, and where its tensors lie."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from bnlab.engines.compiled import step as steps
from bnlab.engines.compiled.compiler import elementwise, matrix, views  # noqa: F401  (they register their rules)
from bnlab.engines.compiled.compiler.graph import Lowering
from bnlab.engines.compiled.compiler.plan import PADDING, ends, plan, table, words
from bnlab.engines.compiled.compiler.trace import named_modules, trace
from bnlab.engines.compiled.update import UPDATES, Update
from bnlab.engines.compiled.update import example as update_example
from bnlab.engines.compiled.watch import count_of_metrics

LARGEST_BATCH = 300
"""Samples a program has room for: batches of 256, and the 300 validation images at once."""

LARGEST_SIDE = 16
"""Pixels of an image in height and width: larger ones ask for more memory than they are worth."""

EXAMPLE_UNITS = 6
"""Samples, or ghost batches, in the example that is traced: no size of a net, and not 1."""

SCALARS = (
    *("lr", "weight_decay", "momentum", "beta1", "beta2", "eps", "power1", "power2"),
    *("r_max", "d_max", "n_mu", "n_sigma", "r_mu", "r_sigma", "clip"),
)
"""Numbers that may change from step to step: doubles at the start of every heap, in this order."""

SCRATCH = 2 * len(SCALARS)
"""Where updates keep numbers of their own, 128 words."""

RESULTS = SCRATCH + 128
"""Where the results begin: loss, accuracy, gradient norm, and the numbers of each layer."""

VECTORS = ("params", "gradient", "slot0", "slot1")
"""What optimizers work on. In their programs vector k lies at ``(k + 1) * FAR``, see ``moved``."""
FAR = 2**24

SEGMENTS = (("loss", "accuracy"), ("gradient", "buffers'", "counters'"), ("layers",))
"""Results of a gradient program in groups; it can stop after each."""


@dataclass
class Library:
    """The kernels of several programs; a kernel's number is its place in ``kernels``."""

    kernels: dict[tuple[str, int], int] = field(default_factory=dict)

    def numbers(self, low: Lowering) -> dict[tuple[str, int], int]:
        """The numbers of the kernels that a lowering calls; new ones are added."""
        for call in low.calls:
            self.kernels.setdefault(call.kernel, len(self.kernels))
        return self.kernels


@dataclass(frozen=True)
class Program:
    """Calls of kernels for one function.

    Attributes:
        code: for each call the number of the kernel and its places, in words of the heap.
        ends: words of ``code`` up to the end of each segment.
        places: word offsets of the tensors that the host reads or writes.
        sizes: elements of some of them: params, buffers, counters, layers, and one sample of x.
        heap: words of the heap in all.
        notes: for each call what it was written for; empty for a program from a file.
    """

    code: tuple[int, ...]
    ends: tuple[int, ...]
    places: dict[str, int]
    sizes: dict[str, int]
    heap: int
    notes: tuple[str, ...] = field(default=(), compare=False, repr=False)


def sizes_of(net: nn.Module, image_shape: tuple[int, ...], watch: str = "layers") -> dict[str, int]:
    """Elements of what depends on the net; see ``Program.sizes``."""
    state = steps.State.of(net)
    return {
        "params": sum(state.params.sizes),
        "buffers": sum(state.buffers.sizes),
        "counters": sum(state.counters.sizes),
        "layers": count_of_metrics(net, image_shape, watch),
        "x": math.prod(image_shape),
    }


def layout(sizes: dict[str, int]) -> tuple[dict[str, int], int]:
    """Word offsets of everything that programs of a net and the host share, and their end."""
    lengths = {
        **dict.fromkeys(VECTORS, sizes["params"]),
        "buffers": sizes["buffers"],
        "counters": sizes["counters"],
        "x": LARGEST_BATCH * sizes["x"],
        "y": LARGEST_BATCH,
    }
    places = {name: 2 * k for k, name in enumerate(SCALARS)}
    places |= {"loss": RESULTS, "accuracy": RESULTS + 1, "norm": RESULTS + 2, "layers": RESULTS + 3}
    end = words("real", RESULTS + 3 + sizes["layers"])
    for name, length in lengths.items():
        places[name] = end
        end += words("real", length) + PADDING
    return places, end


def _names(inputs: tuple[str, ...]) -> list[str]:
    return ["x", "y", "params", "buffers", "counters", *inputs]


def fixed(places: dict[str, int]) -> dict[str, int]:
    """Places of the tensors of a lowering: NAME' is the new value of NAME, in its place."""
    return {**places, **{f"{name}'": at for name, at in places.items()}}


def gradient_program(
    net: nn.Module,
    image_shape: tuple[int, ...],
    library: Library,
    loss: str = "cross_entropy",
    watch: str = "layers",
) -> Program:
    """The program of ``gradient_step(net)``, with segments forward, backward, metrics.

    Raises:
        NotSupportedError: if the net does something that cannot be compiled.
    """
    function = steps.gradient_step(net.train(), loss, watch)
    return _program(net, image_shape, library, function, SEGMENTS, watch)


def evaluation_program(
    net: nn.Module,
    image_shape: tuple[int, ...],
    library: Library,
    loss: str = "cross_entropy",
    watch: str = "layers",
) -> Program:
    """The program of ``evaluation_step(net)`` in evaluation mode."""
    function = steps.evaluation_step(net.eval(), loss)
    return _program(net, image_shape, library, function, SEGMENTS[:1], watch)


def ghost_unit(net: nn.Module) -> int:
    """Samples that every ghost batch of the net fits into; 1 without ghost batches."""
    return math.lcm(*(m.ghost_size for m in net.modules() if hasattr(m, "ghost_size")))


def _by_units(function: Callable[..., tuple]) -> Callable[..., tuple]:
    # Sizes of ghost batches are multiples of their number, and fractions of that of the samples,
    # with which torch's symbolic arithmetic takes minutes.
    def of_units(x: Tensor, y: Tensor, *rest: Tensor) -> tuple:
        return function(x.flatten(0, 1), y.flatten(0, 1), *rest)

    return of_units


def _program(
    net: nn.Module,
    image_shape: tuple[int, ...],
    library: Library,
    function: Callable[..., tuple],
    segments: tuple[tuple[str, ...], ...],
    watch: str,
) -> Program:
    net = net.to(torch.float32)
    unit = ghost_unit(net)
    x, y, *rest = steps.example(net, image_shape, EXAMPLE_UNITS * unit)
    if unit > 1:
        x, y = x.unflatten(0, (-1, unit)), y.unflatten(0, (-1, unit))
        function = _by_units(function)
    with named_modules(net):
        module = trace(function, [x, y, *rest], dynamic=(0, 1))
    low = Lowering(unit=unit)
    low.run(module.graph, _names(tuple(steps.inputs_of(net))), segments)
    sizes = sizes_of(net, image_shape, watch)
    places, first = layout(sizes)
    offsets, heap = plan(low, fixed(places), first, LARGEST_BATCH)
    return _finished(low, offsets, library, places, sizes, heap)


def _finished(
    low: Lowering,
    offsets: dict[int, int],
    library: Library,
    places: dict[str, int],
    sizes: dict[str, int],
    heap: int,
) -> Program:
    code, notes = table(low, offsets, library.numbers(low)), (call.note for call in low.calls)
    return Program(tuple(code), tuple(ends(low, low.marks)), places, sizes, heap, tuple(notes))


def update_program(name: str, library: Library) -> Program:
    """The program of an optimizer, a key of ``UPDATES``; to be ``moved`` to a net's vectors."""
    update = UPDATES[name]
    vectors = vectors_of(update)
    dynamic = tuple(range(len(vectors)))
    module = trace(update.function, update_example(update, 6), dynamic)
    low = Lowering()
    results = [f"{name}'" for name in (*update.changes, *update.powers)]
    low.run(module.graph, [*vectors, *update.powers, *update.inputs], [results])
    places = {name: 2 * k for k, name in enumerate(SCALARS)}
    places |= {name: (k + 1) * FAR for k, name in enumerate(VECTORS)}
    offsets, end = plan(low, fixed(places), SCRATCH, LARGEST_BATCH)
    assert end <= RESULTS, "an update may keep single numbers of its own, but no vectors"
    return _finished(low, offsets, library, {}, {}, 0)


def norm_program(library: Library) -> Program:
    """The Euclidean norm of the gradient of any net; to be ``moved`` as an update."""
    module = trace(lambda gradient: ((gradient * gradient).sum().sqrt(),), [torch.zeros(6)], (0,))
    low = Lowering()
    low.run(module.graph, ["gradient"], [["norm"]])
    places = {"gradient": 2 * FAR, "norm": RESULTS + 2}
    offsets, end = plan(low, places, SCRATCH, LARGEST_BATCH)
    assert end <= RESULTS
    return _finished(low, offsets, library, {}, {}, 0)


def vectors_of(update: Update) -> list[str]:
    """The vectors that an update takes, in order."""
    return ["params", "gradient", *VECTORS[2 : 2 + len(update.slots)]]


def moved(code: Iterable[int], places: dict[str, int]) -> list[int]:
    """The code of an update for the vectors of a net that lie at ``places``."""
    result = []
    for word in code:
        vector, rest = divmod(word, FAR)
        result.append(word if vector == 0 else places[VECTORS[vector - 1]] + rest)
    return result
