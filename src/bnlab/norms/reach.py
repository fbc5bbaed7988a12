"""Modules that a model reaches around its registered ones: by a list, an attribute, a closure."""

from __future__ import annotations

import dis
import functools
import sys
import types
import weakref
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import nn

PLAIN = (str, bytes, int, float, complex, bool, type(None), torch.Tensor, torch.dtype, torch.device)
REGISTERED = ("_modules", "_parameters", "_buffers")
FUNCTIONS = ("batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm")
DEEP = 50  # containers in one another
LIBRARIES = ("torch", "numpy", "bnlab")


def ways_around(
    model: nn.Module, wanted: Callable[[nn.Module], bool]
) -> Iterator[tuple[nn.Module, str]]:
    """Each wanted module that is reached around the registered ones, with the way to it in words.

    Followed are what modules hold in attributes that do not register: lists, tuples, sets, dicts,
    plain attributes, objects, bound methods, ``functools.partial``, and functions, with their
    closures, defaults and the modules among the global names that they use; and the methods and
    attributes of the modules' classes.

    A function is not copied with a model. So what it holds counts, also if it is registered: of a
    module, the parts that the function names, or all if it names none.
    """
    walk = _Walk(model, wanted)
    for path, module in model.named_modules():
        yield from walk.attributes(module, path)
        yield from walk.of_class(module, path)


def functions_called(module: nn.Module) -> list[str]:
    """Names of torch's functions that normalize, in a module's own forward."""
    forward = type(module).forward
    if type(module).__module__.split(".")[0] in LIBRARIES or not hasattr(forward, "__code__"):
        return []
    names = _names(forward.__code__)
    return [name for name in FUNCTIONS if name in names and not hasattr(module, name)]


class _Walk:
    def __init__(self, model: nn.Module, wanted: Callable[[nn.Module], bool]) -> None:
        self.registered = set(model.modules())
        self.wanted = wanted
        self.depth = 0
        self.seen: dict[int, object] = {}  # the objects too: their ids stay theirs

    def attributes(self, module: nn.Module, path: str) -> Iterator[tuple[nn.Module, str]]:
        for name, value in vars(module).items():
            if name not in REGISTERED:
                yield from self.follow(value, f"{path}.{name}".removeprefix("."))

    def of_class(self, module: nn.Module, path: str) -> Iterator[tuple[nn.Module, str]]:
        for cls in type(module).__mro__:
            if cls.__module__.split(".")[0] in (*LIBRARIES, "builtins") or self.is_known(cls):
                continue
            for name, value in vars(cls).items():
                if name == "__init__":
                    continue
                where = f"{path or 'the model itself'} ({cls.__name__}.{name})"
                yield from self.follow(value, where)

    def is_known(self, value: object) -> bool:
        known = id(value) in self.seen
        self.seen[id(value)] = value
        return known

    def follow(self, value: object, way: str) -> Iterator[tuple[nn.Module, str]]:
        if isinstance(value, (*PLAIN, type, types.ModuleType)):
            return
        if isinstance(value, nn.Module):
            yield from self.module(value, way)
        elif self.depth < DEEP and not self.is_known(value):
            self.depth += 1
            for part, name in _parts(value):
                yield from self.follow(part, f"{way}{name}")
            if isinstance(value, types.FunctionType):
                yield from self.function(value, way)
            self.depth -= 1

    def module(self, module: nn.Module, way: str) -> Iterator[tuple[nn.Module, str]]:
        if module in self.registered and not self.wanted(module):
            return
        for name, part in module.named_modules():
            if self.wanted(part):
                yield part, f"{way}.{name}" if name else way
            elif part not in self.registered and not self.is_known(part):
                yield from self.attributes(part, way)

    def function(self, function: types.FunctionType, way: str) -> Iterator[tuple[nn.Module, str]]:
        names = _names(function.__code__)
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        held = {name: cell.cell_contents for name, cell in cells if _is_filled(cell)}
        reached = _globals(function.__code__) & set(function.__globals__)
        held |= {name: function.__globals__[name] for name in reached}
        for name, value in held.items():
            if not isinstance(value, nn.Module):
                if name in function.__code__.co_freevars:
                    yield from self.follow(value, f"{way} (a function that holds {name})")
                continue
            for path, part in _named(value, names):
                if self.wanted(part):
                    yield part, f"{way} (a function that holds {name}{path and '.'}{path})"


def _parts(value: object) -> Iterator[tuple[object, str]]:
    # What an object holds, and how that is written.
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield part, f"[{key!r}]"
    elif isinstance(value, list | tuple | set | frozenset):
        for k, part in enumerate(value):
            yield part, f"[{k}]"
    elif isinstance(value, weakref.ref):
        yield value(), " (a weak reference)"
    elif isinstance(value, functools.partial):
        yield from ((part, " (partial)") for part in (value.func, value.args, value.keywords))
    elif isinstance(value, types.MethodType):
        yield value.__self__, f" (the method {value.__name__})"
        yield value.__func__, ""
    elif isinstance(value, staticmethod | classmethod):
        yield value.__func__, ""
    elif isinstance(value, property):
        yield from ((part, "") for part in (value.fget, value.fset))
    elif isinstance(value, types.FunctionType):
        yield from ((part, " (a default)") for part in value.__defaults__ or ())
        yield from ((part, " (a default)") for part in (value.__kwdefaults__ or {}).values())
    elif isinstance(value, types.SimpleNamespace) or _is_users(type(value)):
        yield from ((part, f".{name}") for name, part in getattr(value, "__dict__", {}).items())
        slots = [s for cls in type(value).__mro__ for s in _slots(cls) if hasattr(value, s)]
        yield from ((getattr(value, name), f".{name}") for name in slots)
    elif hasattr(value, "__iter__") and type(value).__name__ == "deque":
        yield from ((part, f"[{k}]") for k, part in enumerate(value))


def _slots(cls: type) -> tuple[str, ...]:
    slots = vars(cls).get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(name for name in names if name not in ("__dict__", "__weakref__"))


def _is_users(cls: type) -> bool:
    root = cls.__module__.split(".")[0]
    return root not in sys.stdlib_module_names and root not in LIBRARIES


def _is_filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _names(code: types.CodeType) -> set[str]:
    inner = (const for const in code.co_consts if isinstance(const, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _globals(code: types.CodeType) -> set[str]:
    # Among its names are those of attributes too.
    inner = (const for const in code.co_consts if isinstance(const, types.CodeType))
    own = {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return own.union(*map(_globals, inner))


def _named(module: nn.Module, names: set[str]) -> Iterator[tuple[str, nn.Module]]:
    # The parts of a module that these names lead to, also through its own methods.
    children, methods = dict(module.named_children()), set()
    todo = set(names)
    while todo:
        name = todo.pop()
        method = getattr(type(module), name, None)
        if isinstance(method, types.FunctionType) and name not in methods:
            methods.add(name)
            if not method.__module__.startswith("torch."):
                todo |= _names(method.__code__)
                names = names | todo
    used = names & set(children)
    is_called = not used and not any(hasattr(module, name) for name in names - methods)
    for name, part in module.named_modules():
        if is_called or name.split(".")[0] in used:
            yield name, part
