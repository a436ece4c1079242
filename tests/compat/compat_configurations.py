"""Configurations of the table with gaps, as other libraries write them."""

from __future__ import annotations


def configuration(first: str, last: str = "16") -> dict[str, str]:
    return {"first": first, "stem": "fixed", "last": last}
