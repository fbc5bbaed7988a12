"""Makes the environment, the book and the tests; `make` calls this file.

    python3 tools/make.py book          (TARGETS, at the end, has the others)

Standard library and old syntax only: a Python that is too old must be able to run this and say so.
Stamps say what is whole: `.venv/.complete`, `.venv/.models` and `_build/.complete`. A stamp is
removed before the work that it vouches for and written after it: nothing half-made is ever taken
for whole.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BUILD = ROOT / "_build"
SITE = BUILD / "html"
ENV_STAMP = VENV / ".complete"
MODELS_STAMP = VENV / ".models"
SITE_STAMP = BUILD / ".complete"

OLDEST_PYTHON = (3, 11)
# The release that requirements.lock was resolved on comes first.
PYTHONS = ["python3.11", sys.executable, "python3", "python3.12", "python3.13", "python3.14"]
GIB = 2**30
INSTALL_SPACE = 3 * GIB
CUDA_SPACE = 9 * GIB  # torch's default build for Linux brings the CUDA libraries
BUILD_SPACE = GIB // 4
CACHES = (".pytest_cache", ".ruff_cache", ".hypothesis")
STUCK = 1200  # seconds in one test, after which its worker is ended
TEST_LIMIT = 2 * 3600  # seconds for all tests
NEED_MODELS = ("tests/models",)
NEED_SITE = ("tests/web", "tests/project/test_site.py")
CELL_TIMEOUT = "300"  # seconds, as in _config.yml
NO_TESTS = 5  # pytest's status when there was nothing to run
NBVAL = ["--nbval-lax", "--nbval-current-env"]
NOT_SOURCE = {"__pycache__", ".ipynb_checkpoints", ".DS_Store", ".unfinished"}


class Stop(Exception):  # noqa: N818 - not an error of the program
    """A reason to end that the reader can act on: printed as one sentence, without a traceback."""


def say(text):
    """Print at once, also when the output is a file."""
    print(text, flush=True)


# ------------------------------------------------------------------------------------ digests


def source_files(path):
    """Yield the files at or below path, in a fixed order, without what tools leave there."""
    if path.is_file():
        yield path
    elif path.is_dir():
        for child in sorted(path.iterdir()):
            if child.name not in NOT_SOURCE:
                yield from source_files(child)


def digest(*names):
    """Return one sum over names and contents of files and folders of the repository."""
    total = hashlib.sha256()
    for name in names:
        for path in source_files(ROOT / name):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{path.relative_to(ROOT).as_posix()} {content}\n".encode())
    return total.hexdigest()


def env_digest():
    """Everything that decides what is installed."""
    return digest("requirements.txt", "requirements.lock", "pyproject.toml")


def code_digest():
    """Everything but the pages that decides what the site shows."""
    return env_digest() + digest("src", "results", "assets", "tools", "_config.yml", "_toc.yml")


def read_stamp(path):
    """Return what a stamp says, or None where there is none that can be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_stamp(path, content):
    """Write by renaming, so that a stamp is never half there."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(content), encoding="utf-8")
    part.replace(path)


def remove_file(path):
    """Remove a file that may not be there (`missing_ok` is not known to Python 3.7)."""
    if path.exists():
        path.unlink()


# ------------------------------------------------------------------------------- running things


def clean_environment():
    """Return the environment for child processes: this Python's packages, one thread each."""
    dropped = {"PYTHONPATH", "PYTHONHOME", "MPLBACKEND", "VIRTUAL_ENV"}
    dropped.add("PYTHONDONTWRITEBYTECODE")  # else every process compiles all sources again
    env = {key: value for key, value in os.environ.items() if key not in dropped}
    env.update(
        PATH=str(venv_python().parent) + os.pathsep + env.get("PATH", ""),
        PYTHONNOUSERSITE="1",
        PYDEVD_DISABLE_FILE_VALIDATION="1",
        JUPYTER_PREFER_ENV_PATH="1",
        OMP_NUM_THREADS="1",
        MKL_NUM_THREADS="1",
    )
    if not sys.stdout.isatty():
        env["NO_COLOR"] = "1"
    return env


