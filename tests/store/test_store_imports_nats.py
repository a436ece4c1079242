"""Imports of NATS-Bench and NAS-Bench-201: every value as in the source, damage told, kills survived."""

from __future__ import annotations

import bz2
import hashlib
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nats_release import (
    EXTENSION,
    NB201_KEYS,
    architectures,
    record,
    records,
    whole,
    write_folder,
    write_pth,
    write_single,
)

from nasbench.errors import BadOption, FormatError, MissingExtra
from nasbench.store.imports.nats import import_nats
from nasbench.store.table import open_table
from nasbench.store.verify import verify_table
from nasbench.units import error_from_accuracy_percent

SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "nats_sample"
INDICES = [0, 2, 3, 4, 8]
# What a curve is called, by data set and split.
METRIC = {
    ("cifar10-valid", "x-valid"): "valid",
    ("cifar10-valid", "ori-test"): "test",
    ("cifar10", "ori-test"): "test",
    ("cifar100", "x-valid"): "valid",
    ("cifar100", "x-test"): "test",
    ("cifar100", "ori-test"): "valtest",
    ("ImageNet16-120", "x-valid"): "valid",
    ("ImageNet16-120", "x-test"): "test",
    ("ImageNet16-120", "ori-test"): "valtest",
}
LENGTH = {"01": 1, "12": 12, "90": 90, "200": 200, "less": 12, "full": 200}


@pytest.fixture(scope="module")
def topology():
    return records("nb201", INDICES)


@pytest.fixture(scope="module")
def folder(topology, tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("release") / "NATS-tss-made-simple", "nb201", topology)


@pytest.fixture(scope="module")
def imported(folder, tmp_path_factory):
    return import_nats(folder, tmp_path_factory.mktemp("table") / "t.h5")


def expect(path, made, prefix):
    """Hold every cell of every table to the made records, and every table to hold nothing else."""
    held = 0
    for index, one in made.items():
        for key, state in one.items():
            for data_set, seeds in state["dataset_seed"].items():
                table = open_table(path, f"{prefix}-{data_set.lower()}-{LENGTH[key]}")
                row = table.row(table.space.parse(state["arch_str"]))
                assert table.scalar("nats_index")[row] == index
                for repeat, seed in enumerate(seeds):
                    result = state["all_results"][data_set, seed]
                    held += same_training(table, row, repeat, data_set, result)
                assert np.isnan(table.column("train_loss")[row, len(seeds) :]).all()
    assert held > 0
    return held


def same_training(table, row, repeat, data_set, result):
    held = 0
    curves = [("train", result["train_acc1es"], result["train_losses"], result["train_times"])]
    for split in result["eval_names"]:
        accuracy, loss, seconds = (
            {int(k.split("@")[1]): v for k, v in result[name].items() if k.split("@")[0] == split}
            for name in ("eval_acc1es", "eval_losses", "eval_times")
        )
        curves.append((METRIC[data_set, split], accuracy, loss, seconds))
    for metric, accuracy, loss, seconds in curves:
        percent = table.column(f"{metric}_accuracy_percent")[row, repeat]
        error = table.column(f"{metric}_error")[row, repeat]
        recorded = table.column(f"{metric}_loss")[row, repeat]
        for epoch in range(len(table.epochs)):
            if epoch in accuracy:
                assert (percent[epoch], recorded[epoch]) == (accuracy[epoch], loss[epoch])
                assert error[epoch] == np.float32(error_from_accuracy_percent(accuracy[epoch]))
                held += 1
            else:
                assert np.isnan([percent[epoch], recorded[epoch], error[epoch]]).all()
        total = 0.0
        for epoch, value in enumerate(table.column(f"{metric}_seconds")[row, repeat].tolist()):
            total += seconds[epoch]
            assert value == total
    return held


def test_every_value_of_a_folder_equals_the_source(topology, imported):
    assert expect(imported.path, topology, "nats-topology") > 10_000
    assert verify_table(imported.path) == []


