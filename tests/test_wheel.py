"""The built wheel carries the tables, so that an installed program finds them from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
def test_a_program_from_the_wheel_finds_its_tables_from_any_folder(tmp_path):
    pytest.importorskip("hatchling")
    wheels = tmp_path / "wheels"
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = wheels.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    assert not (installed / "tests").exists()
    program = (
        "import nasbench, pathlib\n"
        "from nasbench.store.bundled import data_folder, find_table\n"
        "from nasbench.store.published import read_published\n"
        f"assert pathlib.Path(nasbench.__file__).is_relative_to({str(installed)!r})\n"
        f"assert data_folder().is_relative_to({str(installed)!r})\n"
        "print(len(find_table('nb201-cifar100')), len(read_published()))\n"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NASBENCH")}
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.stdout.split() == ["15625", "18"], finished.stderr
