"""Compiled nets as files: kernels, programs, and a manifest of hashes and versions.

Each set of nets (``catalogue.SETS``, ``page_sets.PAGE_SETS``) has a folder:

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

from bnlab.engines.compiled.catalogue import SETS
from bnlab.engines.compiled.initial import checked
from bnlab.engines.compiled.nets import Compiled, Net, Store, compile_nets
from bnlab.engines.compiled.program import Program

FORMAT = 2
FOLDERS = {name: Path(__file__).parent / "artefacts" / name for name in SETS}
FOLDER = FOLDERS["nets"]
PROGRAMS, MANIFEST = "programs.bin", "manifest.json"
READS = ("artefacts/*/manifest.json",)  # it names the other files by their hashes


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
        initial: for each net, what its state starts from, see ``bnlab.engines.compiled.initial``.
        folder: made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = bytearray()

    def added(code: Iterable[int]) -> list[int]:
        block = packed(differences(code, places))
        data.extend(block)
        return [len(data) - len(block), len(block)]

    same = _same([net.gradient.places for net in store.nets.values()])
    own = [name for name in next(iter(store.nets.values())).gradient.places if name not in same]
    rules = _Numbers()

    def entry(key: str, net: Compiled) -> dict[str, object]:
        extras = {name: [*added(p.code), *p.ends] for name, p in net.extras.items()}
        norms = [p.places["norms"] for p in net.extras.values()]
        return {
            "gradient": [*added(net.gradient.code), *net.gradient.ends],
            "evaluation": [*added(net.evaluation.code), *net.evaluation.ends],
            "heap": net.heap,
            "places": [net.gradient.places[name] for name in own],
            "sizes": list(net.gradient.sizes.values()),
            "initial": [[rules.of(rule) for rule in part] for part in initial[key].values()],
            **({"extras": extras, "norms": norms[0]} if extras else {}),
        }

    entries = {key: entry(key, net) for key, net in store.nets.items()}
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
        "places": same,
        "own": own,
        "sizes": list(next(iter(store.nets.values())).gradient.sizes),
        "rules": rules.known,
        "nets": entries,
    }
    (folder / MANIFEST).write_text(_text(manifest))


def _same(all_places: list[dict[str, int]]) -> dict[str, int]:
    """Those places that are the same in all nets."""
    first = all_places[0]
    return {k: at for k, at in first.items() if all(places[k] == at for places in all_places)}


class _Numbers:
    """Rules, each of them once: many nets start alike."""

    def __init__(self) -> None:
        self.known: list[list] = []

    def of(self, rule: list) -> int:
        """The number of a rule, which becomes known."""
        if rule not in self.known:
            self.known.append(rule)
        return self.known.index(rule)


def _text(manifest: dict[str, object]) -> str:
    # A line for each field, and for each net: so a difference between two builds can be read.
    def line(value: object) -> str:
        return json.dumps(value, separators=(",", ":"))

    nets = ",\n".join(f"{line(key)}:{line(net)}" for key, net in manifest["nets"].items())
    fields = [f"{line(k)}:{line(v)}" for k, v in manifest.items() if k != "nets"]
    return "{" + ",\n".join(fields) + f',\n"nets":{{\n{nets}\n}}}}\n'


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

    def program(entry: dict, where: list[int], more: Mapping[str, int]) -> Program:
        start, length, *ends = where
        at = manifest["places"] | dict(zip(manifest["own"], entry["places"], strict=True)) | more
        sizes = dict(zip(manifest["sizes"], entry["sizes"], strict=True))
        return Program(code(start, length), tuple(ends), at, sizes, entry["heap"])

    def compiled(entry: dict) -> Compiled:
        usual = [program(entry, entry[which], {}) for which in ("gradient", "evaluation")]
        extras = {
            name: program(entry, where, {"norms": entry["norms"]})
            for name, where in entry.get("extras", {}).items()
        }
        return Compiled(*usual, extras)

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
        "(python -m bnlab.engines.compiled build), or train with engine='torch'."
    )


def store_with(key: str, extras: tuple[str, ...] = ()) -> Store | None:
    """The first store that has a net with these updates of single tensors, or None."""
    for folder in FOLDERS.values():
        nets = read_nets(folder)
        if key in nets and nets[key].issuperset(extras):
            return load(folder)
    return None


@functools.cache
def read_nets(folder: Path) -> dict[str, frozenset[str]]:
    """The names of the extras of each net in a folder, by its key."""
    return {key: frozenset(net.get("extras", ())) for key, net in read(folder)["nets"].items()}


def build(
    nets: list[Net], folder: Path, extras: tuple[str, ...], on_net: Callable[[Net], None]
) -> None:
    """Compile nets together and write them; ``on_net`` is called before each net."""
    store, places = compile_nets(nets, extras=extras, on_net=on_net)
    save(store, places, {net.key: checked(net) for net in nets}, folder)
