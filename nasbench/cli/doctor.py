"""``doctor``: what works on this machine, and the exact command that mends the rest."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from typing import Any

import click

from nasbench import __version__
from nasbench.cli.output import json_option, print_json, print_table
from nasbench.errors import NasbenchError

_CORE = ("numpy", "scipy", "h5py", "pandas", "click", "rich", "pydantic", "jinja2", "matplotlib")
_OPTIONAL = {"torch": "torch", "scikit-learn": "torch", "xgboost": "surrogate"}


def _packages() -> list[dict[str, Any]]:
    rows = []
    for name in (*_CORE, *_OPTIONAL):
        try:
            rows.append({"check": name, "ok": True, "found": importlib.metadata.version(name), "mend": ""})
        except importlib.metadata.PackageNotFoundError:
            extra = _OPTIONAL.get(name)
            mend = f"pip install 'nasbench[{extra}]'" if extra else "pip install nasbench"
            rows.append({"check": name, "ok": extra is not None, "found": "not installed", "mend": mend})
    return rows


def _tables() -> dict[str, Any]:
    from nasbench.store.bundled import data_folder, find_table, list_tables

    row: dict[str, Any] = {"check": "tables", "ok": True, "mend": ""}
    try:
        names = list_tables()
        for name in names:
            find_table(name)
        row["found"] = f"{', '.join(names) or 'none'} in {data_folder()}"
        row["ok"] = bool(names)
    except (NasbenchError, OSError) as error:
        row.update(ok=False, found=str(error), mend="pip install --force-reinstall nasbench")
    return row


def _temporary_folder() -> dict[str, Any]:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free / 2**30
    ok = os.access(folder, os.W_OK) and free > 1
    return {"check": "temporary folder", "ok": ok, "found": f"{folder}, {free:.1f} GiB free", "mend": ""}


def _devices() -> dict[str, Any]:
    row: dict[str, Any] = {"check": "training devices", "ok": True, "mend": ""}
    try:
        import torch
    except ImportError:
        row.update(found="no torch: tables only", mend="pip install 'nasbench[torch]'")
        return row
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    row["found"] = ", ".join(["cpu", *(f"cuda:{i} ({name})" for i, name in enumerate(names))])
    return row


def _supernet(source: str, device: str | None) -> dict[str, Any]:
    """Make the supernet of a live source and measure one loss of all its operations.

    Raises:
        BadOption: The source has no supernet.
        NasbenchError: There is no such source.
    """
    import numpy as np

    from nasbench.evaluation.opening import open_source
    from nasbench.strategies.relaxation import no_relaxation
    from nasbench.units import format_seconds

    opened = open_source(source, device=device)
    factory = getattr(opened, "relaxation", None)
    supernet = factory(np.random.default_rng(0)) if opened.is_live and factory is not None else None
    if supernet is None:
        raise no_relaxation(f"a supernet ({source})")
    import torch

    from nasbench.spaces.mixture import Mixture
    from nasbench.training.supernets.memory import measure_memory

    everything = torch.full((supernet.edges, supernet.operations), 1.0 / supernet.operations)
    before = supernet.seconds
    memory = measure_memory(supernet, Mixture(everything))
    seconds = supernet.seconds - before
    peak = "" if memory.peak_bytes is None else f", {memory.peak_bytes / 1e6:.1f} MB of the GPU at most"
    return {
        "check": f"supernet of {source}",
        "ok": True,
        "found": f"{memory.parameters:,} parameters, {memory.weight_bytes / 1e6:.1f} MB; one loss of all "
        f"operations keeps {memory.activation_bytes / 1e6:.1f} MB and takes {format_seconds(seconds)}{peak}",
        "mend": "",
        "memory_bytes": {
            "weights": memory.weight_bytes,
            "activations": memory.activation_bytes,
            "peak": memory.peak_bytes,
        },
        "parameters": memory.parameters,
        "loss_seconds": seconds,
        "steps_an_epoch": supernet.epoch_steps,
    }


@click.command()
@click.option(
    "--supernet", "source", default=None, metavar="SOURCE",
    help="Also make the supernet of a live source, e.g. live:digits@digits-darts, and say what it takes.",
)  # fmt: skip
@click.option("--device", default=None, help="Device of the supernet, e.g. cuda; default: the CPU.")
@json_option
def doctor(source: str | None, device: str | None, as_json: bool) -> int:
    """Say what works on this machine; exits 1 if the main job would not."""
    python = {
        "check": "python",
        "ok": sys.version_info >= (3, 11),
        "found": sys.version.split()[0],
        "mend": "",
    }
    machine = {
        "check": "machine",
        "ok": True,
        "found": f"{platform.system()}, {os.cpu_count()} CPUs",
        "mend": "",
    }
    version = {"check": "nasbench", "ok": True, "found": __version__, "mend": ""}
    rows = [version, python, machine, *_packages(), _tables(), _devices(), _temporary_folder()]
    if source is not None:
        rows.append(_supernet(source, device))
    healthy = all(row["ok"] for row in rows)
    if as_json:
        print_json({"ok": healthy, "checks": rows})
    else:
        marks = [("ok" if r["ok"] else "PROBLEM", r["check"], r["found"], r["mend"]) for r in rows]
        print_table(["", "check", "found", "to mend"], marks)
    return 0 if healthy else 1
