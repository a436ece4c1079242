"""From what a person types to a source: a bundled table, a table file, or live training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasbench.errors import BadOption

if TYPE_CHECKING:
    from nasbench.evaluation.source import Source


def open_source(text: str, *, device: str | None = None) -> Source:
    """Open a source by name.

    Args:
        text: ``nb201-cifar10`` (a bundled table), ``FILE.h5`` or ``FILE.h5:TABLE``, or ``live:DATA`` or
            ``live:DATA@RECIPE`` (training now).
        device: Where live training runs, e.g. ``"cuda"``; tables take none.

    Raises:
        UnknownName: No table, data set or recipe of this name.
        FormatError: The file is not a table.
        BadOption: A device was given for a table.
        MissingExtra: Live training without torch.
    """
    if text.startswith("live:"):
        from nasbench.evaluation.live import open_live

        return open_live(text, device=device)
    if device is not None:
        raise BadOption(f"device: only live sources train on a device; {text!r} is a table.")
    from nasbench.evaluation.table_source import TableSource
    from nasbench.store.bundled import find_table

    return TableSource(find_table(text))
