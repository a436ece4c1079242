"""Where a training runs: the name of a device, and the settings that make it repeatable there."""

from __future__ import annotations

import functools
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nasbench.errors import BadOption
from nasbench.units import DeviceKind

if TYPE_CHECKING:
    import torch


def resolve_device(name: str) -> torch.device:
    """Read ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.

    Raises:
        BadOption: Not such a name, or this machine has no such device.
    """
    import torch

    text = name.strip().lower()
    if text == "cpu":
        return torch.device("cpu")
    if not re.fullmatch(r"cuda(:\d+)?", text):
        raise BadOption(f"device: expected cpu, cuda or cuda:N, got {name!r}.")
    if not torch.cuda.is_available():
        raise BadOption(
            f"device: {name!r} needs CUDA, but torch {torch.__version__} finds no CUDA device here. "
            "Use device 'cpu', or a torch built for CUDA on a machine with an NVIDIA GPU."
        )
    device = torch.device(text)
    count = torch.cuda.device_count()
    if (device.index or 0) >= count:
        raise BadOption(f"device: expected cuda:0 to cuda:{count - 1}, got {name!r}.")
    return device


@functools.cache
def wake(device: torch.device) -> None:
    """Take one tiny training step, once a process and device.

    The first step of a process also loads drivers and parts of torch, which takes longer than a short
    training; those seconds are nobody's training time.
    """
    import torch
    from torch.nn import functional

    weight = torch.zeros(2, 1, 3, 3, device=device, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9, nesterov=True, fused=True)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=False):
        hidden = functional.conv2d(torch.zeros(2, 1, 8, 8, device=device), weight, padding=1)
        hidden = functional.batch_norm(hidden, None, None, training=True)
        logits = functional.adaptive_avg_pool2d(hidden, 1).flatten(1)
        loss = functional.cross_entropy(logits, torch.zeros(2, dtype=torch.int64, device=device))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def device_kind(device: torch.device) -> DeviceKind:
    """Say whether seconds on this device are CPU or GPU seconds."""
    return "cpu" if device.type == "cpu" else "gpu"


def device_words(device: torch.device) -> str:
    """Name the hardware: the model of the GPU, or of the CPU of which one core is used."""
    if device.type == "cpu":
        return f"{_cpu_model()} (1 core)"
    import torch

    name: str = torch.cuda.get_device_name(device)
    return name


def _cpu_model() -> str:
    """Read the CPU's model name where the system tells it, else the kind of machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "CPU"


@contextmanager
def repeatable(device: torch.device, *, deterministic: bool = False) -> Iterator[None]:
    """Run the body with one CPU thread and deterministic, full float32 convolutions; then restore.

    On a CPU the same training then gives the same bits again. On a GPU cuDNN chooses deterministic
    algorithms; a few other kernels may still sum in another order unless ``deterministic``.

    Args:
        device: Where the body computes.
        deterministic: On a GPU, let torch use deterministic algorithms only. Some of them need the
            environment variable ``CUBLAS_WORKSPACE_CONFIG=:4096:8`` before the process starts.
    """
    import torch

    threads = torch.get_num_threads()
    was_deterministic = torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    try:
        if device.type == "cuda":
            if deterministic:
                torch.use_deterministic_algorithms(True)
            with torch.backends.cudnn.flags(
                enabled=True, benchmark=False, deterministic=True, allow_tf32=False
            ):
                yield
        else:
            yield
    finally:
        torch.set_num_threads(threads)
        if deterministic and device.type == "cuda":
            torch.use_deterministic_algorithms(was_deterministic)
