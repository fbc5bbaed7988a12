"""The command line: a reader's own file, what to call in it, and the exit status."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from bnlab.doctor.diagnose import diagnose

HEALTHY, FOUND, BAD_USE, STOPPED = 0, 1, 2, 130


class UseError(ValueError):
    """What is wrong with the command, in a sentence."""


def function_of(place: str) -> Callable:
    """The function that ``model.py:make_model`` or ``package.module:make_model`` names.

    Raises:
        UseError: if there is no such file or function, or the file cannot be run.
    """
    where, colon, name = place.rpartition(":")
    if not colon or not where or not name.isidentifier():
        raise UseError(f"name a file and a function, such as model.py:make_model, got {place!r}.")
    module = _module(where)
    found = getattr(module, name, None)
    if not callable(found):
        known = [key for key, value in vars(module).items() if callable(value) and key[0] != "_"]
        has = f"it has {', '.join(known)}" if known else "it has none"
        raise UseError(f"{where} has no function {name!r}; {has}.")
    return found


def _module(where: str) -> object:
    path = Path(where)
    is_file = path.suffix == ".py" or path.exists()
    if is_file and not path.is_file():
        raise UseError(f"there is no file {where!r}. Name a Python file, such as model.py.")
    try:
        if not is_file:
            return importlib.import_module(where)
        sys.path.insert(0, str(path.resolve().parent))  # it may import what lies beside it
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None:
            raise UseError(f"{where} is no Python file.")
        module = importlib.util.module_from_spec(spec)
        sys.modules.setdefault(path.stem, module)
        spec.loader.exec_module(module)
    except UseError:
        raise
    except (Exception, SystemExit) as error:
        raise UseError(f"{where} cannot be imported: {_said(error)}") from error
    return module


def made(place: str, kind: type, words: str, *given: object) -> object:
    """What a named function gives, if it is of the kind.

    Raises:
        UseError: if the function fails, or gives something else.
    """
    function = function_of(place)
    try:
        value = function(*given)
    except (Exception, SystemExit) as error:
        raise UseError(f"{place} failed: {_said(error)}") from error
    if not isinstance(value, kind):
        raise UseError(f"{place} must return {words}, got {type(value).__name__}.")
    return value


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bnlab.doctor",
        description="Look at a model for what goes wrong with normalization.",
        epilog="Exit status: 0 no finding, 1 findings, 2 the command cannot be carried out.",
    )
    parser.add_argument("model", help="model.py:make_model, a function that returns a torch module")
    parser.add_argument("--weights", type=Path, help="a state_dict to load into it")
    batch = parser.add_mutually_exclusive_group(required=True)
    batch.add_argument("--batch", help="model.py:make_batch, a function that returns a batch")
    batch.add_argument(
        "--shape",
        type=int,
        nargs="+",
        metavar="N",
        help="32 3 224 224: random numbers; running statistics are then not compared",
    )
    parser.add_argument(
        "--optimizer", help="model.py:make_optimizer, a function of the model; for weight decay"
    )
    parser.add_argument("--accumulate", type=int, default=1, help="batches a step (default 1)")
    parser.add_argument("--steps", type=int, help="how many steps the training will have")
    for name, text in (
        ("trained", "the weights are trained"),
        ("evaluating", "the model is being evaluated: nothing may be in training mode"),
        ("independent", "a sample's output must not depend on the others in its batch"),
    ):
        parser.add_argument(f"--{name}", action="store_true", help=text)
    return parser


def run(given: argparse.Namespace) -> int:
    """Do what the command line says, and print the diagnosis; the exit status."""
    model = made(given.model, nn.Module, "a torch module")
    if given.weights:
        _load(model, given.weights)
    if given.batch:
        batch = made(given.batch, object, "a batch")
    else:
        if min(given.shape) < 1:
            raise UseError(f"--shape takes sizes of 1 or more, got {given.shape}.")
        first = next(iter(model.parameters()), torch.zeros(()))
        batch = torch.randn(given.shape, generator=torch.Generator().manual_seed(0)).to(first)
    optimizer = None
    if given.optimizer:
        kind = torch.optim.Optimizer
        optimizer = made(given.optimizer, kind, "a torch optimizer", model)
    found = diagnose(
        model,
        batch,
        optimizer=optimizer,
        accumulate=given.accumulate,
        steps=given.steps,
        trained=given.trained or None,
        evaluating=given.evaluating,
        independent=given.independent,
        representative=bool(given.batch),
    )
    print(found)
    return FOUND if found.findings else HEALTHY


def _load(model: nn.Module, path: Path) -> None:
    try:
        model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:
        raise UseError(f"{path} cannot be loaded into the model: {_said(error)}") from error


def main(arguments: list[str] | None = None) -> int:
    """Read the command line; the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console that cannot write every sign
    given = make_parser().parse_args(arguments)
    try:
        status = run(given)
        sys.stdout.flush()
    except BrokenPipeError:  # who read has left, as ``head`` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FOUND
    except ValueError as error:
        print(f"bnlab: {error}", file=sys.stderr)
        return BAD_USE
    except Exception as error:  # Python's own status of 1 would say that something was found
        traceback.print_exc()
        print(f"bnlab: the examination failed: {_said(error)}", file=sys.stderr)
        return BAD_USE
    except KeyboardInterrupt:
        print("bnlab: stopped.", file=sys.stderr)
        return STOPPED
    return status
