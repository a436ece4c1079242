"""The three forms in which NATS-Bench and NAS-Bench-201 are published, each read one architecture at a time.

* A folder ``NATS-*-simple``: ``meta.pickle.pbz2`` and one ``NNNNNN.pickle.pbz2`` an architecture.
* One file ``NATS-*.pickle.pbz2``: a bzip2 pickle of everything.
* ``NAS-Bench-201-*.pth``: the same structure saved by torch, as a zip or in the form before torch 1.6.

Nothing is unpickled but plain values and numpy scalars, and torch is not needed.
"""

from __future__ import annotations

import bz2
import collections
import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nasbench.errors import FormatError, MissingExtra
from nasbench.store.imports.bzip2 import Unpacked
from nasbench.store.imports.pickle_items import ItemReader, Stream
from nasbench.store.imports.restricted import Allowed, numpy_scalars, restricted_load

EXTENSION = ".pickle.pbz2"
_THREADS = 2
"""Threads that read and decompress files ahead; both let Python go on meanwhile."""
_AHEAD = 16
_LEGACY_TORCH = 0x1950A86A20F9469CFC6C
"""The number that files of torch before 1.6 begin with, a pickle of its own."""


@dataclass(frozen=True, slots=True)
class Found:
    """One architecture as a file holds it.

    Attributes:
        index: Its index in the release.
        where: File, and index where the file holds several, for messages.
        record: As unpickled; None where that failed.
        sha256: Of the file's bytes where it is a file of its own, else ``""``.
        damage: What is wrong with the file; None where nothing is.
    """

    index: int
    where: str
    record: Any
    sha256: str = ""
    damage: FormatError | None = None


class Release(Protocol):
    """A published release on disk."""

    path: Path

    @property
    def count(self) -> int | None:
        """How many architectures there are to read; None where only reading tells."""
        ...

    @property
    def architectures(self) -> Sequence[str] | None:
        """The whole space in the order of the release; None before it is known."""
        ...

    def fingerprint(self) -> str:
        """Say in words which bytes these are, without reading them all."""
        ...

    def records(self, start: int) -> Iterator[Found]:
        """Yield the architectures in a fixed order, without the first ``start``."""
        ...

    def checksum(self, digests: Sequence[str]) -> str:
        """Return a SHA-256 of all that was read; ``digests`` are those of the files found, in order."""
        ...


def open_release(path: str | Path) -> Release:
    """Open a release by its path.

    Raises:
        MissingExtra: Nothing of that name.
        FormatError: A folder without ``meta.pickle.pbz2``, or a file of another kind.
    """
    release = Path(path)
    if release.is_dir():
        return Folder(release)
    if not release.is_file():
        raise MissingExtra(
            f"path: expected a folder NATS-*-simple, a file *{EXTENSION} or a file *.pth, got {str(path)!r}, "
            "which does not exist. The release is at https://github.com/D-X-Y/NATS-Bench."
        )
    with release.open("rb") as handle:
        begins = handle.read(4)
    if begins[:3] == b"BZh":
        return SingleFile(release, _bzip2)
    if begins == b"PK\x03\x04" or begins[:1] == b"\x80":
        return SingleFile(release, _torch)
    raise FormatError(
        f"{path}: expected a bzip2 pickle or a file that torch saved, got bytes that begin with {begins!r}. "
        "Fetch it again."
    )


def allowed() -> Allowed:
    """List the globals of the releases: numpy scalars, and two that stand for plain values here."""
    return {
        **numpy_scalars(),
        ("collections", "OrderedDict"): dict,
        ("__builtin__", "set"): set,
        ("_codecs", "encode"): _latin1,
    }


def _latin1(text: str, encoding: str) -> bytes:
    """Stand for the call by which protocol 2 writes bytes."""
    if encoding != "latin1":
        raise ValueError(f"expected latin1, got {encoding!r}")
    return text.encode("latin1")


class Folder:
    """A folder with one file an architecture."""

    def __init__(self, path: Path) -> None:
        self.path = path
        meta = path / f"meta{EXTENSION}"
        if not meta.is_file():
            raise FormatError(
                f"{path}: expected meta{EXTENSION} and one file an architecture, got no such file. "
                "Fetch the folder again."
            )
        self._meta_bytes = meta.read_bytes()
        self._meta = restricted_load(io.BytesIO(_decompress(self._meta_bytes, meta)), where=str(meta))
        self._files = _numbered(path)
        if not self._files:
            raise FormatError(f"{path}: expected files 000000{EXTENSION}, ..., got none. Fetch it again.")

    @property
    def count(self) -> int | None:
        """The number of files."""
        return len(self._files)

    @property
    def architectures(self) -> Sequence[str] | None:
        """The whole space in the order of the release."""
        return architectures_of(self._meta, where=str(self.path / f"meta{EXTENSION}"))

    def fingerprint(self) -> str:
        """Hash the names and sizes of all files."""
        lines = [f"{file.name} {file.stat().st_size}" for _, file in self._files]
        return f"{self.path.name}: {hashlib.sha256(chr(10).join(lines).encode()).hexdigest()}"

    def records(self, start: int) -> Iterator[Found]:
        """Yield the architectures by index; files are read and decompressed ahead."""
        files = iter(self._files[start:])
        with ThreadPoolExecutor(_THREADS) as pool:
            waiting: collections.deque[tuple[int, Path, Future[tuple[bytes | FormatError, str]]]]
            waiting = collections.deque()
            for index, file in files:
                waiting.append((index, file, pool.submit(_read, file)))
                if len(waiting) > _AHEAD:
                    yield _unpickled(*waiting.popleft())
            while waiting:
                yield _unpickled(*waiting.popleft())

    def checksum(self, digests: Sequence[str]) -> str:
        """Hash the lines ``<SHA-256>  <name>`` of the meta file and of every file, as sha256sum writes."""
        meta = f"{hashlib.sha256(self._meta_bytes).hexdigest()}  meta{EXTENSION}"
        names = [file.name for _, file in self._files]
        lines = [meta, *(f"{digest}  {name}" for digest, name in zip(digests, names, strict=True))]
        return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def architectures_of(top: Any, *, where: str) -> list[str]:
    """Take the list of architectures out of a release's top dictionary.

    Raises:
        FormatError: There is none.
    """
    names = top.get("meta_archs") if isinstance(top, dict) else None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise FormatError(f"{where}: meta_archs: expected a list of architectures, got {names!r:.80}.")
    return names


