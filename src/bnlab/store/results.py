"""A folder with one file a result: a computation that is killed loses nothing that it finished."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from bnlab.arguments import checked
from bnlab.store.files import DamagedFileError, read_object, write_result

FORMAT = 1


class StoreBusyError(RuntimeError):
    """Another process writes to this folder."""


class NewerVersionError(ValueError):
    """A result that a newer version of bnlab wrote: it is left as it is."""


class Results:
    """Results of one code, each in its own file ``FOLDER/CODE/KEY.json``.

    A file is written in one step, so whoever reads finds a whole result or none, also while
    another process writes and after one was killed. Results of other code lie beside each other in
    folders of their own: they are not served, and can be removed at any time.

    Args:
        folder: made when the first result comes.
        code: names the code that computes; a good name for a folder.

    Attributes:
        damaged: what was found wrong, file name to reason; such a result counts as missing.
    """

    @checked
    def __init__(self, folder: Path | str, code: str) -> None:
        self.folder, self.code = Path(folder), code
        self.damaged: dict[str, str] = {}

    def path(self, key: str) -> Path:
        """Where the result called ``key`` lies."""
        return self.folder / self.code / f"{key}.json"

    def read(self, key: str) -> dict | None:
        """The result called ``key``; None if it is missing or damaged (see ``damaged``).

        Raises:
            NewerVersionError: if the file has a format that this version does not know.
        """
        path = self.path(key)
        try:
            payload = read_object(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except DamagedFileError as error:
            self.reject(key, str(error))
            return None
        known = isinstance(payload.get("format"), int) and payload["format"] <= FORMAT
        if not known and "format" in payload:
            raise NewerVersionError(
                f"{path} has format {payload['format']!r}, this version of bnlab knows {FORMAT}: "
                "it was written by a newer one. Update bnlab, or name another store."
            )
        if (payload.get("key"), payload.get("code")) != (key, self.code):
            self.reject(key, f"{path.name} is foreign: it does not hold this result.")
            return None
        self.damaged.pop(path.name, None)  # mended by someone else since
        return payload["result"]

    def reject(self, key: str, reason: str) -> None:
        """Count the result called ``key`` as damaged."""
        self.damaged[self.path(key).name] = reason

    def write(self, key: str, result: dict) -> None:
        """Keep a result: when this returns, it outlives this process.

        It is not forced to the disk itself, which takes longer than many a training. A file that a
        power failure cut off is noticed and computed again.

        Raises:
            ValueError: if it holds NaN or infinity, which JSON does not have.
            OSError: if the disk is full or cannot be written; what was there stays.
        """
        fields = {"format": FORMAT, "key": key, "code": self.code, "result": result}
        write_result(self.path(key), fields, sync=False)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only one who writes to the folder.

        The operating system holds the lock: it ends with the process, however that ends.

        Raises:
            StoreBusyError: if another process or thread is at it.
            OSError: if the folder cannot be written.
        """
        (self.folder / self.code).mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise StoreBusyError(
                f"another sweep is writing to {self.folder}. Wait until it has ended (its results "
                "will then be found), or name another store."
            ) from error
        except NotImplementedError as error:
            raise OSError(
                f"the file system of {self.folder} has no locks: name a store on another disk."
            ) from error
        try:
            self._remove_leftovers()
            yield
        finally:
            lock.release()

    def _remove_leftovers(self) -> None:
        """Temporary files of a writer that was killed; under the lock there is no other."""
        for path in (self.folder / self.code).glob(".*.json.*"):
            path.unlink(missing_ok=True)
