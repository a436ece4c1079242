"""What can be trained now: recipes, data, networks and the one training loop.

The torch room. Importing it stays light; torch and scikit-learn are imported when a training is asked for,
and ``require_torch`` says how to install them.
"""

from __future__ import annotations

import importlib

from nasbench.errors import MissingExtra


def require_torch(purpose: str) -> None:
    """Make sure that torch can be imported.

    Args:
        purpose: What needs it, as the start of a sentence, e.g. ``"Live training"``.

    Raises:
        MissingExtra: torch is absent; the message is the command that installs it.
    """
    try:
        importlib.import_module("torch")
    except ImportError as error:
        raise MissingExtra.of("torch", "torch", purpose) from error
