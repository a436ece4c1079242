"""``show``: a picture of one architecture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nasbench.cli.output import json_option, print_json, say


@click.command()
@click.argument("architecture")
@click.option("--space", "space_name", default="nb201", show_default=True, help="The space it is of.")
@click.option(
    "--svg",
    "svg",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Draw it into this file too.",
)
@json_option
def show(architecture: str, space_name: str, svg: Path | None, as_json: bool) -> int:
    """Draw ARCHITECTURE, in its space's own notation.

    A line with a dot is a node; a line that branches off is an edge.

    \b
    For example:
      nasbench show darts-v2 --space darts --svg darts-v2.svg
    """  # noqa: D301 (\b tells click to leave the lines alone)
    from nasbench.reports.drawing_svg import draw_svg
    from nasbench.reports.drawing_text import draw_text
    from nasbench.spaces import get_space
    from nasbench.spaces.drawing import drawing

    space = get_space(space_name)
    code = space.parse(architecture)
    graphs = drawing(space, code)
    text = space.format(code)
    if svg is not None:
        picture = draw_svg(graphs, title=f"{space.name} {text}")
        aside = svg.with_name(f"{svg.name}.tmp")
        aside.write_text(picture, encoding="utf-8")
        aside.replace(svg)
        say(f"wrote {svg}")
    if as_json:
        shown: list[dict[str, Any]] = [
            {
                "name": graph.name,
                "nodes": list(graph.nodes),
                "edges": [{"source": e.source, "target": e.target, "label": e.label} for e in graph.edges],
            }
            for graph in graphs
        ]
        print_json({"space": space.name, "architecture": text, "code": list(code), "graphs": shown})
        return 0
    click.echo(f"{space.name} {text}\n\n{draw_text(graphs)}")
    return 0
