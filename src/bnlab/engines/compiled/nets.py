"""Compiled nets: which program a Run needs, and a store of programs that share their kernels."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import nn

from bnlab.data import load
from bnlab.engines.compiled import step as steps
from bnlab.engines.compiled.compiler.build import wasm
from bnlab.engines.compiled.compiler.codegen import TYPES, c_source
from bnlab.engines.compiled.program import (
    Library,
    Program,
    evaluation_program,
    gradient_program,
    norm_program,
    update_program,
)
from bnlab.engines.compiled.tensorwise import extra_program
from bnlab.engines.compiled.update import UPDATES
from bnlab.methods import apply_method
from bnlab.nets import make_net
from bnlab.norms.weight import normalize_weights
from bnlab.runs.run import Run

NORM = "gradient_norm"
"""The program, among those of the updates, that gives the norm of the gradient."""


STARTS = ("first_weights",)
"""Options of nets that say where weights start, and make no other program."""


@dataclass(frozen=True)
class Net:
    """What a program depends on, as far as it is no input of the program.

    Attributes:
        net, depth, width, norm, weight_norm: as in a Run.
        options: those options of the normalizer that are constants of a program, as JSON.
        net_options, weight_norm_options: as in a Run, as JSON.
        image_shape: (C, H, W).
        classes: number of outputs.
        loss: a key of ``LOSSES``.
        watch: what is told of each layer, a key of ``WATCHES``.
        method, method_options: as in a Run, the options as JSON.
    """

    net: str
    depth: int
    width: int
    norm: str
    options: str = "{}"
    net_options: str = "{}"
    weight_norm: str = "none"
    weight_norm_options: str = "{}"
    image_shape: tuple[int, ...] = (1, 8, 8)
    classes: int = 10
    loss: str = "cross_entropy"
    watch: str = "layers"
    method: str = "none"
    method_options: str = "{}"

    @classmethod
    def of(cls, run: Run) -> Net:
        """What the programs of a Run depend on."""
        data = load(run.data, run.split_seed, run.image_size)
        # Kernels of torch, and what a program takes as an input, make no other program.
        inputs = ("native", "noise_seed", *steps.INPUTS.get(run.norm, ()))
        options = {k: v for k, v in run.norm_options.items() if k not in inputs}
        net_options = {k: v for k, v in run.net_options.items() if k not in STARTS}
        texts = [
            json.dumps(o, sort_keys=True)
            for o in (options, net_options, run.weight_norm_options, run.method_options)
        ]
        sizes = run.net, run.depth, run.width, run.norm
        data_sizes = tuple(data.image_shape), data.num_classes
        weights = run.weight_norm, texts[2]
        whole = {"method": run.method, "method_options": texts[3]}
        return cls(*sizes, *texts[:2], *weights, *data_sizes, run.loss, **whole)

    @property
    def key(self) -> str:
        """A name: its fields, as far as they are not the usual ones."""
        name = f"{self.net} {self.depth}x{self.width} {self.norm}{_words(self.options)}"
        name += _words(self.net_options)
        if self.weight_norm != "none":
            name += f" {self.weight_norm}{_words(self.weight_norm_options)}"
        if (self.image_shape, self.classes) != ((1, 8, 8), 10):
            name += f" {'x'.join(map(str, self.image_shape))} to {self.classes}"
        if self.method != "none":
            name += f" {self.method}{_words(self.method_options)}"
        name += "" if self.loss == "cross_entropy" else f" {self.loss}"
        return name if self.watch == "layers" else f"{name} {self.watch}"

    def module(self, seed: int = 0) -> nn.Module:
        """The net in PyTorch, in primitive operations."""
        options = {"native": False, **json.loads(self.options)}
        sizes = (self.image_shape, self.classes, self.depth, self.width)
        more = json.loads(self.net_options)
        net = make_net(self.net, *sizes, self.norm, options, seed, **more)
        net = apply_method(net, self.method, json.loads(self.method_options), native=False)
        if self.weight_norm != "none":
            normalize_weights(net, self.weight_norm, **json.loads(self.weight_norm_options))
        return net


def _words(options: str) -> str:
    return "".join(f" {k}={json.dumps(v)}" for k, v in json.loads(options).items())


@dataclass(frozen=True)
class Compiled:
    """The programs of one net.

    Attributes:
        gradient: of the gradient step.
        evaluation: of the evaluation mode.
        extras: of updates that look at single tensors, see ``bnlab.engines.compiled.tensorwise``.
    """

    gradient: Program
    evaluation: Program
    extras: Mapping[str, Program] = field(default_factory=dict)

    @property
    def heap(self) -> int:
        """Words of the heap that they need."""
        programs = self.gradient, self.evaluation, *self.extras.values()
        return max(program.heap for program in programs)


@dataclass(frozen=True)
class Store:
    """Programs with their kernels.

    Attributes:
        nets: by ``Net.key``.
        updates: by the names of ``UPDATES``; and ``NORM``.
        modules: the kernels as WebAssembly, by precision.
        digest: hash of all of it: the same digest, the same bits.
    """

    nets: Mapping[str, Compiled]
    updates: dict[str, tuple[int, ...]]
    modules: dict[str, bytes]

    @functools.cached_property
    def digest(self) -> str:
        """12 hexadecimal digits of the hash of the kernels."""
        return hashlib.sha256(b"".join(self.modules.values())).hexdigest()[:12]


def compile_nets(
    nets: list[Net],
    precisions: tuple[str, ...] = tuple(TYPES),
    extras: tuple[str, ...] = (),
    on_net: Callable[[Net], None] = lambda net: None,
) -> tuple[Store, list[int]]:
    """Compile nets together, so that they share kernels; and the places that each kernel takes.

    Args:
        nets: what to compile.
        precisions: keys of ``TYPES``.
        extras: updates that look at single tensors, see ``bnlab.engines.compiled.tensorwise``.
        on_net: called before each net.

    Raises:
        NotSupportedError: if a net does something that cannot be compiled.
        CompilerMissingError: if there is no C compiler.
    """
    library, compiled = Library(), {}
    # First, so that these kernels have the same numbers whatever the nets.
    updates = {name: program.code for name, program in update_programs(library).items()}
    # The shallow ones first: deeper ones then need no new kernels, and a build of the shallow ones
    # alone gives the same kernels.
    for net in sorted(nets, key=lambda net: net.depth):
        on_net(net)
        module = net.module()
        what = (module, net.image_shape, library, net.loss, net.watch)
        gradient, evaluation = gradient_program(*what), evaluation_program(*what)
        behind = max(gradient.heap, evaluation.heap)
        more = {name: extra_program(name, module, gradient, behind, library) for name in extras}
        compiled[net.key] = Compiled(gradient, evaluation, more)
    compiled = {net.key: compiled[net.key] for net in nets}
    modules = {p: wasm(c_source(library.kernels, p)) for p in precisions}
    return Store(compiled, updates, modules), [places for _, places in library.kernels]


def update_programs(library: Library) -> dict[str, Program]:
    """The programs of all optimizers, and ``NORM``."""
    return {name: update_program(name, library) for name in UPDATES} | {NORM: norm_program(library)}


@functools.lru_cache(maxsize=64)
def compiled_here(net: Net, precision: str, extras: tuple[str, ...] = ()) -> Store:
    """A store of this net alone, compiled now; kept for the rest of the process."""
    return compile_nets([net], (precision,), extras)[0]
