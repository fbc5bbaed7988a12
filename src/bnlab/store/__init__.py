"""What is kept on disk: files written whole or not at all, and folders of results."""

from bnlab.store.files import (
    DamagedFileError,
    read_object,
    read_result,
    write_result,
    write_text,
)
from bnlab.store.results import NewerVersionError, Results, StoreBusyError

__all__ = [
    "DamagedFileError",
    "NewerVersionError",
    "Results",
    "StoreBusyError",
    "read_object",
    "read_result",
    "write_result",
    "write_text",
]
