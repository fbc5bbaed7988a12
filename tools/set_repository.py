"""Sets the repository's public address everywhere, from one place: tools/repository.json.

python tools/set_repository.py owner/name    write the address, then every place that names it
python tools/set_repository.py --check       list the places that name another one
"""

import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = "tools/repository.json"
PLACEHOLDER = "OWNER/REPO"
ADDRESS = r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9_.-]*[A-Za-z0-9_-]"

# Files whose every GitHub address is ours.
OURS = ("README.md", "CONTRIBUTING.md", "CITATION.cff", "LICENSE-TEXT", "pyproject.toml")
OURS += ("_config.yml",)
# Folders that also name other repositories: there only these forms are ours.
SHARED = ("book/**/*.ipynb", "book/**/*.md", "src/**/*.py", "src/**/*.js")

ANY_FORM = re.compile(rf"(?<=github\.com/)(?!apps/|sponsors/){ADDRESS}")
OUR_FORMS = re.compile(
    rf"(?<=git\+https://github\.com/){ADDRESS}"
    rf"|(?<=git clone https://github\.com/){ADDRESS}"
    rf"|(?<=colab\.research\.google\.com/github/){ADDRESS}"
    rf"|\b{PLACEHOLDER}\b"
)
PAGES = re.compile(r"(?<=https://)([A-Za-z0-9-]+)\.github\.io/([A-Za-z0-9_.-]*[A-Za-z0-9_-])")


def current(root=ROOT):
    """Return the address that the one place names."""
    return json.loads((root / PLACE).read_text(encoding="utf-8"))["repository"]


def pages_host(address):
    """Return the site's address as GitHub Pages gives it, without https://."""
    owner, name = address.split("/")
    return f"{owner}.github.io/{name}"


def sources(root=ROOT):
    """Yield (path, pattern) of every file that may name the address."""
    for name in OURS:
        yield root / name, ANY_FORM
    for pattern in SHARED:
        for path in sorted(root.glob(pattern)):
            if ".ipynb_checkpoints" not in path.parts:
                yield path, OUR_FORMS


def rewritten(text, pattern, address):
    """Return the text with every address of ours replaced."""
    text = pattern.sub(address, text)
    return PAGES.sub(pages_host(address), text) if pattern is ANY_FORM else text


def places(root=ROOT):
    """Yield (path, line number, address found) for every place that names the repository."""
    for path, pattern in sources(root):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            for match in pattern.finditer(line):
                yield path.relative_to(root).as_posix(), number, match.group()
            if pattern is ANY_FORM:
                for match in PAGES.finditer(line):
                    yield path.relative_to(root).as_posix(), number, "/".join(match.groups())


def differing(root=ROOT):
    """List the places that name another address than the one place does."""
    address = current(root)
    return [f"{path}:{n} names {found}" for path, n, found in places(root) if found != address]


def set_everywhere(address, root=ROOT):
    """Write the address into the one place and into every file; return the files changed."""
    if not re.fullmatch(ADDRESS, address):
        raise ValueError(f"not an address: {address!r} (write owner/name)")
    changed = []
    texts = [(root / PLACE, json.dumps({"repository": address}) + "\n")]
    for path, pattern in sources(root):
        texts.append((path, rewritten(path.read_text(encoding="utf-8"), pattern, address)))
    for path, text in texts:
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path.relative_to(root).as_posix())
    return changed


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", nargs="?", help="owner/name")
    parser.add_argument("--check", action="store_true", help="list the places that differ")
    arguments = parser.parse_args()
    if arguments.check:
        found = differing()
        sys.exit("\n".join(found) if found else None)
    if not arguments.address:
        parser.error("give the address as owner/name")
    try:
        changed = set_everywhere(arguments.address)
    except ValueError as error:
        parser.error(str(error))
    print("\n".join(changed) or "Nothing to change.")


if __name__ == "__main__":
    main()
