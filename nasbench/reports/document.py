"""Pages besides the leaderboard: one HTML file in its look, without a script, a network or another file."""

from __future__ import annotations

import functools
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup

from nasbench import __version__
from nasbench.reports.looks import COLOURS, DARK_COLOURS
from nasbench.units import format_error, format_seconds

_EXTRA = """
.says{display:inline-block;min-width:3.4em;font-size:.74rem;font-weight:600;padding:0 8px;border-radius:99px;
border:1px solid currentColor;text-align:center}
.says.good{color:var(--good)}.says.mind{color:var(--mind)}.says.bad{color:var(--bad)}
.charts.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(380px,100%),1fr));gap:8px 24px}
tr.parted td,tr.parted th{background:var(--mind-wash)}
"""


def render(template: str, *, title: str, kicker: str, **values: Any) -> str:
    """Fill a template that extends ``document.html.j2``.

    Args:
        template: Its file name in ``templates``.
        title: Headline.
        kicker: The line above it.
        values: What else the template needs.
    """
    return _compiled(template).render(
        title=title, kicker=kicker, version=__version__, style=Markup(_style()), **values
    )


@functools.cache  # compiling a template takes longer than filling it
def _compiled(template: str) -> Template:
    environment = Environment(
        loader=DictLoader({name: _template(name) for name in ("document.html.j2", template)}),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals.update(error_text=_error, seconds_text=format_seconds, number_text=_number)
    return environment.get_template(template)


def write_text(path: Path, text: str) -> Path:
    """Write a file aside and rename it, so that none is ever half there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".tmp")
    aside.write_bytes(text.encode())
    os.replace(aside, path)
    return path


def _template(name: str) -> str:
    return (files("nasbench.reports") / "templates" / name).read_text(encoding="utf-8")


def _style() -> str:
    light = "".join(f"--c{i}:{colour};" for i, colour in enumerate(COLOURS))
    dark = "".join(f"--c{i}:{colour};" for i, colour in enumerate(DARK_COLOURS))
    return _template("page.css").replace("COLOURS", light).replace("DARK", dark) + _EXTRA


def _error(error: float | None, digits: int = 2) -> str:
    return "–" if error is None else format_error(error, digits=digits)


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None or value != value else f"{value:,.{digits}f}"
