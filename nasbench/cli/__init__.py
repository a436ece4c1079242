"""The command line: parse, call, print; no logic.

Commands are imported when they are called, so that ``nasbench --help`` loads nothing but click.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its status."""
    from nasbench.cli.app import run

    sys.exit(run(sys.argv[1:]))
