"""Supernets: all architectures of a space as one network with shared weights, trained live.

What is here satisfies ``strategies.relaxation.Relaxation``. Its modules import torch with themselves and so
are imported only when a supernet is made.
"""

from __future__ import annotations

SPACES = frozenset({"darts", "nb201"})
"""Names of the spaces that have a supernet; their networks are in ``supernet.SUPERNETS``."""
