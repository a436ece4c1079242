"""Lines of a file and where they end: the same in whatever pieces it is read, from wherever one goes on."""

from __future__ import annotations

import hashlib

import pytest

from nasbench.store.imports import lines as reading
from nasbench.store.imports.lines import Begun, Lines

TEXT = b"a\nbb\r\n\r\nc\rd\r\re\n\nlast"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "file").write_bytes(TEXT)
    return tmp_path / "file"


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 1_000])
def test_lines_are_those_of_the_whole_text(path, chunk, monkeypatch):
    monkeypatch.setattr(reading, "_CHUNK", chunk)
    assert list(Lines(path)) == [
        b"a\n",
        b"bb\r\n",
        b"\r\n",
        b"c\rd\r\re\n",
        b"\n",
        b"last",
    ]
    assert list(Lines(path, bare_returns=True)) == TEXT.splitlines(keepends=True)


@pytest.mark.parametrize("chunk", [1, 4, 1_000])
@pytest.mark.parametrize("bare_returns", [False, True])
def test_a_reading_goes_on_behind_any_line(path, chunk, bare_returns, monkeypatch):
    monkeypatch.setattr(reading, "_CHUNK", chunk)
    lines = Lines(path, bare_returns=bare_returns)
    marks = [(line, lines.mark()) for line in lines]
    whole = [line for line, _ in marks]
    for i, (_, mark) in enumerate(marks):
        begun = mark.begun()
        position = sum(map(len, whole[: i + 1]))
        assert begun == Begun(position, hashlib.sha256(TEXT[:position]).hexdigest())
        again = Lines(path, bare_returns=bare_returns)
        assert again.skip(begun)
        assert list(again) == whole[i + 1 :]
        assert again.mark().begun().sha256 == hashlib.sha256(TEXT).hexdigest()


@pytest.mark.parametrize("begun", [Begun(3, "0" * 64), Begun(99, hashlib.sha256(TEXT).hexdigest())])
def test_another_beginning_is_not_skipped(path, begun):
    lines = Lines(path)
    assert not lines.skip(begun)
    assert lines.position == 0
    assert b"".join(lines) == TEXT


def test_an_empty_file_has_no_lines(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert list(Lines(tmp_path / "file")) == []
