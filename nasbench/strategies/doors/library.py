"""How a door treats the library behind it: brought in when needed, kept quiet while it works."""

from __future__ import annotations

import contextlib
import importlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any

from nasbench.errors import MissingExtra


def library(module: str, *, extra: str, purpose: str) -> Any:
    """Import a module of a library.

    Args:
        module: Its dotted name.
        extra: The extra of this package that brings it.
        purpose: What needs it, as the start of a sentence.

    Raises:
        MissingExtra: It is not installed; the message is the command that installs it.
    """
    try:
        with quiet(module.partition(".")[0]):
            return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra.of(extra, error.name or module, purpose) from error


@contextlib.contextmanager
def quiet(logger: str) -> Iterator[None]:
    """Keep a library's warnings back, and what it logs short of a critical error; leave logging as it was.

    The root logger has a handler meanwhile, because a library that calls ``logging.warning`` where there is
    none installs one for good.

    Args:
        logger: Name of the library's top logger.
    """
    top, idle = logging.getLogger(logger), logging.NullHandler()
    level = top.level
    top.setLevel(logging.CRITICAL)
    logging.root.addHandler(idle)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.root.removeHandler(idle)
        top.setLevel(level)