def _numbered(path: Path) -> list[tuple[int, Path]]:
    """List the files of architectures by index; they are named 000000 or 0."""
    by_index: dict[int, Path] = {}
    for file in sorted(path.glob(f"*{EXTENSION}")):
        stem = file.name.removesuffix(EXTENSION)
        if re.fullmatch(r"\d{1,6}", stem):
            if int(stem) in by_index:
                raise FormatError(
                    f"{file}: expected one file an architecture, got {by_index[int(stem)].name} too."
                )
            by_index[int(stem)] = file
    return sorted(by_index.items())


def _decompress(data: bytes, file: Path) -> bytes:
    try:
        return bz2.decompress(data)
    except (OSError, ValueError) as error:
        raise FormatError(f"{file}: expected a whole bzip2 file, got {error}. Fetch it again.") from error


def _read(file: Path) -> tuple[bytes | FormatError, str]:
    """Read and decompress one file; its damage is kept, to be told in its turn."""
    data = file.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    try:
        return _decompress(data, file), digest
    except FormatError as error:
        return error, digest


def _unpickled(index: int, file: Path, read: Future[tuple[bytes | FormatError, str]]) -> Found:
    data, digest = read.result()
    if isinstance(data, FormatError):
        return Found(index, str(file), None, digest, data)
    try:
        record = restricted_load(io.BytesIO(data), where=str(file), allowed=allowed())
    except FormatError as error:
        return Found(index, str(file), None, digest, error)
    return Found(index, str(file), record, digest)


class SingleFile:
    """One file that holds all architectures; it is read from its beginning, one item after the other.

    Args:
        path: The file.
        opening: Gives the stream of the pickle in it.
    """

    def __init__(self, path: Path, opening: Callable[[Path], Any]) -> None:
        self.path = path
        self._opening = opening
        self._top: dict[Any, Any] | None = None
        self._sha256 = ""

    @property
    def count(self) -> int | None:
        """Unknown before the file has been read."""
        return None

    @property
    def architectures(self) -> Sequence[str] | None:
        """The whole space in the order of the release; None before the file has been read."""
        return None if self._top is None else architectures_of(self._top, where=str(self.path))

    def fingerprint(self) -> str:
        """Hash all bytes: they are one file, read by its own disk in seconds."""
        if not self._sha256:
            with self.path.open("rb") as handle:
                self._sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
        return f"{self.path.name}: {self._sha256}"

    def records(self, start: int) -> Iterator[Found]:
        """Yield the architectures in the order of the file; the first ``start`` are read and passed over."""
        with self._opening(self.path) as stream:
            reader = ItemReader(stream, streamed="arch2infos", where=str(self.path), allowed=allowed())
            for number, (index, record) in enumerate(reader.items()):
                if number >= start:
                    where = f"{self.path}: architecture {index}"
                    damage = None
                    if not isinstance(index, int):
                        damage = FormatError(f"{where}: expected a whole number, got {index!r}.")
                        index = -1
                    yield Found(index, where, record, damage=damage)
            self._top = reader.top

    def checksum(self, digests: Sequence[str]) -> str:
        """Return the SHA-256 of the file."""
        self.fingerprint()
        return self._sha256


class _Ahead:
    """Reads one piece ahead, so that decompressing and unpickling go on at once."""

    def __init__(self, unpacked: Unpacked, pool: ThreadPoolExecutor) -> None:
        self._unpacked, self._pool = unpacked, pool
        self._next = pool.submit(unpacked.read)

    def read(self, size: int) -> bytes:
        """Return the next piece; empty at the end."""
        data = self._next.result()
        if data:
            self._next = self._pool.submit(self._unpacked.read)
        return data


@contextmanager
def _bzip2(path: Path) -> Iterator[Stream]:
    with path.open("rb") as stream, ThreadPoolExecutor(1) as pool:
        yield _Ahead(Unpacked(stream), pool)


@contextmanager
def _torch(path: Path) -> Iterator[Stream]:
    """Open the pickle in a file that torch saved.

    Raises:
        FormatError: A zip file without one, or a pickle that torch did not begin.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if name.endswith("data.pkl")]
            if len(members) != 1:
                raise FormatError(f"{path}: expected one data.pkl in it, got {len(members)}. Fetch it again.")
            with archive.open(members[0]) as stream:
                yield stream
        return
    with path.open("rb") as stream:
        # Before the object itself come three small pickles: a number, the protocol, and what machine it was.
        heads = [restricted_load(stream, where=str(path)) for _ in range(3)]
        if heads[0] != _LEGACY_TORCH:
            raise FormatError(f"{path}: expected a file that torch saved, got the number {heads[0]!r:.40}.")
        yield stream