def test_every_value_of_the_size_space_equals_the_source(tmp_path):
    made = records("nats-size", [0, 9, 32_767])
    release = write_single(tmp_path / "NATS-sss-made.pickle.pbz2", "nats-size", made)
    expect(import_nats(release, tmp_path / "t.h5").path, made, "nats-size")
    assert open_table(tmp_path / "t.h5", "nats-size-cifar10-90").replicates == 1
    assert open_table(tmp_path / "t.h5", "nats-size-cifar10-12").replicates == 3


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "before torch 1.6"])
def test_every_value_of_a_torch_file_equals_the_source(tmp_path, legacy):
    made = records("nb201", [1, 5], NB201_KEYS)
    release = write_pth(tmp_path / "NAS-Bench-201-made.pth", made, legacy=legacy)
    done = import_nats(release, tmp_path / "t.h5", prefix="nb201")
    expect(done.path, made, "nb201")
    assert "nb201-cifar10-valid-200" in done.tables


@pytest.mark.slow
def test_what_torch_itself_saves_is_read(tmp_path):
    torch = pytest.importorskip("torch")
    made = records("nb201", [1], NB201_KEYS)
    for legacy in (True, False):
        file = tmp_path / f"{legacy}.pth"
        torch.save(whole("nb201", made), file, _use_new_zipfile_serialization=not legacy)
        expect(import_nats(file, tmp_path / f"{legacy}.h5", prefix="nb201").path, made, "nb201")


def test_the_three_forms_give_the_same_tables(topology, imported, tmp_path):
    single = import_nats(write_single(tmp_path / "s.pickle.pbz2", "nb201", topology), tmp_path / "s.h5")
    torch = import_nats(write_pth(tmp_path / "p.pth", topology), tmp_path / "p.h5")
    for name in imported.tables:
        hashes = set()
        for done in (imported, single, torch):
            table = open_table(done.path, name)
            hashes.add(hashlib.sha256(table.column("train_loss").tobytes()).hexdigest())
            assert table.info.recipe == open_table(imported.path, name).info.recipe
        assert len(hashes) == 1


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample of the release is not here")
@pytest.mark.parametrize(("release", "prefix"), [("tss", "nats-topology"), ("sss", "nats-size")])
def test_every_value_of_the_real_sample_equals_the_source(release, prefix, tmp_path):
    folder = next(SAMPLE.glob(f"NATS-{release}-*"))
    real = pickle.loads(bz2.decompress((folder / f"000000{EXTENSION}").read_bytes()))
    assert expect(import_nats(folder, tmp_path / "t.h5").path, {0: real}, prefix) > 1_000


def test_the_checksum_of_the_source_is_recorded(folder, imported, tmp_path, topology):
    names = [f"meta{EXTENSION}", *(f"{index:06d}{EXTENSION}" for index in INDICES)]
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    assert imported.sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert imported.sha256 in open_table(imported.path, imported.tables[0]).info.source
    single = write_single(tmp_path / "s.pickle.pbz2", "nb201", topology)
    done = import_nats(single, tmp_path / "s.h5")
    assert done.sha256 == hashlib.sha256(single.read_bytes()).hexdigest()


def test_what_repeats_disagree_on_is_that_of_seed_888_and_is_flagged(topology, imported):
    table = open_table(imported.path, "nats-topology-cifar100-200")
    for index, one in topology.items():
        row = table.row(table.space.parse(one["200"]["arch_str"]))
        results = one["200"]["all_results"]
        assert table.scalar("parameters_disagree")[row] == (index % 5 == 2)
        assert table.scalar("parameters")[row] == round(results["cifar100", 888]["params"] * 1e6)
        assert table.scalar("macs")[row] == round(results["cifar100", 888]["flop"] * 1e6)
        latencies = [
            results["cifar100", seed]["latency"][0] for seed in one["200"]["dataset_seed"]["cifar100"]
        ]
        assert table.scalar("latency_seconds")[row] == pytest.approx(np.mean(latencies), rel=1e-12)


def test_seeds_are_kept_and_missing_repeats_stay_missing(imported):
    table = open_table(imported.path, "nats-topology-cifar10-valid-200")
    counts = {
        index: int(n) for index, n in zip(table.scalar("nats_index"), table.replicate_counts(), strict=True)
    }
    assert counts == {index: 3 if index % 3 else 2 for index in INDICES}
    rows, of = table.provenance
    seeds = [[int(re.search(rb'"seed":(\d+)', rows[i]).group(1)) for i in row if i >= 0] for row in of]
    assert sorted(map(len, seeds)) == [2, 2, 3, 3, 3]
    assert all(found == [777, 888, 999][: len(found)] for found in seeds)
    short = open_table(imported.path, "nats-topology-cifar10-valid-12")
    assert short.replicates == 2


