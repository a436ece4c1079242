"""How a training comes about here: the device and the versions that decide whether its bits come again."""

from __future__ import annotations

import functools
import hashlib
import platform
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np

import nasbench
from nasbench.training import require_torch

DECIDING = ("device", "threads", "torch", "code_hash")
"""What must agree for a training to give the same bits on a CPU; on a GPU also driver and CUDA."""


def provenance_here(device: str = "cpu") -> dict[str, Any]:
    """Describe trainings that this process makes on a device: no host name, no path, no time.

    Returns:
        ``device`` in words, ``device_kind``, ``threads``, ``torch``, ``numpy``, ``python``, ``nasbench``,
        ``code_hash``; on a GPU also ``cuda`` and ``cudnn``.

    Raises:
        MissingExtra: torch is absent.
        BadOption: There is no such device.
    """
    require_torch("Live training")
    import torch

    from nasbench.training.device import device_kind, device_words, resolve_device

    where = resolve_device(device)
    about: dict[str, Any] = {
        "device": device_words(where),
        "device_kind": device_kind(where),
        "threads": 1,  # training.device.repeatable sets it
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "nasbench": nasbench.__version__,
        "code_hash": code_hash(),
    }
    if where.type == "cuda":
        about["cuda"] = str(torch.version.cuda)
        about["cudnn"] = str(torch.backends.cudnn.version())
    return about


@functools.cache
def code_hash() -> str:
    """Hash the code that trains, every Python file of ``nasbench.training``: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for name, text in sorted(_sources(files("nasbench.training"), "")):
        digest.update(f"{name} {len(text)}\n".encode() + text)
    return digest.hexdigest()[:16]


def _sources(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found = []
    for member in folder.iterdir():
        if member.is_dir():
            found += _sources(member, f"{prefix}{member.name}/")
        elif member.name.endswith(".py"):
            found.append((prefix + member.name, member.read_bytes()))
    return found


def unlike(recorded: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Name what differs between a training's provenance and here, of what decides its bits.

    Returns:
        (recorded, here) by key; a recorded None where the provenance does not say.
    """
    return {key: (recorded.get(key), here.get(key)) for key in DECIDING if recorded.get(key) != here.get(key)}
