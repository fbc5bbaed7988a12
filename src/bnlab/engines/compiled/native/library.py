"""Translated modules as shared libraries: compiled once, kept in the user's cache."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bnlab.data.archive import cache_folder
from bnlab.engines.compiled.native.translate import c_text
from bnlab.engines.compiled.native.wasm import UntranslatedError

TRIED = (("Linux", "x86_64"),)
"""Systems and processors that this was tried on."""

FLAGS = (
    # Each operation is rounded by itself: nothing is contracted, and no sum has another order.
    "-O3 -ffp-contract=off -fno-math-errno -fno-strict-aliasing -fno-stack-protector "
    "-fvisibility=hidden -shared -fPIC -s -w"
)
NATIVE = "-march=native"
PATIENCE = 600
"""Seconds after which a compiler is given up."""


class NoLibraryError(RuntimeError):
    """There is no library of a module here; the message says why, in half a sentence."""


@functools.lru_cache(maxsize=1)
def compiler() -> tuple[str, ...]:
    """The command of a C compiler: that of ``ziglang``, else the system's.

    Raises:
        NoLibraryError: if there is none.
    """
    if importlib.util.find_spec("ziglang") is not None:
        return (sys.executable, "-m", "ziglang", "cc")
    for name in ("cc", "clang", "gcc"):
        if path := shutil.which(name):
            return (path,)
    raise NoLibraryError("there is no C compiler")


def load(code: bytes) -> ctypes.CDLL:
    """The library of a module, compiled now if it is not in the cache.

    Args:
        code: the bytes of the module.

    Raises:
        NoLibraryError: if it cannot be had here.
    """
    found = _library(code)
    if isinstance(found, str):
        raise NoLibraryError(found)
    return found


def is_kept(code: bytes) -> bool:
    """Whether the library of a module is in the cache."""
    try:
        return _place(code).exists()
    except (NoLibraryError, OSError):
        return False


@functools.lru_cache(maxsize=16)
def _library(code: bytes) -> ctypes.CDLL | str:
    # Why there is none is kept, too: a compiler that has failed is not asked again.
    try:
        return _opened(_compiled(code))
    except NoLibraryError as error:
        return str(error)
    except (OSError, subprocess.SubprocessError, AttributeError) as error:
        return f"the library could not be made or opened ({type(error).__name__}: {error})"


@functools.lru_cache(maxsize=16)
def _place(code: bytes) -> Path:
    """Where the library of a module belongs: the same name, the same library."""
    if (platform.system(), platform.machine()) not in TRIED:
        raise NoLibraryError(f"it was not tried on {platform.system()} {platform.machine()}")
    text = "\0".join([_source(code), *_identity(compiler()), FLAGS, NATIVE, _processor()])
    return _folder() / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.so"


@functools.lru_cache(maxsize=4)
def _source(code: bytes) -> str:
    try:
        return c_text(code)
    except UntranslatedError as error:
        raise NoLibraryError(f"the module cannot be translated: {error}") from error
    except (LookupError, ValueError) as error:  # such as a type that is not known
        raise NoLibraryError("the module has something that cannot be translated") from error


def _identity(command: tuple[str, ...]) -> tuple[str, ...]:
    if command[-2:] == ("ziglang", "cc"):
        try:
            return ("ziglang", version("ziglang"))
        except PackageNotFoundError as error:
            raise NoLibraryError("the version of ziglang is not known") from error
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    return (*command, done.stdout)


def _processor() -> str:
    """What this machine's processor is and can do."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = ("vendor_id", "cpu family", "model", "stepping", "flags")
    return "\n".join(sorted({line for line in lines if line.split("\t")[0] in names}))


def _folder() -> Path:
    return cache_folder() / "native"


def _compiled(code: bytes) -> Path:
    """The file of a library; one process compiles it, the others wait."""
    from filelock import FileLock

    place = _place(code)
    if place.exists():
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(place.with_suffix(".lock")):
            if not place.exists():
                _compile(_source(code), place)
        return place
    except OSError:
        # A cache that cannot be written: for this process alone.
        folder = _own_folder()
        _compile(_source(code), folder / place.name)
        return folder / place.name


@functools.lru_cache(maxsize=1)
def _own_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="bnlab-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _compile(source: str, place: Path) -> None:
    """Compile to a file, which is there when it is whole or not at all."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "module.c").write_text(source)
        done = subprocess.run(
            [*compiler(), *FLAGS.split(), NATIVE, "-o", "module.so", "module.c"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            env={**os.environ, "ZIG_LOCAL_CACHE_DIR": folder},
        )
        if done.returncode:
            raise NoLibraryError(f"the C compiler refused it: {done.stderr[:300]}")
        own = place.with_suffix(f".{os.getpid()}")
        try:
            shutil.copyfile(Path(folder, "module.so"), own)
            own.replace(place)
        finally:
            with contextlib.suppress(OSError):
                own.unlink()


def _opened(path: Path) -> ctypes.CDLL:
    """The library, after a trial of what the bits depend on."""
    library = ctypes.CDLL(str(path))
    word, place = ctypes.c_uint32, ctypes.c_void_p
    types = {
        "trial": ([place], word),
        "heap": ([place], word),
        "run": ([place, word, word, word, word], None),
        "steps": ([place, word, word, ctypes.c_double], word),
    }
    for name, (arguments, result) in types.items():
        function = getattr(library, f"wasm_{name}")
        function.argtypes, function.restype = arguments, result
    numbers = (ctypes.c_double * 4)(1 + 2**-30, 1e300, 2.0**-1060, float("nan"))
    if library.wasm_trial(numbers) != 0:
        raise NoLibraryError("the C compiler does not compute as WebAssembly does")
    return library
