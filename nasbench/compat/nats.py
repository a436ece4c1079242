"""The face of the package ``nats_bench`` 1.8 (Dong, Liu, Musial and Gabrys 2021) over imported tables.

``create`` takes what the original takes, the authors' files, or a table file; calls, units and numbers are
the original's: accuracies in percent, seconds, millions. What differs, and why:

* An answer is one training: with ``is_random=True`` one of the recorded seeds is drawn, and losses,
  accuracies and times are that training's. Draws come from a generator of the object's own (``seed``), not
  from the global one, so that a script repeats itself.
* ``is_random=False`` averages a split only where every repeat has it; a seed's own value is given although
  another repeat lacks it.
* Nothing is printed for single calls (``verbose`` announces an import alone).
* Weights are not stored.
* Errors are this package's, and subclasses of ValueError, LookupError or both.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from nasbench.compat.nats_cache import cached_table
from nasbench.compat.nats_space import NATSBench, NATSsize, NATStopology
from nasbench.compat.nats_tables import NATSTables
from nasbench.errors import BadOption

__all__ = ["NATSBench", "NATSsize", "NATStopology", "create"]

_SPACES = {"tss": "nb201", "topology": "nb201", "sss": "nats-size", "size": "nats-size"}
_RELEASES = {"nb201": "NATS-tss-v1_0-3ffb9", "nats-size": "NATS-sss-v1_0-50262"}


def create(
    file_path_or_dict: str | os.PathLike[str] | None,
    search_space: str,
    fast_mode: bool = False,
    verbose: bool = True,
    *,
    seed: int = 0,
) -> NATSBench:
    """Open a release of NATS-Bench or NAS-Bench-201, or a table file that was imported from one.

    Args:
        file_path_or_dict: A table file, a folder ``NATS-*-simple``, a file ``NATS-*.pickle.pbz2`` or a file
            ``NAS-Bench-201-*.pth``; None looks where the original looks. A release is imported once, into the
            user's cache folder (``NASBENCH_CACHE``), and opened in milliseconds from then on.
        search_space: ``"tss"`` or ``"topology"``, ``"sss"`` or ``"size"``.
        fast_mode: Accepted for the scripts' sake; opening is always fast, and every form of release serves.
        verbose: Say on standard error that a release is being imported.
        seed: Root of the draws of ``is_random=True`` and ``random``.

    Raises:
        BadOption: An unknown search space, a file of another one, or a dictionary.
        MissingExtra: No such file.
        FormatError: Neither a release nor a table file, or a damaged one.
    """
    if search_space not in _SPACES:
        raise BadOption(f"search_space: expected {', '.join(map(repr, _SPACES))}, got {search_space!r}.")
    space = _SPACES[search_space]
    path = _path(file_path_or_dict, space)
    if path.suffix != ".h5":
        path = cached_table(path, progress=_announce(path) if verbose else lambda _done, _total, _label: None)
    made = NATSsize if space == "nats-size" else NATStopology
    return made(NATSTables(path, space), fast_mode=fast_mode, verbose=verbose, seed=seed)


def _path(given: object, space: str) -> Path:
    if given is None:
        home = Path(os.environ.get("TORCH_HOME") or Path.home() / ".torch")
        folder = home / f"{_RELEASES[space]}-simple"
        return folder if folder.exists() else home / f"{_RELEASES[space]}.pickle.pbz2"
    if not isinstance(given, (str, os.PathLike)):
        raise BadOption(f"file_path_or_dict: expected a path, got {type(given).__name__}. Give the file.")
    return Path(given).expanduser()


def _announce(release: Path) -> Any:
    """Return a progress that says once that a release is being imported."""
    said: list[str] = []

    def progress(_done: int, total: int, _label: str) -> None:
        if not said:
            said.append("")
            print(f"importing {release} once: {total:,} architectures", file=sys.stderr)

    return progress
