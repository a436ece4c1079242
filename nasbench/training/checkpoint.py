"""Checkpoints: a training under way in a file, so that one that was killed or paused goes on.

Written aside and renamed, so a file is whole or absent; read with ``weights_only``, so a foreign file cannot
run code. Each carries the identity of its training and is refused for any other. On a CPU a training that
goes on from one has the bits of one that never stopped.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasbench.errors import FormatError
from nasbench.training.outcome import CURVES
from nasbench.training.session import Session

SCHEMA = 1
_FIELDS = {"identity", "network", "optimizer", "scaler", "order", "changes", "curves", "seconds"}


def save_checkpoint(path: Path, session: Session, identity: Mapping[str, Any]) -> None:
    """Write a training between two epochs.

    Args:
        path: Where to.
        session: The training.
        identity: What makes it this training and no other; plain values.
    """
    import torch

    held = {
        "schema": SCHEMA,
        "identity": dict(identity),
        "network": session.network.state_dict(),
        "optimizer": session.optimizer.state_dict(),
        "scaler": {} if session.scaler is None else session.scaler.state_dict(),
        "order": session.order.get_state(),
        "changes": session.changes.get_state(),
        "curves": session.curves,
        "seconds": (session.training.seconds, session.evaluation.seconds),
    }
    aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with aside.open("wb") as file:
            torch.save(held, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def load_checkpoint(path: Path, session: Session, identity: Mapping[str, Any]) -> None:
    """Put a training back to where its checkpoint stands.

    Args:
        path: A file of ``save_checkpoint``.
        session: A fresh session of the same training; changed in place.
        identity: As it was saved with.

    Raises:
        FormatError: The file is damaged, of another version, or of another training.
    """
    import torch

    remedy = "Delete it to train from the start."
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise FormatError(f"{path}: expected a checkpoint, got {type(error).__name__}. {remedy}") from error
    if not isinstance(held, dict) or held.get("schema") != SCHEMA or not held.keys() >= _FIELDS:
        found = held.get("schema") if isinstance(held, dict) else type(held).__name__
        raise FormatError(f"{path}: schema: expected checkpoint version {SCHEMA}, got {found}. {remedy}")
    for name, value in identity.items():
        found = held["identity"].get(name)
        if found != value:
            raise FormatError(f"{path}: {name}: expected {value}, got {found}: another training. {remedy}")
    try:
        session.network.load_state_dict(held["network"])
        session.optimizer.load_state_dict(held["optimizer"])
        if session.scaler is not None:
            session.scaler.load_state_dict(held["scaler"])
        session.order.set_state(held["order"])
        session.changes.set_state(held["changes"])
        session.curves = {name: list(held["curves"][name]) for name in CURVES}
        session.training.seconds, session.evaluation.seconds = held["seconds"]
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise FormatError(f"{path}: expected the state of this training, got {error}. {remedy}") from error
