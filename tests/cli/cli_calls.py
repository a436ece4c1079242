"""The command line called in this process or in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ARCHITECTURE = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
)
FINISHED = "random-search,regularized-evolution[population=5,sample=2]"
QUICK = ("--source", "nb201-cifar10", "--budget", "10evals")


@dataclass(frozen=True)
class Ended:
    """A command line that ended."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Nasbench = Callable[..., Ended]


def spawn(*arguments: object, **environment: str) -> Ended:
    """Run one command line in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "nasbench", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)
