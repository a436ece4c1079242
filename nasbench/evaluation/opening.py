"""From what a person types to a source: a bundled table, a table file, live training, or a mix of both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nasbench.errors import BadOption

if TYPE_CHECKING:
    from nasbench.evaluation.source import Source

BACKED = "+live"


def open_source(text: str, *, device: str | None = None, into: Path | None = None) -> Source:
    """Open a source by name.

    Args:
        text: ``nb201-cifar10`` (a bundled table), ``FILE.h5`` or ``FILE.h5:TABLE``; ``live:DATA`` or
            ``live:DATA@RECIPE`` (training now); a table with ``+live`` at its end, which trains what the
            table misses; or a surrogate, ``FILE.surrogate.h5`` or its name, with ``:mean`` at its end for
            predictions without noise.
        device: Where live training runs, e.g. ``"cuda"``; tables take none.
        into: Table file that every training made now is recorded for; tables take none.

    Raises:
        UnknownName: No table, data set or recipe of this name.
        FormatError: The file is not a table, or ``into`` holds other tables.
        BadOption: A device or ``into`` was given for a table, or what a table misses cannot be trained here.
        MissingExtra: Live training without torch.
    """
    if text.startswith("live:"):
        from nasbench.evaluation.live import open_live

        live = open_live(text, device=device)
        if into is None:
            return live
        from nasbench.evaluation.recording import RecordingSource

        return RecordingSource(live, into, device=device)
    if text.endswith(BACKED):
        return _open_backed(text.removesuffix(BACKED), device=device, into=into)
    if device is not None:
        raise BadOption(f"device: only live sources train on a device; {text!r} is a table.")
    if into is not None:
        raise BadOption(f"into: only live sources make trainings to record; {text!r} is a table.")
    if _is_surrogate(text):
        from nasbench.evaluation.surrogate_source import open_surrogate

        return open_surrogate(text)
    from nasbench.evaluation.table_source import TableSource
    from nasbench.store.bundled import find_table

    return TableSource(find_table(text))


def _is_surrogate(text: str) -> bool:
    """Say whether this names a surrogate: by its file's ending, or one that comes with the program."""
    from nasbench.store.files import kebab
    from nasbench.surrogates.bundled import list_surrogates
    from nasbench.surrogates.names import ENDING, MEAN

    name = text.removesuffix(MEAN)
    return name.endswith(ENDING) or kebab(name) in map(kebab, list_surrogates())


def _open_backed(text: str, *, device: str | None, into: Path | None) -> Source:
    """Open a table backed by live training."""
    from nasbench.evaluation.backed import BackedSource
    from nasbench.evaluation.recording import RecordingSource
    from nasbench.evaluation.retraining import RetrainingSource, open_live_of
    from nasbench.store.bundled import find_table

    table = find_table(text)
    live = open_live_of(table, device=device)
    if into is None:
        return BackedSource(RetrainingSource(table, live))
    recording = RecordingSource(live, into, device=device)
    grows = into.resolve() == table.path.resolve()
    return BackedSource(RetrainingSource(table, recording), grows=grows)
