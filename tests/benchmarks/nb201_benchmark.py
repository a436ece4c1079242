"""NAS-Bench-201's own file through our importer and through its own library; run: pytest THIS_FILE -s

Needs the package nas-bench-201 (pip install --no-deps nas-bench-201) and torch. The file is written here in
the true format, with the curves of all trainings, for the official one is not at hand. The library loads it
into memory; ours reads it with every check, and writes tables that open in milliseconds from then on. Each
run is a process of its own, as it is for a user; they take turns, and the least of each is compared. Loading
modules is not counted.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest
from nats_release import NB201_KEYS, records, write_pth

from nasbench.store.imports.nats import import_nats
from nasbench.store.table import open_table

nas_201_api = pytest.importorskip(
    "nas_201_api", reason="the package nas-bench-201 is not installed: pip install --no-deps nas-bench-201"
)
torch = pytest.importorskip("torch", reason="nas-bench-201 loads its file with torch, which is not installed")

ARCHITECTURES = 400
ROUNDS = 5
TIMED = """
import json, re, sys, time
{prepare}
start = time.perf_counter()
{call}
taken = time.perf_counter() - start
print(json.dumps([taken, int(re.search("VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1e3]))
"""
# torch takes no numpy numbers from a file any more unless it is told to; the library was written before.
THEIRS = TIMED.format(
    prepare="import functools, torch, nas_201_api\n"
    "torch.load = functools.partial(torch.load, weights_only=False)",
    call="api = nas_201_api.NASBench201API(sys.argv[1], verbose=False)",
)
OURS = TIMED.format(
    prepare="from nasbench.store.imports.nats import import_nats",
    call="import_nats(sys.argv[1], sys.argv[2], prefix='nb201')",
)


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    path = tmp_path_factory.mktemp("nb201") / "NAS-Bench-201-made.pth"
    return write_pth(path, records("nb201", list(range(ARCHITECTURES)), NB201_KEYS))


def timed(program, *arguments):
    """Run a program; return its seconds and the megabytes that it took at most."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(ended.stdout.splitlines()[-1])


def test_import_is_as_fast_as_the_librarys_own_loading(release, tmp_path):
    if not Path("/proc/self/status").exists():
        pytest.skip("memory is measured on Linux only")
    ours, theirs = [], []
    for i in range(ROUNDS):
        theirs.append(timed(THEIRS, release))
        ours.append(timed(OURS, release, tmp_path / f"{i}.h5"))
    (a, a_memory), (b, b_memory) = min(ours), min(theirs)
    print(
        f"{release.stat().st_size / 1e6:.0f} MB: ours {a:.2f} s, {a_memory:.0f} MB; original {b:.2f} s, "
        f"{b_memory:.0f} MB; ratio {b / a:.2f}"
    )
    assert b >= a


def test_values_are_those_that_the_library_gives(release, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "load", functools.partial(torch.load, weights_only=False))
    api = nas_201_api.NASBench201API(str(release), verbose=False)
    import_nats(release, tmp_path / "made.h5", prefix="nb201")
    table = open_table(tmp_path / "made.h5", "nb201-cifar100-200")
    for index in (0, 1, ARCHITECTURES - 1):
        row = table.row(table.space.parse(api[index]))
        results = api.query_by_index(index, "cifar100", hp="200")
        for replicate, seed in enumerate(sorted(results)):
            trained = results[seed].get_train(150)["accuracy"]
            validated = results[seed].get_eval("x-valid")["accuracy"]
            assert table.column("train_accuracy_percent")[row, replicate, 150] == trained
            assert table.column("valid_accuracy_percent")[row, replicate, -1] == validated
