"""Translated modules as shared libraries: compiled once, kept in the user's cache."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import platform
import shutil
import tempfile
from pathlib import Path

from bnlab.data.archive import cache_folder
from bnlab.engines.compiled.native import compilers
from bnlab.engines.compiled.native.compilers import BrokenCompilerError, NoLibraryError
from bnlab.engines.compiled.native.translate import c_text
from bnlab.engines.compiled.native.wasm import UntranslatedError

TRIED = (("Linux", "x86_64"),)
"""Systems and processors that this was tried on. In an emulator, aarch64 gives the same bits; how
fast it is there, nobody has measured."""

DIGEST = 32
"""Bytes behind a library in the cache: the SHA-256 of those before them."""

_found: dict[bytes, ctypes.CDLL | NoLibraryError] = {}
_broken: dict[str, str] = {}  # what compilers did that are not asked again


def load(code: bytes) -> ctypes.CDLL:
    """The library of a module, compiled now if it is not in the cache.

    Args:
        code: the bytes of the module.

    Raises:
        NoLibraryError: if it cannot be had here; in this process that is tried once.
    """
    if code not in _found:
        try:
            _found[code] = _had(code)
        except NoLibraryError as error:
            _found[code] = error
    found = _found[code]
    if isinstance(found, NoLibraryError):
        raise found
    return found


def is_kept(code: bytes) -> bool:
    """Whether ``load`` has the library of a module at once."""
    if code in _found:
        return isinstance(_found[code], ctypes.CDLL)
    try:
        return is_tried() and _is_whole(_place(code))
    except NoLibraryError:
        return False


def is_tried() -> bool:
    """Whether libraries were tried on such a machine."""
    return (platform.system(), platform.machine()) in TRIED


def _had(code: bytes) -> ctypes.CDLL:
    """From the cache; or compiled by one process, while others wait."""
    from filelock import FileLock, Timeout

    if not is_tried():
        system = f"{platform.system()} {platform.machine()}"
        raise NoLibraryError(f"kernels in machine code were not tried on {system}")
    place = _place(code)
    if library := _kept(place):
        return library
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(place.with_suffix(".lock"), timeout=compilers.PATIENCE):
            return _kept(place) or _built(_source(code), place)
    except Timeout as error:
        raise NoLibraryError("another process is compiling and takes too long") from error
    except (OSError, NotImplementedError) as error:  # no locks on such a disk
        raise NoLibraryError(
            f"the cache folder {place.parent} cannot be written ({error})",
            "make it writable or free some space there, or let XDG_CACHE_HOME name another folder",
        ) from error


@functools.lru_cache(maxsize=64)
def _place(code: bytes) -> Path:
    """Where the library of a module belongs. Whatever the compiler, it computes the same."""
    parts = (_source(code), platform.system(), platform.machine(), _processor(), compilers.flags())
    return _folder() / f"{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:24]}.so"


def _folder() -> Path:
    return cache_folder() / "native"


def _processor() -> str:
    """What this machine's processor is and can do."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = ("vendor_id", "cpu family", "model", "stepping", "flags")
    return "\n".join(sorted({line for line in lines if line.split("\t")[0] in names}))


def _source(code: bytes) -> str:
    try:
        return c_text(code)
    except (UntranslatedError, LookupError, ValueError) as error:  # such as an unknown type
        raise NoLibraryError(f"the kernels cannot be translated ({error})") from error


def _is_whole(place: Path) -> bool:
    """Whether there is a library that nothing has damaged: to open half a one ends the process."""
    try:
        content = place.read_bytes()
    except OSError:
        return False
    return hashlib.sha256(content[:-DIGEST]).digest() == content[-DIGEST:]


def _kept(place: Path) -> ctypes.CDLL | None:
    try:
        return _opened(place) if _is_whole(place) else None
    except BrokenCompilerError:
        return None


def _built(source: str, place: Path) -> ctypes.CDLL:
    """The library by the first compiler that makes a right one, and a copy in the cache."""
    for left in place.parent.glob(f"{place.stem}.*.making"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    found = compilers.compilers()
    for name, command in found.items():
        if name in _broken:
            continue
        try:
            return _by(command, source, place)
        except BrokenCompilerError as error:
            _broken[name] = f"{name} {error}"
    if not found:
        raise NoLibraryError("there is no C compiler here", "install one (pip install ziglang)")
    raise NoLibraryError(
        f"no C compiler here makes such a library: {'; '.join(_broken[name] for name in found)}",
        "install ziglang anew (pip install --force-reinstall ziglang)",
    )


def _by(command: tuple[str, ...], source: str, place: Path) -> ctypes.CDLL:
    # Beside its place: from there it can be moved in one step, and the disk is the same.
    folder = tempfile.TemporaryDirectory(
        prefix=f"{place.stem}.", suffix=".making", dir=place.parent, ignore_cleanup_errors=True
    )
    with folder as name:
        made = compilers.compiled(command, source, Path(name))
        library = _opened(made)
        content = made.read_bytes()
        whole = made.with_suffix(".whole")
        whole.write_bytes(content + hashlib.sha256(content).digest())
        whole.replace(place)
    return library


def _opened(path: Path) -> ctypes.CDLL:
    """The library, after a trial of what the bits depend on."""
    word, place = ctypes.c_uint32, ctypes.c_void_p
    types = {
        "trial": ([place], word),
        "heap": ([place], word),
        "run": ([place, word, word, word, word], None),
        "steps": ([place, word, word, ctypes.c_double], word),
    }
    try:
        library = ctypes.CDLL(str(path))
        for name, (arguments, result) in types.items():
            function = getattr(library, f"wasm_{name}")
            function.argtypes, function.restype = arguments, result
    except (OSError, AttributeError) as error:
        raise BrokenCompilerError(f"makes what cannot be opened ({error})") from error
    numbers = (ctypes.c_double * 4)(1 + 2**-30, 1e300, 2.0**-1060, float("nan"))
    if library.wasm_trial(numbers) != 0:
        raise BrokenCompilerError("does not compute as WebAssembly does")
    return library
