"""Compiled nets: which program a Run needs, and a store of programs that share their kernels."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from bnlab.compiled import step as steps
from bnlab.compiled.build import wasm
from bnlab.compiled.codegen import TYPES, c_source
from bnlab.compiled.program import (
    Library,
    Program,
    evaluation_program,
    gradient_program,
    update_program,
)
from bnlab.compiled.update import UPDATES
from bnlab.data import load
from bnlab.nets import make_net
from bnlab.train.run import Run


@dataclass(frozen=True)
class Net:
    """What a program depends on, as far as it is no input of the program.

    Attributes:
        net, depth, width, norm: as in a Run.
        options: those options of the normalizer that are constants of a program, as JSON.
        image_shape: (C, H, W).
        classes: number of outputs.
        loss: a key of ``LOSSES``.
    """

    net: str
    depth: int
    width: int
    norm: str
    options: str = "{}"
    image_shape: tuple[int, ...] = (1, 8, 8)
    classes: int = 10
    loss: str = "cross_entropy"

    @classmethod
    def of(cls, run: Run, loss: str = "cross_entropy") -> Net:
        """That of a Run."""
        data = load(run.data, run.split_seed)
        # Kernels of torch, and what a program takes as an input, make no other program.
        inputs = ("native", "noise_seed", *steps.INPUTS.get(run.norm, ()))
        options = {k: v for k, v in run.norm_options.items() if k not in inputs}
        shape = tuple(data.image_shape)
        text = json.dumps(options, sort_keys=True)
        return cls(run.net, run.depth, run.width, run.norm, text, shape, data.num_classes, loss)

    @property
    def key(self) -> str:
        """A name: its fields, as far as they are not the usual ones."""
        options = "".join(f" {k}={json.dumps(v)}" for k, v in json.loads(self.options).items())
        name = f"{self.net} {self.depth}x{self.width} {self.norm}{options}"
        if (self.image_shape, self.classes) != ((1, 8, 8), 10):
            name += f" {'x'.join(map(str, self.image_shape))} to {self.classes}"
        return name if self.loss == "cross_entropy" else f"{name} {self.loss}"

    def module(self, seed: int = 0) -> nn.Module:
        """The net in PyTorch, in primitive operations."""
        options = {"native": False, **json.loads(self.options)}
        sizes = (self.image_shape, self.classes, self.depth, self.width)
        return make_net(self.net, *sizes, self.norm, options, seed)


@dataclass(frozen=True)
class Compiled:
    """The programs of one net: of the gradient step, and of the evaluation mode."""

    gradient: Program
    evaluation: Program


@dataclass(frozen=True)
class Store:
    """Programs with their kernels.

    Attributes:
        nets: by ``Net.key``.
        updates: by the names of ``UPDATES``.
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
    nets: list[Net], precisions: tuple[str, ...] = tuple(TYPES)
) -> tuple[Store, list[int]]:
    """Compile nets together, so that they share kernels; and the places that each kernel takes.

    Raises:
        NotSupportedError: if a net does something that cannot be compiled.
        CompilerMissingError: if there is no C compiler.
    """
    library, compiled = Library(), {}
    # First, so that these kernels have the same numbers whatever the nets.
    updates = {name: update_program(name, library).code for name in UPDATES}
    for net in nets:
        module = net.module()
        gradient = gradient_program(module, net.image_shape, library, net.loss)
        evaluation = evaluation_program(module, net.image_shape, library, net.loss)
        compiled[net.key] = Compiled(gradient, evaluation)
    modules = {p: wasm(c_source(library.kernels, p)) for p in precisions}
    return Store(compiled, updates, modules), [places for _, places in library.kernels]


@functools.lru_cache(maxsize=64)
def compiled_here(net: Net, precision: str) -> Store:
    """A store of this net alone, compiled now; kept for the rest of the process."""
    return compile_nets([net], (precision,))[0]
