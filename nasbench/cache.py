"""Where files are kept that can be made again: a folder of this program in the user's cache folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

CACHE_VARIABLE = "NASBENCH_CACHE"


def cache_folder() -> Path:
    """Return the folder that ``NASBENCH_CACHE`` names, else the one of the system; it may not exist yet."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "nasbench" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "nasbench"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nasbench"