def test_validation_and_test_are_splits_of_their_own(imported):
    for data_set in ("cifar10-valid", "cifar100", "imagenet16-120"):
        table = open_table(imported.path, f"nats-topology-{data_set}-200")
        valid, test = (table.column(f"{split}_error")[:, :, -1] for split in ("valid", "test"))
        assert not np.array_equal(valid, test, equal_nan=True)
        assert "valid" in table.info.splits["valid"]


def test_a_table_trained_on_all_images_has_no_validation_error(imported):
    table = open_table(imported.path, "nats-topology-cifar10-200")
    assert not table.records_validation
    assert np.isnan(table.column("valid_error")).all()
    assert not np.isnan(table.column("test_error")[:, 0]).any()


# Damage -----------------------------------------------------------------------------------------


def broken(tmp_path, change, *, index=2):
    """Write a folder of three architectures one of whose records was changed."""
    made = records("nb201", [1, 2, 4], ("12",))
    change(made[index])
    return write_folder(tmp_path / "release", "nb201", made)


def first(one):
    return one["12"]["all_results"]["cifar100", 111]


def without(name):
    def change(one):
        del first(one)[name]

    return change


def setting(name, value):
    def change(one):
        first(one)[name] = value

    return change


def nested(name, key, value):
    def change(one):
        first(one)[name][key] = value

    return change


def on_state(name, value):
    def change(one):
        one["12"][name] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("train_losses"), r"cifar100, seed 111: expected numbers by epoch, got none \(KeyError"),
        (without("epochs"), "cifar100, seed 111: epochs: expected int, got None"),
        (setting("epochs", 13), "epochs: expected 12, got 13"),
        (setting("train_times", None), "train_times: expected seconds by epoch, got None"),
        (setting("train_acc1es", {0: "high"}), "expected numbers by epoch"),
        (setting("eval_names", ["y-valid"]), "eval_names: expected 'x-valid', .* got 'y-valid'"),
        (nested("train_acc1es", 12, 1.0), "train_acc1es: expected epochs 0 to 11, got 12"),
        (
            nested("train_acc1es", 3, 100.5),
            r"cifar100: train/accuracy: expected percent in \[0, 100\], got 100.5",
        ),
        (nested("eval_losses", "x-valid@3", float("inf")), "x-valid/loss: expected finite numbers, got inf"),
        (nested("eval_times", "x-test@0", 0.0), "x-test/seconds: expected seconds > 0, got 0"),
        (nested("eval_acc1es", "x-test@12", 1.0), "expected <split>@<epoch> of .* got 'x-test@12'"),
        (on_state("arch_index", 3), "arch_index: expected 2, got 3"),
        (on_state("arch_str", None), "arch_str: expected str, got None"),
        (on_state("arch_str", "|odd~0|"), "expected 3 nodes"),
        (on_state("all_results", []), "all_results: expected dict"),
        (on_state("dataset_seed", {"cifar10": [7]}), r"expected one for each seed of cifar10 \[7\]"),
        (on_state("dataset_seed", {"mnist": [111]}), "expected the data sets .* got 'mnist'"),
        (lambda one: one.update({"13": one.pop("12")}), "expected the training lengths .* got '13'"),
        (lambda one: one.clear(), "expected a dictionary by training length"),
    ],
)
def test_a_record_of_another_form_is_refused_by_file_and_field(tmp_path, change, message):
    release = broken(tmp_path, change)
    with pytest.raises(FormatError, match=message) as caught:
        import_nats(release, tmp_path / "t.h5")
    assert "000002.pickle.pbz2" in str(caught.value)
    assert "--skip-damaged" in str(caught.value)
    done = import_nats(release, tmp_path / "t.h5", skip_damaged=True)
    assert (done.architectures, len(done.damage)) == (2, 1)
    assert "000002" in done.damage[0]
    assert open_table(done.path, "nats-topology-cifar100-12").scalar("nats_index").tolist() != []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"BZh91AY", "000002.pickle.pbz2: expected a whole bzip2 file"),
        (b"no", "000002.pickle.pbz2: expected a whole bzip2 file"),
        (bz2.compress(b"\x80\x04}"), "000002.pickle.pbz2: expected a whole pickle"),
        (bz2.compress(pickle.dumps(print)), "expected plain values only, got the global builtins.print"),
    ],
)
def test_a_file_of_other_bytes_is_refused_by_name(tmp_path, data, message):
    release = broken(tmp_path, lambda one: None)
    (release / f"000002{EXTENSION}").write_bytes(data)
    with pytest.raises(FormatError, match=message):
        import_nats(release, tmp_path / "t.h5")
    assert len(import_nats(release, tmp_path / "t.h5", skip_damaged=True).damage) == 1


