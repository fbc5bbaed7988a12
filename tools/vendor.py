"""Renews or checks assets/vendor: files of other projects that the site serves itself.

    python tools/vendor.py           fetch the packages again with `npm pack`, write files, manifest
    python tools/vendor.py --check   compare the files with the sha512 sums of the manifest

Readers and builds need no node: the files are committed, with their licences.
Renewing needs npm, and the book's environment (fontTools) for the icons.
"""

import argparse
import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from fnmatch import fnmatch
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "assets" / "vendor"
MANIFEST = "manifest.json"


def mathjax(files):
    r"""Keep what a page can load; without the extensions one \cancel kills a page's maths."""
    wanted = (
        "startup.js",
        "core.js",
        "input/tex.js",
        "input/tex/extensions/*.js",
        "output/chtml.js",
        "output/chtml/fonts/tex.js",
        "output/chtml/fonts/woff-v2/*.woff",
        "a11y/assistive-mml.js",
    )
    kept = {path.removeprefix("es5/"): data for path, data in files.items()}
    kept = {path: d for path, d in kept.items() if any(fnmatch(path, w) for w in wanted)}
    del kept["input/tex/extensions/all-packages.js"]  # all the others once more
    return kept | {"LICENSE": files["LICENSE"]}


def icons(files):
    """Keep the theme's icons only, in one style sheet."""
    from icons import style_sheet

    return {"icons.css": style_sheet(files), "LICENSE.txt": files["LICENSE.txt"]}


def qr(files):
    """Make a classic script of two modules: a page that was opened from a disk can load it."""
    parts = (files["index.js"], files["extras/svg.js"])
    inside = b"\n".join(b"(function (exports) {" + part.strip() + b"})(leanQr);" for part in parts)
    script = b"globalThis.leanQr = {};  // MIT, see LICENSE\n" + inside + b"\n"
    return {"lean-qr.js": script, "LICENSE": files["LICENSE"]}


# folder in assets/vendor, npm package, version, licence, choice of files
PACKAGES = [
    ("mathjax", "mathjax", "3.2.2", "Apache-2.0", mathjax),
    ("icons", "@fortawesome/fontawesome-free", "6.5.2", "CC-BY-4.0, OFL-1.1 and MIT", icons),
    ("qr", "lean-qr", "2.7.4", "MIT", qr),
]


def sha512(data):
    """Return the sum in the notation of Subresource Integrity."""
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def files_below(folder):
    """Map each file's path relative to folder to its content, the manifest left out."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file())
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}
    files.pop(MANIFEST, None)
    return files


def problems(folder=VENDOR):
    """Say what differs between the files in folder and its manifest."""
    packages = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["packages"]
    sums = {path: s for package in packages for path, s in package["files"].items()}
    files = files_below(folder)
    return (
        [f"missing: {path}" for path in sorted(sums.keys() - files.keys())]
        + [f"not in the manifest: {path}" for path in sorted(files.keys() - sums.keys())]
        + [f"changed: {p}" for p in sorted(sums.keys() & files) if sha512(files[p]) != sums[p]]
    )


def fetch(package, version):
    """Download one package with npm; return {path in the package: content}."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["npm", "pack", "--silent", f"{package}@{version}"],
            cwd=folder,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        archive = Path(folder) / done.stdout.strip().splitlines()[-1]
        with tarfile.open(archive) as tar:
            members = [m for m in tar.getmembers() if m.isfile()]
            return {m.name.removeprefix("package/"): tar.extractfile(m).read() for m in members}


def renew(folder=VENDOR):
    """Fetch everything first, then replace the folder: a failed download changes nothing."""
    made = [(*package, package[-1](fetch(*package[1:3]))) for package in PACKAGES]
    shutil.rmtree(folder, ignore_errors=True)
    entries = []
    for place, name, version, licence, _, files in made:
        files = {f"{place}/{path}": data for path, data in sorted(files.items())}
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        entry = {"name": name, "version": version, "licence": licence}
        entries.append(entry | {"files": {path: sha512(data) for path, data in files.items()}})
    text = json.dumps({"packages": entries}, indent=2) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the manifest only")
    if not parser.parse_args().check:
        if not shutil.which("npm"):
            sys.exit("Renewing the vendored files needs npm: install Node.js and run this again.")
        renew()
    found = problems()
    sys.exit("\n".join(found) if found else None)


if __name__ == "__main__":
    main()
