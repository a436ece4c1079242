"""How the trainings of a worker come about: as everywhere, and the driver of its GPU."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from nasbench.evaluation.provenance import provenance_here

_DRIVER_FILE = Path("/proc/driver/nvidia/version")
_DRIVER = re.compile(r"\b(\d{3}\.\d+(?:\.\d+)?)\b")


def provenance(device: str) -> dict[str, Any]:
    """Describe this process: device, driver, versions and code; no host names and no paths.

    Args:
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

    Raises:
        BadOption: No such device here.
        MissingExtra: torch is absent.
    """
    about = provenance_here(device)
    if about["device_kind"] == "gpu":
        about["driver"] = gpu_driver()
    return about


def gpu_driver(file: Path = _DRIVER_FILE) -> str:
    """Read the version of the NVIDIA driver where Linux tells it; else ``""``."""
    try:
        found = _DRIVER.search(file.read_text(encoding="utf-8"))
    except OSError:
        return ""
    return found[1] if found else ""
