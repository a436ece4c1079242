"""How surrogates are named: what their files end in, and what is added to ask them without noise."""

from __future__ import annotations

ENDING = ".surrogate.h5"
MEAN = ":mean"
"""At the end of a surrogate's name: predictions without noise, one repeat of each architecture."""
