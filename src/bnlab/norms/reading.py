"""What a normalizer of any library computes, in the words of this package: ``register_norm``."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from bnlab.arguments import checked, require
from bnlab.errors import check_name

KINDS = ("batch", "layer", "group", "instance", "rms")
PROBE = {2: (3,), 3: (2, 5), 4: (2, 3, 2), 5: (2, 3, 2, 2)}  # samples and positions by axes


class CannotReadError(ValueError):
    """Why it cannot be said what a normalizer computes."""


@dataclass(frozen=True)
class NormReading:
    """What a module computes, if it is a normalizer: statistics, parameters, axis of the channels.

    y = weight * (x - mean) / sqrt(var + eps) + bias, with mean and biased variance that ``kind``
    says; for ``rms`` y = weight * x / sqrt(mean x^2 + eps) + bias. Then come the modules ``after``.

    Attributes:
        kind: ``batch``: over samples and positions; ``layer``: over the channels and positions of a
            sample; ``group``: over groups of neighbouring channels and the positions; ``instance``:
            over the positions alone; ``rms``: as ``layer``, without the mean.
        num_features: C, the number of channels.
        eps: added to the variance.
        parameters: ``weight`` and ``bias`` by name, tensors of shape (C,); None or left out for 1
            and 0. A Parameter is taken over as it is, with its ties to others.
        statistics: ``running_mean`` and ``running_var`` by name, which take the place of mean and
            variance in evaluation mode; empty where those of the input are used there too.
        axis: of the channels, 1 or -1.
        by_position: whether each position is a sample of its own, as for ``LayerNorm2d``; with
            axis -1 it always is.
        axes: the numbers of axes that an input may have; None for any.
        num_groups: of ``group``.
        momentum: weight of the newest batch in the running statistics.
        frozen: whether the running statistics are used in training mode too.
        after: modules that the normalizer calls at its end, by name: dropout, activation.
    """

    kind: str
    num_features: int
    eps: float
    parameters: Mapping[str, Tensor | None] = field(default_factory=dict)
    statistics: Mapping[str, Tensor | None] = field(default_factory=dict)
    axis: int = 1
    by_position: bool = False
    axes: tuple[int, ...] | None = None
    num_groups: int | None = None
    momentum: float | None = None
    frozen: bool = False
    after: Mapping[str, nn.Module] = field(default_factory=dict)

    @checked
    def __post_init__(self) -> None:
        check_name("kind of normalizer", self.kind, KINDS)
        require(self.axis in (1, -1), f"axis must be 1 or -1, got {self.axis!r}.")
        is_grouped = isinstance(self.num_groups, int) and self.num_groups > 0
        require(
            self.kind != "group" or (is_grouped and self.num_features % self.num_groups == 0),
            f"num_groups must divide num_features={self.num_features}, got {self.num_groups!r}.",
        )
        for name, tensor in (*self.parameters.items(), *self.statistics.items()):
            require(
                tensor is None or tensor.shape == (self.num_features,),
                f"{name} must have the shape ({self.num_features},), one number a channel.",
            )

    @checked
    def output(self, x: Tensor, training: bool = False) -> Tensor:
        """What the module gives for ``x``; no running statistic moves.

        Args:
            x: input, in the module's own arrangement of axes.
            training: whether the module is in training mode.
        """
        last = self.axis == -1 or self.by_position
        rows = x.movedim(self.axis, -1) if last else x
        y = self._normalized(rows.reshape(-1, self.num_features) if last else x, training)
        if last:
            y = y.reshape(rows.shape).movedim(-1, self.axis)
        for module in self.after.values():
            y = module(y)
        return y

    def _normalized(self, x: Tensor, training: bool) -> Tensor:
        stored = [self.statistics.get(name) for name in ("running_mean", "running_var")]
        if stored[0] is not None and (self.frozen or not training):
            mean, var = (self._along(v, x) for v in stored)
            y = (x - mean) / (var + self.eps).sqrt()
        elif self.kind == "batch":
            y = self._over(x, (0, *range(2, x.ndim)))
        else:
            groups = {"instance": x.shape[1], "group": self.num_groups}.get(self.kind, 1)
            y = self._over(x.reshape(len(x), groups, -1), (2,)).reshape(x.shape)
        weight, bias = (self.parameters.get(name) for name in ("weight", "bias"))
        y = y if weight is None else y * self._along(weight, y)
        return y if bias is None else y + self._along(bias, y)

    def _over(self, x: Tensor, dims: tuple[int, ...]) -> Tensor:
        centred = x if self.kind == "rms" else x - x.mean(dims, keepdim=True)
        return centred / (centred.square().mean(dims, keepdim=True) + self.eps).sqrt()

    @staticmethod
    def _along(v: Tensor, x: Tensor) -> Tensor:
        return v.reshape(-1, *[1] * (x.ndim - 2))


Reader = Callable[[nn.Module], NormReading]
_readers: dict[type | str, Reader] = {}


@checked
def register_norm(cls: type | str, reader: Reader) -> None:
    """Say how to read the normalizers of a class, so that ``swap_norms`` can replace them.

    Args:
        cls: the class; or, for a library that need not be imported, its full name, in which ``*``
            stands for any text: ``"timm.*.LayerNorm2d"``. What was registered last is asked first.
        reader: a function of the module that gives its ``NormReading``, or raises an error with the
            reason why it cannot. Before a swap the reading is compared with what the module does.

    Raises:
        ValueError: for a class that is no module, or a reader that is no function.

    Example:
        >>> class Scaled(nn.Module):
        ...     def __init__(self, width):
        ...         super().__init__()
        ...         self.gain = nn.Parameter(torch.ones(width))
        ...     def forward(self, x):
        ...         return self.gain * x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt()
        >>> def read(module):
        ...     gain = module.gain
        ...     return NormReading("rms", len(gain), 1e-6, {"weight": gain}, axis=-1)
        >>> register_norm(Scaled, read)
        >>> read_norm(Scaled(4)).kind
        'rms'
    """
    require(
        (cls if isinstance(cls, str) else isinstance(cls, type) and issubclass(cls, nn.Module)),
        f"cls must be a class of modules or the full name of one, got {cls!r}.",
    )
    require(callable(reader), f"reader must be a function of a module, got {reader!r}.")
    _readers.pop(cls, None)
    _readers[cls] = reader
    _reader_of_class.cache_clear()


@functools.cache
def _reader_of_class(cls: type) -> tuple[type, Reader] | None:
    for base in cls.__mro__:
        name = f"{base.__module__}.{base.__qualname__}"
        for key, reader in reversed(_readers.items()):
            if key is base or (isinstance(key, str) and fnmatchcase(name, key)):
                return base, reader
    return None


def is_registered(module: nn.Module) -> bool:
    """Whether the class of ``module``, or a base of it, is registered."""
    return _reader_of_class(type(module)) is not None


@checked
def read_norm(module: nn.Module) -> NormReading:
    """What a normalizer of torch, or of any class that is registered, computes.

    Args:
        module: a normalizer.

    Raises:
        ValueError: if its class is not registered, if it changes what the registered class
            computes, or if it computes something else than its reader says.

    Example:
        >>> read_norm(nn.GroupNorm(2, 8)).num_groups
        2
    """
    reading = reading_of(module)
    if is_foreign(module):
        _compare(module, reading)
    return reading


def is_foreign(module: nn.Module) -> bool:
    """Whether the reading of ``module`` has to be compared with what it computes."""
    found = _reader_of_class(type(module))
    return found is not None and found[0].__module__.split(".")[0] != "torch"


def reading_of(module: nn.Module) -> NormReading:
    """What its reader says of ``module``; see ``read_norm``."""
    found = _reader_of_class(type(module))
    if found is None:
        raise CannotReadError(
            "it is a normalizer of neither torch nor bnlab, so its axes are unknown; "
            "bnlab.norms.register_norm can make it known."
        )
    base, reader = found
    if type(module).forward is not base.forward or "forward" in vars(module):
        raise CannotReadError(
            f"it changes the forward method of {base.__name__}, so its axes are unknown."
        )
    try:
        reading = reader(module)
        require(
            isinstance(reading, NormReading),
            f"it gave a {type(reading).__name__}, not a NormReading.",
        )
        return reading
    except CannotReadError:
        raise
    except Exception as error:
        raise CannotReadError(f"its reader fails: {error}") from error


@torch.no_grad()
def _compare(module: nn.Module, reading: NormReading) -> None:
    tensors = [*module.parameters(), *module.buffers()]
    like = next((t for t in tensors if t.is_floating_point()), torch.ones(()))
    if like.is_meta:
        raise CannotReadError(
            "its weights are on the meta device, so what it computes cannot be looked at; call "
            "to_empty(device=...) and load them first."
        )
    copied = copy.deepcopy(module)
    for hooks in ("_forward_hooks", "_forward_pre_hooks"):
        getattr(copied, hooks).clear()
    x = _example(reading).to(like.device, like.dtype)
    for training in (False, True):
        copied.train(training)
        for child in copied.children():
            child.eval()  # dropout
        try:
            got = copied(x.clone())
        except Exception as error:
            raise CannotReadError(
                f"it cannot be called with an input of shape {tuple(x.shape)}: {error}"
            ) from error
        wanted = _on(copied, reading).output(x.double(), training)
        if not _close(got, wanted):
            raise CannotReadError(
                f"it computes something else than {reading.kind} norm on axis {reading.axis}, "
                "which its reader says."
            )


def _example(reading: NormReading) -> Tensor:
    samples, *positions = PROBE[4 if reading.axes is None else reading.axes[0]]
    if reading.axis == -1:
        samples, positions = 2, [3]
    shape = (samples, reading.num_features, *positions)
    numbers = 2 * torch.sin(1.7 * torch.arange(torch.Size(shape).numel()).double() ** 1.1) + 0.7
    return numbers.reshape(shape).movedim(1, reading.axis)


def _on(copied: nn.Module, reading: NormReading) -> NormReading:
    # The same numbers in float64; the modules at the end are those of the copy.
    own = dict(copied.named_children())
    doubled = {}
    for part in ("parameters", "statistics"):
        values = getattr(reading, part)
        doubled[part] = {k: None if v is None else v.detach().double() for k, v in values.items()}
    after = {name: own.get(name, module) for name, module in reading.after.items()}
    return NormReading(**{**vars(reading), **doubled, "after": after})


def _close(got: object, wanted: Tensor) -> bool:
    if not isinstance(got, Tensor) or got.shape != wanted.shape:
        return False
    tolerance = {torch.float16: 2e-2, torch.bfloat16: 6e-2}.get(got.dtype, 1e-4)
    return torch.allclose(got.double(), wanted.double(), rtol=tolerance, atol=tolerance)
