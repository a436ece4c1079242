"""Pages of the manual taken apart: the files they show, and the commands with what they print."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FENCE = re.compile(r"(?:^`(?P<file>[\w.-]+)`[^\n]*:\n\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A fenced block; ``file`` is the name on the line above it, if it shows one."""

    kind: str
    text: str
    file: str


def blocks(page: str) -> list[Block]:
    return [Block(m["kind"], m["text"], m["file"] or "") for m in _FENCE.finditer(page)]


def sessions(text: str) -> list[tuple[str, str]]:
    """Split a console block into commands (without ``$ nasbench``) and what each prints."""
    parts = re.split(r"^\$ nasbench ", text.replace("\\\n", ""), flags=re.M)
    assert parts[0] == ""
    return [(command, out) for command, _, out in (part.partition("\n") for part in parts[1:])]