def test_damage_that_was_passed_over_is_told_by_a_start_that_does_not_pass_it_over(tmp_path, monkeypatch):
    release = broken(tmp_path, setting("epochs", 13))
    monkeypatch.setattr("nasbench.store.imports.nats.write_tables", raising(RuntimeError("killed")))
    with pytest.raises(RuntimeError, match="killed"):
        import_nats(release, tmp_path / "t.h5", skip_damaged=True)
    monkeypatch.undo()
    with pytest.raises(FormatError, match="epochs: expected 12, got 13"):
        import_nats(release, tmp_path / "t.h5")


def raising(error):
    def refuse(*_arguments):
        raise error

    return refuse


def test_a_single_file_that_breaks_off_is_refused_by_its_position(tmp_path):
    release = write_single(tmp_path / "s.pickle.pbz2", "nb201", records("nb201", [1, 2], ("12",)))
    release.write_bytes(release.read_bytes()[:-2_000])
    with pytest.raises(FormatError, match=r"s.pickle.pbz2: byte [\d,]+: expected a whole pickle"):
        import_nats(release, tmp_path / "t.h5")


def test_a_release_whose_order_is_not_its_own_list_is_refused(tmp_path):
    made = {3: record(3, architectures("nb201")[4], keys=("12",))}
    with pytest.raises(FormatError, match=r"architecture 3: expected \|.*, got \|"):
        import_nats(write_folder(tmp_path / "release", "nb201", made), tmp_path / "t.h5")
    beyond = {15_625: record(15_625, architectures("nb201")[4], keys=("12",))}
    with pytest.raises(FormatError, match="expected at most 15624"):
        import_nats(write_folder(tmp_path / "beyond", "nb201", beyond), tmp_path / "u.h5")


def test_an_architecture_twice_is_refused(tmp_path):
    release = broken(tmp_path, lambda one: None)
    (release / f"2{EXTENSION}").write_bytes((release / f"000002{EXTENSION}").read_bytes())
    with pytest.raises(FormatError, match="expected one file an architecture"):
        import_nats(release, tmp_path / "t.h5")


def test_what_is_no_release_is_refused(tmp_path):
    with pytest.raises(MissingExtra, match="which does not exist"):
        import_nats(tmp_path / "none", tmp_path / "t.h5")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match=r"expected meta.pickle.pbz2"):
        import_nats(tmp_path / "empty", tmp_path / "t.h5")
    write_folder(tmp_path / "meta", "nb201", {})
    with pytest.raises(FormatError, match="expected files 000000"):
        import_nats(tmp_path / "meta", tmp_path / "t.h5")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(FormatError, match="expected a bzip2 pickle or a file that torch saved"):
        import_nats(tmp_path / "text", tmp_path / "t.h5")
    (tmp_path / "other.pth").write_bytes(b"".join(pickle.dumps(value) for value in (1, 2, 3, {})))
    with pytest.raises(FormatError, match="expected a file that torch saved, got the number 1"):
        import_nats(tmp_path / "other.pth", tmp_path / "t.h5")
    nothing = write_single(tmp_path / "n.pickle.pbz2", "nb201", {})
    with pytest.raises(FormatError, match="expected at least one whole architecture"):
        import_nats(nothing, tmp_path / "t.h5")
    named = tmp_path / "named.pickle.pbz2"
    named.write_bytes(
        bz2.compress(pickle.dumps({"meta_archs": [1], "arch2infos": records("nb201", [1], ("12",))}))
    )
    with pytest.raises(FormatError, match="meta_archs: expected a list of architectures"):
        import_nats(named, tmp_path / "u.h5")
    texts = tmp_path / "texts.pickle.pbz2"
    texts.write_bytes(bz2.compress(pickle.dumps({"meta_archs": ["a"], "arch2infos": {"a": {}}})))
    with pytest.raises(FormatError, match="expected a whole number, got 'a'"):
        import_nats(texts, tmp_path / "v.h5")