def venv_python():
    """Return the path of the environment's interpreter."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def run(*arguments, **options):
    """Run the environment's Python and return its exit status."""
    command = [str(venv_python())] + [str(a) for a in arguments]
    options.setdefault("env", clean_environment())
    return subprocess.run(command, cwd=str(ROOT), **options).returncode


def need_space(needed, why):
    """Stop unless the repository's disk has room."""
    free = shutil.disk_usage(str(ROOT)).free
    if free < needed:
        raise Stop(
            f"Not enough disk space to {why}: {free / GIB:.1f} GB free, {needed / GIB:.1f} GB "
            "needed. Free some space and run the same command again."
        )


# --------------------------------------------------------------------------------- environment


def probe(python):
    """Return (version, missing modules) of an interpreter, or None where it does not run."""
    code = (
        "import sys, importlib.util as u; print(*sys.version_info[:2], "
        "*[m for m in ('venv', 'ensurepip') if u.find_spec(m) is None])"
    )
    try:
        out = subprocess.run(  # noqa: UP022 - Python 3.6 has no capture_output
            [python, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError:
        return None
    if out.returncode:
        return None
    words = out.stdout.decode().split()
    return (int(words[0]), int(words[1])), words[2:]


def find_python(pythons=PYTHONS):
    """Return the first of these interpreters that is new enough and can make environments."""
    found = [(python, probe(python)) for python in pythons]
    found = [(python, *known) for python, known in found if known]
    recent = [entry for entry in found if entry[1] >= OLDEST_PYTHON]
    if not recent:
        newest = max((entry[1] for entry in found), default=sys.version_info[:2])
        raise Stop(
            "Python {}.{} is too old: install Python 3.11 or newer, "
            "then run the same command again.".format(*newest)
        )
    whole = [entry for entry in recent if not entry[2]]
    if not whole:
        raise Stop(
            f"{recent[0][0]} cannot make environments (module {recent[0][2][0]} is missing): "
            "on Debian and Ubuntu run 'apt install python3-venv', then the same command again."
        )
    return whole[0][0]


def pinned(name):
    """Return the line of requirements.txt that pins a package."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return re.search(f"^{re.escape(name)}==.*$", text, re.MULTILINE).group()


def pip(what, *arguments):
    """Run pip with its output in a file; say every 20 seconds that it is still at work."""
    log = VENV / "install.log"
    command = [str(venv_python()), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    started = time.time()
    with log.open("ab") as out:
        process = subprocess.Popen(
            command + list(arguments),
            cwd=str(ROOT),
            env=clean_environment(),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        while True:
            try:
                status = process.wait(timeout=20)
                break
            except subprocess.TimeoutExpired:
                say(f"  ... still at it ({time.time() - started:.0f} s)")
    if status:
        raise Stop(pip_failure(what, log))


def pip_failure(what, log):
    """Say in one sentence why pip failed."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line.strip() for line in lines if line.lower().startswith("error")]
    reason = errors[0] if errors else (lines[-1].strip() if lines else "no output")
    return (
        f"pip could not {what} ({reason}): check the network connection and the free disk space, "
        f"then run the same command again; pip's words are in {log.relative_to(ROOT)}."
    )


def make_venv():
    """Make an empty environment from the first suitable Python."""
    python = find_python()
    if VENV.exists():
        say("Removing .venv: it was not made here or its installation did not finish.")
        shutil.rmtree(str(VENV))
    need_space(INSTALL_SPACE, "install the book's packages")
    if sys.platform == "linux" and shutil.disk_usage(str(ROOT)).free < CUDA_SPACE:
        say("Note: torch's default build for Linux brings CUDA and may need up to 9 GB here.")
    say(f"Making the environment .venv with {python}.")
    done = subprocess.run(
        [python, "-m", "venv", str(VENV)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        raise Stop(
            f"{python} could not make an environment: on Debian and Ubuntu run "
            "'apt install python3-venv' (elsewhere reinstall Python), then the same command again."
        )


def env():
    """Install what requirements.txt pins, unless it is installed already."""
    wanted = {"packages": env_digest(), "place": str(ROOT)}
    stamp = read_stamp(ENV_STAMP) or {}
    works = stamp.get("place") == str(ROOT) and venv_python().exists() and run("-c", "") == 0
    if works and stamp == wanted:
        say("The environment .venv is complete.")
        return
    if not works:
        make_venv()
    remove_file(ENV_STAMP)
    say("Installing torch (1 of 3; this takes a few minutes the first time).")
    pip("install torch", "install", "-c", "requirements.lock", pinned("torch"))
    say("Installing the book's other packages (2 of 3).")
    pip("install the book's packages", "install", "-r", "requirements.txt")
    say("Installing the package bnlab from src/ (3 of 3).")
    pip("install bnlab", "install", "--no-deps", "--no-build-isolation", "-e", ".")
    if MODELS_STAMP.exists():  # those that are there fit what was there before
        models()
    pip("find a consistent set of packages", "check")
    write_stamp(ENV_STAMP, wanted)
    say("The environment is ready.")


def models():
    """Install the libraries whose models the package is tried on, unless they are installed."""
    wanted = {"packages": digest("requirements-models.txt", "requirements.lock")}
    if read_stamp(MODELS_STAMP) == wanted:
        return
    remove_file(MODELS_STAMP)
    say("Installing four libraries of models for the tests (240 MB, half a minute).")
    pip("install the libraries of models", "install", "-r", "requirements-models.txt")
    write_stamp(MODELS_STAMP, wanted)


def try_models():
    """Install those libraries if they can be had; the tests of their models are skipped else."""
    try:
        models()
    except Stop as stop:
        say(f"Note: {stop} The tests of their models are skipped.")


def install_models():
    """Make the environment, with the libraries of models."""
    env()
    models()
    say("The libraries of models are installed.")


# ---------------------------------------------------------------------------------------- site


def run_notebooks():
    """Run the notebooks whose outputs are not known, side by side, and keep what they put out."""
    keep = ("-p", "tools.keep_outputs", "--nbval-cell-timeout", CELL_TIMEOUT, "--durations", "5")
    if pytest(*keep, "book") not in (0, NO_TESTS):
        raise Stop(
            "A notebook failed: mend the cell that is named above, then run the same command again."
        )


def site():
    """Execute every chapter and build the site, unless it is up to date."""
    wanted = {"code": code_digest(), "pages": digest("book")}
    stamp = read_stamp(SITE_STAMP)
    if stamp == wanted and (SITE / "index.html").exists():
        say("The site is up to date.")
        return
    need_space(BUILD_SPACE, "build the book")
    remove_file(SITE_STAMP)
    if stamp and stamp.get("code") == wanted["code"]:
        # Only pages changed: outputs of unchanged cells are kept, everything else is made anew.
        say("Pages changed: executing what is new and building the site.")
        stale = [SITE, BUILD / ".doctrees"]
    else:
        say("Executing every chapter and building the site (a few minutes).")
        stale = [BUILD]
    for folder in stale:
        shutil.rmtree(str(folder), ignore_errors=True)
    run_notebooks()
    command = "from jupyter_book.cli.main import main; main()"
    if run("-c", command, "build", ".", "-W", "--keep-going"):
        show_reports()
        raise Stop(
            "The book did not build cleanly: mend the lines marked WARNING or ERROR above, "
            "then run the same command again."
        )
    write_stamp(SITE_STAMP, wanted)


def show_reports():
    """Print the tracebacks of pages in Markdown, which the build itself executes."""
    for report in sorted((SITE / "reports").rglob("*.log")):
        say(f"\n--- {report.relative_to(ROOT)}")
        say(report.read_text(encoding="utf-8", errors="replace"))


def book():
    """Make the environment and the site, and say where it is."""
    env()
    site()
    say("\nThe book: {}".format(SITE / "index.html"))
    say("Open that file in a browser, or run 'make serve' to read it over HTTP.")


def pdf():
    """Print the whole site as one PDF."""
    book()
    if run("tools/pdf.py"):
        raise Stop("The PDF was not made: the reason is said above.")


def take():
    """Write the PDF, and the site and all figures as zip files; the first page then links them."""
    pdf()
    say("Writing the site and its figures as zip files.")
    if run("tools/take.py"):
        raise Stop("The zip files were not made: the reason is said above.")


def serve():
    """Serve the built site on this machine."""
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            """Say nothing for each file."""

    book()
    os.chdir(str(SITE))
    for port in [*range(8000, 8020), 0]:
        try:
            server = ThreadingHTTPServer(("127.0.0.1", port), Quiet)
            break
        except OSError:  # in use
            continue
    say(f"Serving it at http://127.0.0.1:{server.server_port}/ (Ctrl-C ends it).")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        say("")


def write_lab_settings():
    """Switch off JupyterLab's question about news: it would lie over the widget on a projector."""
    settings = VENV / "share" / "jupyter" / "lab" / "settings"
    settings.mkdir(parents=True, exist_ok=True)
    quiet = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}
    (settings / "overrides.json").write_text(json.dumps(quiet), encoding="utf-8")


def lecture(*arguments):
    """Open the chapters in JupyterLab, without its news, update checks and extension list."""
    env()
    say("Opening the chapters in JupyterLab (Ctrl-C twice ends it).")
    write_lab_settings()
    env_vars = clean_environment()
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # a reader may train larger nets
        env_vars.pop(name)
    options = [
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")
    try:
        status = run("-m", "jupyterlab", "book", *options, *arguments, env=env_vars)
    except KeyboardInterrupt:
        return
    if status:
        raise Stop("JupyterLab ended with an error: its words are above.")


# --------------------------------------------------------------------------------------- checks


def stages(**checks):
    """Run every check, also after a failure, and stop at the end if one failed."""
    failed = [name for name, check in checks.items() if check()]
    if failed:
        raise Stop("Failed: {}. What to mend is said above.".format(", ".join(failed)))


def lint():
    """Check style, format and the vendored files."""
    env()
    say("Checking style, format and the vendored files.")
    stages(
        style=lambda: run("-m", "ruff", "check", "."),
        format=lambda: run("-m", "ruff", "format", "--check", "."),
        vendor=lambda: run("tools/vendor.py", "--check"),
    )


def chosen(arguments):
    """Return the paths among arguments for pytest, as seen from the repository's root."""
    values = {number + 1 for number, word in enumerate(arguments) if word in ("-k", "-m")}
    words = [word for number, word in enumerate(arguments) if number not in values]
    paths = [ROOT / word.split("::")[0] for word in words if not word.startswith("-")]
    return [Path(os.path.relpath(str(path), str(ROOT))) for path in paths if path.exists()]


def touch(paths, folders):
    """Return whether one of the paths is, holds, or lies in one of the folders."""
    pairs = [(a, Path(b)) for a in paths for b in folders]
    return any(a == b or a in b.parents or b in a.parents for a, b in pairs)


def pytest(*arguments):
    """Run all tests side by side or, in one process that starts at once, those of some paths."""
    paths = chosen(arguments)
    alone = paths and not {Path("tests"), Path("book")} & set(paths)
    workers = "0" if alone else str(min(4, os.cpu_count() or 1))
    options = ["-n", workers, "--dist", "loadfile", "--no-loadscope-reorder"]
    # Plugins that the chosen tests do not use: each takes a part of the time until the first one.
    options += NBVAL if touch(paths, ["book"]) else ["-p", "no:nbval"]
    options += ["-p", "no:playwright"] if paths and not touch(paths, ["tests/web"]) else []
    options += ["--durations", "20"]  # what makes the tests slow
    # When a worker dies, xdist starts another one, fails on it or waits for ever: end instead.
    options += ["--max-worker-restart", "0", "-o", f"faulthandler_timeout={STUCK}"]
    options += ["-o", "faulthandler_exit_on_timeout=true"]
    try:
        return run("-m", "pytest", *options, *(arguments or ["tests"]), timeout=TEST_LIMIT)
    except subprocess.TimeoutExpired:
        say(f"The tests were ended: they took longer than {TEST_LIMIT / 3600:g} hours.")
        return 1


def test(*arguments):
    """Make what the chosen tests need and is stale, run them, then check style."""
    env()
    paths = chosen(arguments)
    if not paths or touch(paths, NEED_MODELS):
        try_models()
    if not paths or touch(paths, NEED_SITE):
        site()
    say("Running the tests and checking style.")
    stages(
        tests=lambda: pytest(*arguments),
        style=lambda: run("-m", "ruff", "check", "."),
        format=lambda: run("-m", "ruff", "format", "--check", "."),
    )
    say("All checks passed.")


def format_code():
    """Format the code and strip outputs from the notebooks."""
    env()
    say("Formatting the code and stripping outputs from the notebooks.")
    notebooks = sorted((ROOT / "book").rglob("*.ipynb"))
    notebooks = [n for n in notebooks if not NOT_SOURCE & set(n.parts)]
    stages(
        style=lambda: run("-m", "ruff", "check", "--fix", "."),
        format=lambda: run("-m", "ruff", "format", "."),
        outputs=lambda: notebooks and run("-m", "nbstripout", "--keep-id", *notebooks),
    )


def lock():
    """Write requirements.lock from what is installed: no local versions, not bnlab, not CUDA."""
    env()
    models()
    out = subprocess.run(
        [str(venv_python()), "-m", "pip", "freeze", "--exclude-editable"],
        stdout=subprocess.PIPE,
        env=clean_environment(),
        check=True,
    )
    packages = [line.split("+")[0] for line in out.stdout.decode().splitlines() if "==" in line]
    platform_only = ("bnlab", "nvidia", "triton", "cuda")
    packages = [line for line in packages if not line.lower().startswith(platform_only)]
    text = "\n".join(sorted(packages, key=str.lower)) + "\n"
    (ROOT / "requirements.lock").write_text(text, encoding="utf-8")
    say(f"Wrote requirements.lock with {len(packages)} packages.")


def compiled():
    """Compile the nets of the book anew and write them to src/bnlab/engines/compiled."""
    env()
    say("Compiling the nets of the book (many minutes).")
    if run("-m", "bnlab.engines.compiled", "build"):
        raise Stop("The nets did not compile: mend what is said above, then run it again.")


def bench(*arguments):
    """Measure what the project says of its speed, one benchmark after the other."""
    env()
    report = BUILD / "speed.txt"
    report.parent.mkdir(exist_ok=True)
    say("Measuring speed, about a quarter of an hour; leave the machine alone meanwhile.")
    broken, text = [], ""
    names = (("limits", "--quick"), ("compiled",), ("peers",), ("train_many",), ("sweep",))
    for name, *options in names:
        command = [str(venv_python()), f"benchmarks/{name}.py", *options, *arguments]
        done = subprocess.run(
            command, cwd=str(ROOT), env=clean_environment(), stdout=subprocess.PIPE, text=True
        )
        part = f"== {name} {' '.join(options)}\n{done.stdout}\n"
        print(part, flush=True)
        text += part
        if done.returncode:
            broken.append(name)
    report.write_text(text, encoding="utf-8")
    say(f"The report: {report}")
    if broken:
        raise Stop(f"Limits are broken, or it did not run: {', '.join(broken)}. See above.")


def clean():
    """Remove the built site and all caches; the environment stays."""
    say("Removing the built site and the caches (the environment .venv stays).")
    remove_file(SITE_STAMP)
    for folder in (BUILD, *(ROOT / name for name in CACHES)):
        shutil.rmtree(str(folder), ignore_errors=True)


def distclean():
    """Remove everything that was made, the environment included."""
    clean()
    say("Removing the environment .venv.")
    remove_file(ENV_STAMP)
    shutil.rmtree(str(VENV), ignore_errors=True)


TARGETS = {
    "env": env,
    "models": install_models,
    "book": book,
    "test": test,
    "pdf": pdf,
    "take": take,
    "serve": serve,
    "lecture": lecture,
    "lint": lint,
    "format": format_code,
    "lock": lock,
    "compiled": compiled,
    "bench": bench,
    "clean": clean,
    "distclean": distclean,
}


def main(arguments):
    """Run one target; return the exit status."""
    if not arguments or arguments[0] not in TARGETS:
        say("Say what to make: {}.".format(", ".join(TARGETS)))
        return 2
    try:
        TARGETS[arguments[0]](*arguments[1:])
    except Stop as stop:
        print(f"\n{stop}", file=sys.stderr, flush=True)
        return 1
    except OSError as error:
        print(
            f"\nThe file system said no ({error}): check free disk space and permissions, "
            "then run the same command again.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The next run starts what was cut off afresh.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
