"""Who takes what a layer gives: the tensors of one forward pass, followed from call to call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from torch import Tensor
from torch.overrides import TorchFunctionMode

WEIGHTED = (
    *("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
    *("linear", "bilinear", "matmul", "__matmul__", "__rmatmul__", "mm", "bmm", "addmm"),
    *("baddbmm", "einsum", "multi_head_attention_forward", "scaled_dot_product_attention"),
    *("batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm"),
)
"""Functions that mix what they take, or that normalize it."""

JOINS = (
    *("add", "add_", "__add__", "__iadd__", "__radd__", "sub", "sub_", "__sub__", "__isub__"),
    *("__rsub__", "cat", "concat", "concatenate", "stack", "where", "lerp"),
)
"""Functions in which another path goes on beside what they take."""

MOVES = (
    *("view", "reshape", "flatten", "unflatten", "permute", "transpose", "movedim", "squeeze"),
    *("unsqueeze", "swapaxes", "swapdims", "moveaxis", "t", "mT", "T"),
)
"""Functions that arrange the same numbers along other axes."""

COPIES = ("contiguous", "to", "float", "clone", "detach")
"""Functions that give the same numbers again."""

DROPOUTS = (
    *("dropout", "dropout_", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"),
    *("feature_dropout", "feature_alpha_dropout"),
)


class Trace(TorchFunctionMode):
    """Follows what chosen layers give through one forward pass.

    The tensors are held until the pass ends, as training holds them for its backward pass, so that
    no other tensor takes the place of one of them.

    Attributes:
        taken: for what a layer gave, by the layer's name, the names of all that took it: modules
            as ``'name'``, other functions as ``'name()'``.
        joined: the layers of ``lost`` whose output, not mixed by weights, was added to or joined
            with something that does not depend on it.
        mixed: the layers whose output went into weights or a normalizer.
        inside: in how many normalizers the pass is now; their own functions are not followed.
        on_dropout: called with the p of each dropout that is at work.
    """

    def __init__(self) -> None:
        super().__init__()
        self.taken: dict[str, list[str]] = {}
        self.joined: set[str] = set()
        self.mixed: set[str] = set()
        self.inside = 0
        self.on_dropout: Callable[[float], None] = lambda p: None
        self._sources: dict[int, set[str]] = {}  # tensor -> layers that gave just these numbers
        self._reached: dict[int, set[str]] = {}  # tensor -> layers that it depends on, unmixed
        self._axes: dict[int, set[str]] = {}  # tensor -> layers whose axes it still has
        self._lost: dict[int, set[str]] = {}  # tensor -> layers that lost something it depends on
        self._held: list[Tensor] = []

    def begin(self, name: str, output: Tensor) -> None:
        """From here on, follow this output of a layer."""
        self.taken.setdefault(name, [])
        for where in (self._sources, self._reached, self._axes):
            self._mark(where, output, {name})

    def lose(self, name: str, output: Tensor) -> None:
        """What this layer gives no longer depends on its input; see whether another path does."""
        self._mark(self._lost, output, {name})

    def go_through(self, x: Tensor, output: Tensor) -> None:
        """A normalizer made the output of x."""
        self._mark(self._lost, output, self._lost.get(id(x), set()))

    def sources(self, tensor: Tensor) -> set[str]:
        """The layers that gave just these numbers."""
        return self._sources.get(id(tensor), set())

    def axes_of(self, tensor: Tensor) -> set[str]:
        """The layers whose axes this tensor has, number by number or through a nonlinearity."""
        return self._axes.get(id(tensor), set())

    def take(self, tensor: Tensor, by: str) -> None:
        """Note that a normalizer takes this tensor."""
        for name in self.sources(tensor):
            self.taken[name].append(by)
        self.mixed |= self._reached.get(id(tensor), set())

    def __torch_function__(
        self, func: Callable, types: object, args: tuple = (), kwargs: dict | None = None
    ) -> object:
        """Call the function, and note what it took."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        result = func(*args, **kwargs)
        if self.inside:
            return result
        if name in DROPOUTS and (p := _at_work(args, kwargs)):
            self.on_dropout(p)
        given = list(_tensors([*args, *kwargs.values()]))
        made = list(_tensors([result]))
        if given and made:
            self._follow(name, given, made)
        return result

    def _follow(self, name: str, given: list[Tensor], made: list[Tensor]) -> None:
        sources = set().union(*(self.sources(one) for one in given))
        reached = [self._reached.get(id(one), set()) for one in given]
        depends = set().union(*reached)
        same_object = any(a is b for a in given for b in made)
        if name in (*MOVES, *COPIES) and len(made) == 1:
            self._mark(self._sources, made[0], sources)
        elif name not in DROPOUTS or not same_object:
            for source in sources:
                self.taken[source].append(f"{name}()")
        lost = [self._lost.get(id(one), set()) for one in given]
        for tensor in made:
            self._mark(self._lost, tensor, set().union(*lost))
        if name in WEIGHTED:
            self.mixed |= depends
            return
        if name in JOINS:
            sizeable = [one for tensor, one in zip(given, lost, strict=True) if tensor.ndim]
            self.joined |= {one for one in depends if any(one not in other for other in sizeable)}
        for tensor in made:
            self._mark(self._reached, tensor, depends)
            if name not in MOVES:
                alike = (self.axes_of(one) for one in given if one.shape == tensor.shape)
                self._mark(self._axes, tensor, set().union(*alike))

    def _mark(self, where: dict[int, set[str]], tensor: Tensor, names: set[str]) -> None:
        if names:
            where[id(tensor)] = where.get(id(tensor), set()) | names
            self._held.append(tensor)


class WithoutDropout(TorchFunctionMode):
    """Lets every dropout give what it takes."""

    def __torch_function__(
        self, func: Callable, types: object, args: tuple = (), kwargs: dict | None = None
    ) -> object:
        """Call the function unless it is a dropout."""
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") in DROPOUTS and _at_work(args, kwargs):
            return next(_tensors([*args, *kwargs.values()]))
        return func(*args, **kwargs)


def _at_work(args: tuple, kwargs: Mapping) -> float:
    """The p of a call of a dropout function; 0 if it drops nothing."""
    p = args[1] if len(args) > 1 else kwargs.get("p", 0.5)
    training = args[2] if len(args) > 2 else kwargs.get("training", kwargs.get("train", True))
    return float(p) if training else 0.0


def _tensors(values: Iterable[object]) -> Iterable[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