def test_a_zip_without_a_pickle_is_refused(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "z.pth", "w") as archive:
        archive.writestr("readme", "nothing")
    with pytest.raises(FormatError, match=r"expected one data.pkl in it, got 0"):
        import_nats(tmp_path / "z.pth", tmp_path / "t.h5")


def test_a_table_that_is_there_is_never_touched(folder, tmp_path):
    (tmp_path / "t.h5").write_bytes(b"mine")
    with pytest.raises(BadOption, match="expected a file that is not there yet"):
        import_nats(folder, tmp_path / "t.h5")
    assert (tmp_path / "t.h5").read_bytes() == b"mine"
    with pytest.raises(BadOption, match="there is no folder"):
        import_nats(folder, tmp_path / "none" / "t.h5")


# Going on ---------------------------------------------------------------------------------------


class Stopped(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("form", ["folder", "single"])
def test_a_killed_import_goes_on_and_gives_the_same_bytes(form, topology, folder, tmp_path, monkeypatch):
    release = folder if form == "folder" else write_single(tmp_path / "s.pickle.pbz2", "nb201", topology)
    monkeypatch.setattr("nasbench.store.imports.nats.SIZE", 2)
    import_nats(release, tmp_path / "whole.h5")
    seen = []

    def stop(done, _total, label):
        seen.append(label)
        if done == 4 and label.startswith("architecture"):
            raise Stopped

    with pytest.raises(Stopped):
        import_nats(release, tmp_path / "t.h5", progress=stop)
    assert not (tmp_path / "t.h5").exists()
    assert len(list((tmp_path / "t.h5.importing").glob("block-*.npz"))) == 1
    (tmp_path / "t.h5.importing" / "block-000009.part").write_bytes(b"torn")
    again = []
    import_nats(release, tmp_path / "t.h5", progress=lambda _d, _t, label: again.append(label))
    assert [label for label in again if label.startswith("arch")] == [
        f"architecture {i}" for i in INDICES[2:]
    ]
    assert (tmp_path / "t.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()
    assert not (tmp_path / "t.h5.importing").exists()


def test_the_half_done_import_of_another_source_is_not_gone_on_with(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("nasbench.store.imports.nats.SIZE", 1)

    def stop(done, _total, _label):
        if done == 2:
            raise Stopped

    with pytest.raises(Stopped):
        import_nats(folder, tmp_path / "t.h5", progress=stop)
    other = write_single(tmp_path / "s.pickle.pbz2", "nb201", records("nb201", [1], ("12",)))
    with pytest.raises(BadOption, match="holds the half-done import of another source"):
        import_nats(other, tmp_path / "t.h5")


def test_progress_tells_how_many_there_are(folder, tmp_path):
    told = []
    import_nats(folder, tmp_path / "t.h5", progress=lambda *one: told.append(one))
    assert told[0] == (1, len(INDICES), "architecture 0")
    assert told[-1][2].startswith("table nats-topology-")


PEAK = """
import sys
from nasbench.store.imports import nats, nats_files

nats.SIZE = 8
release = nats_files.open_release(sys.argv[1])
for _ in nats._blocks(release, 0, skip_damaged=False, progress=lambda *_: None):
    pass
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="reads Linux's account of memory")
def test_memory_does_not_grow_with_the_release(tmp_path):
    peaks = {}
    for count in (400, 1_000):  # both more than the two pieces of a single file that are there at a time
        made = records("nb201", list(range(count)), ("12",))
        releases = {
            "folder": write_folder(tmp_path / f"{count}", "nb201", made),
            "single": write_single(tmp_path / f"{count}.pickle.pbz2", "nb201", made),
            "pth": write_pth(tmp_path / f"{count}.pth", made),
        }
        for form, path in releases.items():
            command = [sys.executable, "-c", PEAK, str(path)]
            out = subprocess.run(command, capture_output=True, text=True, check=True)
            peaks[form, count] = int(out.stdout)
    for form in ("folder", "single", "pth"):
        # Kilobytes; unpickled whole, 600 more architectures take 21 MB.
        assert peaks[form, 1_000] - peaks[form, 400] < 6_000, peaks
