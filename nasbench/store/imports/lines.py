"""Lines of a file, in bytes, with the place behind each and the SHA-256 of all up to there.

About a megabyte of the file is held at a time, or its longest line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Begun:
    """How far a file was read.

    Attributes:
        position: Bytes.
        sha256: Of these bytes.
    """

    position: int
    sha256: str


class Lines:
    """Reads a file once, line by line.

    Args:
        path: The file.
        bare_returns: Whether a carriage return alone ends a line too.

    Attributes:
        position: Byte behind the last line handed out.
    """

    def __init__(self, path: Path, *, bare_returns: bool = False) -> None:
        self._path = path
        self._bare_returns = bare_returns
        self.position = 0
        self._digest = hashlib.sha256()  # of all before the block
        self._block = b""  # whole lines, some of which were handed out
        self._block_start = 0

    def skip(self, begun: Begun) -> bool:
        """Go to where an earlier reading ended; False, and nothing done, if the bytes before differ."""
        digest = hashlib.sha256()
        left = begun.position
        with self._path.open("rb") as stream:
            while left and (chunk := stream.read(min(left, _CHUNK))):
                digest.update(chunk)
                left -= len(chunk)
        if left or digest.hexdigest() != begun.sha256:
            return False
        self._digest = digest
        self.position = self._block_start = begun.position
        return True

    def __iter__(self) -> Iterator[bytes]:
        """Yield what is left of the lines, each with its end."""
        with self._path.open("rb", buffering=0) as stream:
            stream.seek(self.position)
            unfinished: list[bytes] = []
            while True:
                chunk = stream.read(_CHUNK)
                if chunk and not self._ends_a_line(chunk):
                    unfinished.append(chunk)
                    continue
                text = b"".join([*unfinished, chunk])
                lines = text.splitlines(keepends=True) if self._bare_returns else _split(text)
                unfinished = []
                if chunk and lines and not lines[-1].endswith(b"\n"):  # nor is "\r" the end: "\n" may follow
                    unfinished = [lines.pop()]
                self._block = text[: len(text) - len(unfinished[0])] if unfinished else text
                for line in lines:
                    self.position += len(line)
                    yield line
                self._digest.update(self._block)
                self._block, self._block_start = b"", self.position
                if not chunk:
                    return

    def mark(self) -> Mark:
        """Note how far the lines were handed out."""
        return Mark(self.position, self._digest.copy(), self._block, self._block_start)

    def _ends_a_line(self, chunk: bytes) -> bool:
        return b"\n" in chunk or (self._bare_returns and b"\r" in chunk)


class Mark:
    """A place in a file; what takes time is worked out only when it is asked for."""

    def __init__(self, position: int, before: hashlib._Hash, block: bytes, block_start: int) -> None:
        self.position = position
        self._before = before
        self._block = block
        self._block_start = block_start

    def begun(self) -> Begun:
        """Return position and SHA-256."""
        digest = self._before.copy()
        digest.update(memoryview(self._block)[: self.position - self._block_start])
        return Begun(self.position, digest.hexdigest())


def _split(text: bytes) -> list[bytes]:
    """Split at line feeds only, and keep them."""
    *whole, last = text.split(b"\n")
    lines = [line + b"\n" for line in whole]
    return [*lines, last] if last else lines
