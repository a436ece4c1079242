"""NAS-Bench-201's own file through our importer and through its own library; run: pytest THIS_FILE -s

Needs the package nas-bench-201 (pip install --no-deps nas-bench-201) and torch. The file is written here in
the true format, with the curves of all trainings, for the official one is not at hand. The library loads it
into memory; ours reads it with every check, and writes a table that opens in milliseconds from then on. The
two take turns, and the least of each is compared.
"""

from __future__ import annotations

import functools
import gc
import time

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


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    path = tmp_path_factory.mktemp("nb201") / "NAS-Bench-201-made.pth"
    return write_pth(path, records("nb201", list(range(ARCHITECTURES)), NB201_KEYS))


def test_import_is_as_fast_as_the_librarys_own_loading(benchmark, release, tmp_path, monkeypatch):
    # torch takes no numpy numbers from a file any more unless it is told to; the library was written before.
    monkeypatch.setattr(torch, "load", functools.partial(torch.load, weights_only=False))
    taken = []
    out = tmp_path / "made.h5"

    def theirs():
        out.unlink(missing_ok=True)
        gc.collect()
        start = time.perf_counter()
        api = nas_201_api.NASBench201API(str(release), verbose=False)
        taken.append(time.perf_counter() - start)
        assert len(api.arch2infos_dict) == ARCHITECTURES
        del api
        gc.collect()

    made = benchmark.pedantic(
        lambda: import_nats(release, out, prefix="nb201"), setup=theirs, rounds=ROUNDS, iterations=1
    )
    assert made.architectures == ARCHITECTURES
    ours, original = benchmark.stats.stats.min, min(taken)
    megabytes = release.stat().st_size / 1e6
    benchmark.extra_info.update(original_seconds=original, ratio=original / ours, megabytes=megabytes)
    print(f"{megabytes:.0f} MB: ours {ours:.2f} s, original {original:.2f} s, ratio {original / ours:.2f}")
    assert original >= ours


def test_values_are_those_that_the_library_gives(release, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "load", functools.partial(torch.load, weights_only=False))
    api = nas_201_api.NASBench201API(str(release), verbose=False)
    import_nats(release, tmp_path / "made.h5", prefix="nb201")
    table = open_table(tmp_path / "made.h5", "nb201-cifar100-200")
    for index in (0, 1, ARCHITECTURES - 1):
        code = table.space.parse(api[index])
        results = api.query_by_index(index, "cifar100", hp="200")
        row = table.row(code)
        for replicate, seed in enumerate(sorted(results)):
            theirs = results[seed].get_train(150)["accuracy"]
            assert table.column("train_accuracy_percent")[row, replicate, 150] == theirs
            assert (
                table.column("valid_accuracy_percent")[row, replicate, -1]
                == (results[seed].get_eval("x-valid")["accuracy"])
            )
