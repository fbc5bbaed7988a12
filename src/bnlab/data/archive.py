"""Files of an official archive: from a folder that has it, or downloaded once."""

from __future__ import annotations

import gzip
import os
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


def cache_folder() -> Path:
    """The folder of the user's cache in which this package keeps what can be had again."""
    import pooch

    return Path(pooch.os_cache("bnlab"))


def given_folder() -> str:
    """The folder that the environment variable BNLAB_DATA names; empty for none."""
    return os.environ.get("BNLAB_DATA", "")


@dataclass(frozen=True)
class Archive:
    """A gzipped tar archive on a server.

    Attributes:
        title: what messages call its content.
        url: where it is.
        md5: its checksum, as published beside it.
        folder: the folder in it.
        members: the names of the files that are needed of it.
    """

    title: str
    url: str
    md5: str
    folder: str
    members: tuple[str, ...]

    @property
    def name(self) -> str:
        """The archive's own file name."""
        return PurePosixPath(self.url).name

    def find(self, given: str) -> Path:
        """The unpacked folder or the archive in the folder ``given``; without one, a download.

        Raises:
            OSError: if neither is there, or the download fails.
            ValueError: if something else came from the server.
        """
        return self._in_folder(Path(given).expanduser()) if given else self._downloaded()

    def _in_folder(self, folder: Path) -> Path:
        if not folder.is_dir():
            raise NotADirectoryError(
                f"BNLAB_DATA names {folder}, which is not a folder; set it to a folder that has "
                f"{self.name} or {self.folder}, or unset it to download the archive."
            )
        for source in (folder / self.folder, folder / self.name):
            if source.exists():
                return source
        raise FileNotFoundError(
            f"BNLAB_DATA names {folder}, which has neither {self.name} nor the folder "
            f"{self.folder}; put one of them there (from {self.url}), or unset BNLAB_DATA to "
            "download the archive."
        )

    def _downloaded(self) -> Path:
        """The archive in the user's cache, downloaded if it is not there.

        pooch downloads to a temporary file, which takes its place when it is whole and its hash
        fits. A download that breaks off leaves nothing, and the next call starts it again.
        """
        import pooch  # slow to load, and needed for a download alone

        try:
            path = pooch.retrieve(
                self.url,
                known_hash=f"md5:{self.md5}",
                fname=self.name,
                path=cache_folder(),
                downloader=pooch.HTTPDownloader(progressbar=True),
            )
        except OSError as error:  # requests' errors are OSErrors too
            raise OSError(
                f"{self.title} could not be downloaded ({type(error).__name__}: {error}). Try "
                f"again, or get {self.url} with a browser, put {self.name} into a folder and set "
                "the environment variable BNLAB_DATA to that folder."
            ) from error
        except ValueError as error:  # the hash
            raise ValueError(
                f"What came from {self.url} is not the {self.title} archive: its checksum differs, "
                f"and it was not kept. Try again, or put {self.name} into a folder and set the "
                "environment variable BNLAB_DATA to that folder."
            ) from error
        return Path(path)

    def read(self, source: Path) -> dict[str, bytes]:
        """Content of the members, by name, from the unpacked folder or straight from the archive.

        Raises:
            FileNotFoundError: if one is missing.
            ValueError: for an archive that is truncated or damaged.
        """
        files = self._unpacked(source) if source.is_dir() else self._packed(source)
        missing = [name for name in self.members if name not in files]
        if missing:
            raise FileNotFoundError(
                f"{source} does not have {', '.join(missing)}; replace it by the one from "
                f"{self.url}."
            )
        return files

    def _unpacked(self, folder: Path) -> dict[str, bytes]:
        paths = (folder / name for name in self.members)
        return {path.name: path.read_bytes() for path in paths if path.is_file()}

    def _packed(self, archive: Path) -> dict[str, bytes]:
        files = {}
        try:
            with gzip.open(archive) as plain:
                with tarfile.open(fileobj=plain, mode="r|") as tar:
                    for member in tar:
                        name = PurePosixPath(member.name).name
                        if member.isfile() and name in self.members:
                            files[name] = tar.extractfile(member).read()
                while plain.read(2**20):  # to the end, where gzip compares its checksum
                    pass
        except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(
                f"{archive} is truncated or damaged ({error}); delete it and get it again from "
                f"{self.url}."
            ) from error
        return files
