"""bzip2 files decompressed in long pieces, so that another thread can work on the piece before."""

from __future__ import annotations

import bz2
from typing import IO

_PACKED = 1 << 20  # compressed bytes a piece; a few times as many unpacked


class Unpacked:
    """Decompresses a bzip2 file, one long piece a call.

    ``bz2.open`` takes eight kilobytes at a time, and between two of them waits for the thread that unpickles;
    pieces of a megabyte let both go on at once.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._decoder = bz2.BZ2Decompressor()
        self._is_begun = False  # a stream behind the first, of which nothing is read yet
        self._is_over = False

    def read(self) -> bytes:
        """Return the next piece; empty at the end.

        Raises:
            EOFError: The file ends within a stream.
            OSError: The first stream is damaged.
        """
        while not self._is_over:
            packed = self._decoder.unused_data if self._decoder.eof else b""
            packed = packed or self._stream.read(_PACKED)
            if self._decoder.eof:
                if not packed:
                    break
                self._decoder = bz2.BZ2Decompressor()
                self._is_begun = True
            elif not packed:
                raise EOFError("the file ends within its compressed data")
            try:
                piece = self._decoder.decompress(packed)
            except OSError:
                if self._is_begun and not self._decoder.eof:
                    break  # what follows the last stream is no stream, as bzip2 itself takes it
                raise
            self._is_begun = False
            if piece:
                return piece
        self._is_over = True
        return b""
