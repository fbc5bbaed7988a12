"""Compiled nets as files: kernels, programs, and a manifest of hashes and versions.

    kernels.float32.wasm, kernels.float64.wasm    the kernels of all nets
    programs.bin                                  the programs of all nets, one after the other
    manifest.json                                 what is where, hashes, versions

A program is a list of calls: a kernel's number, then its places. In the file each number is the
difference to the same number of the last call of the same kernel (of the last call, for the kernel
itself), zigzag-coded (0, -1, 1, -2 ... as 0, 1, 2, 3 ...) in groups of 7 bits, the lowest first,
with the eighth bit set where another group follows. Layers of a net lie at regular distances, so
that deep nets are runs of equal differences, which compress to little.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from bnlab.compiled.catalogue import catalogue
from bnlab.compiled.initial import checked
from bnlab.compiled.nets import Compiled, Store, compile_nets
from bnlab.compiled.program import Program

FORMAT = 1
FOLDER = Path(__file__).parent / "artefacts"
PROGRAMS, MANIFEST = "programs.bin", "manifest.json"


class CorruptedError(RuntimeError):
    """A file of compiled nets is missing or is not what the manifest says."""


def differences(code: Iterable[int], places: list[int]) -> list[int]:
    """A program as differences; ``places`` holds the number of places of each kernel."""
    last: dict[int, list[int]] = {}
    result, words, before = [], iter(code), 0
    for kernel in words:
        args = [next(words) for _ in range(places[kernel])]
        old = last.get(kernel, [0] * len(args))
        result += [kernel - before, *(a - b for a, b in zip(args, old, strict=True))]
        last[kernel], before = args, kernel
    return result


def restored(numbers: Iterable[int], places: list[int]) -> list[int]:
    """The inverse of ``differences``."""
    last: dict[int, list[int]] = {}
    result, words, kernel = [], iter(numbers), 0
    for step in words:
        kernel += step
        old = last.get(kernel, [0] * places[kernel])
        last[kernel] = [next(words) + value for value in old]
        result += [kernel, *last[kernel]]
    return result


def packed(numbers: Iterable[int]) -> bytes:
    """Numbers of any sign as bytes."""
    out = bytearray()
    for number in numbers:
        word = 2 * number if number >= 0 else -2 * number - 1
        while word > 127:
            out.append(word & 127 | 128)
            word >>= 7
        out.append(word)
    return bytes(out)


def unpacked(data: bytes) -> list[int]:
    """The inverse of ``packed``."""
    result, word, shift = [], 0, 0
    for byte in data:
        word |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            result.append(word >> 1 if word % 2 == 0 else -(word >> 1) - 1)
            word = shift = 0
    return result


def save(store: Store, places: list[int], initial: dict[str, list], folder: Path) -> None:
    """Write the files of a store.

    Args:
        store: what to write.
        places: number of places of each kernel.
        initial: for each net, what its state starts from, see ``bnlab.compiled.initial``.
        folder: made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = bytearray()

    def added(code: Iterable[int]) -> list[int]:
        block = packed(differences(code, places))
        data.extend(block)
        return [len(data) - len(block), len(block)]

    entries = {
        key: _entry(net, added) | {"initial": initial[key]} for key, net in store.nets.items()
    }
    updates = {name: added(code) for name, code in store.updates.items()}
    files = {f"kernels.{p}.wasm": code for p, code in store.modules.items()}
    files[PROGRAMS] = bytes(data)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    manifest = {
        "format": FORMAT,
        "versions": {name: version(name) for name in ("torch", "ziglang")},
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "kernels": places,
        "updates": updates,
        "nets": entries,
    }
    text = json.dumps(manifest, separators=(",", ":")).replace(',"', ',\n"')
    (folder / MANIFEST).write_text(text + "\n")


def _entry(net: Compiled, added: object) -> dict[str, object]:
    return {
        "gradient": [*added(net.gradient.code), *net.gradient.ends],
        "evaluation": [*added(net.evaluation.code), *net.evaluation.ends],
        "heap": max(net.gradient.heap, net.evaluation.heap),
        "places": net.gradient.places,
        "sizes": net.gradient.sizes,
    }


def read(folder: Path = FOLDER) -> dict[str, object]:
    """The manifest.

    Raises:
        CorruptedError: if it is not there, no JSON, or of another format.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        if manifest["format"] == FORMAT:
            return manifest
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptedError(_complaint(folder / MANIFEST, "is missing or no manifest")) from error
    raise CorruptedError(_complaint(folder / MANIFEST, f"has format {manifest['format']}"))


@functools.lru_cache(maxsize=4)
def load(folder: Path = FOLDER) -> Store:
    """The store of the files in a folder.

    Raises:
        CorruptedError: if a file is missing or its hash is not that of the manifest.
    """
    manifest = read(folder)
    files = {name: _content(folder, name, digest) for name, digest in manifest["sha256"].items()}
    data, places = files[PROGRAMS], manifest["kernels"]

    def code(start: int, length: int) -> tuple[int, ...]:
        return tuple(restored(unpacked(data[start : start + length]), places))

    def program(entry: dict, which: str) -> Program:
        start, length, *ends = entry[which]
        return Program(
            code(start, length), tuple(ends), entry["places"], entry["sizes"], entry["heap"]
        )

    def compiled(entry: dict) -> Compiled:
        return Compiled(program(entry, "gradient"), program(entry, "evaluation"))

    nets = Lazily(manifest["nets"], compiled)
    updates = {name: code(*where) for name, where in manifest["updates"].items()}
    precisions = [name.split(".")[1] for name in files if name.endswith(".wasm")]
    return Store(nets, updates, {p: files[f"kernels.{p}.wasm"] for p in precisions})


class Lazily(Mapping):
    """A mapping whose values are made from those of another one when they are asked for."""

    def __init__(self, source: Mapping[str, dict], make: Callable[[dict], Compiled]) -> None:
        self._source, self._make = source, functools.lru_cache(lambda key: make(source[key]))

    def __getitem__(self, key: str) -> Compiled:
        return self._make(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._source)

    def __len__(self) -> int:
        return len(self._source)


def _content(folder: Path, name: str, digest: str) -> bytes:
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise CorruptedError(_complaint(folder / name, "is missing")) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise CorruptedError(_complaint(folder / name, "is not the file that was built"))
    return content


def _complaint(path: Path, what: str) -> str:
    return (
        f"{path.name} of the compiled nets {what}. Install bnlab anew, build the nets "
        "(python -m bnlab.compiled), or train with engine='torch'."
    )


def build(folder: Path = FOLDER) -> None:
    """Compile the nets of the catalogue and write them."""
    nets = catalogue()
    store, places = compile_nets(nets)
    initial = {}
    for net in nets:
        initial[net.key] = checked(net.module(), net.module)
    save(store, places, initial, folder)
