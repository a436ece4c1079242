"""Surrogates as files: one HDF5 file without pickle, the same bytes for the same fit, checked when opened.

The root holds ``format``, ``schema_version``, ``card`` (JSON) and ``content_hash``: SHA-256 over the card,
but for who wrote it, and over every dataset, by the rule of the tables (docs/table-schema.md). Datasets:

* ``fitted`` (n, L), ``epochs`` (e,), ``kinds``: what it speaks of, and how it is encoded;
* ``curves/<metric>/mean`` (e,), ``curves/<metric>/vectors`` (k, e); ``seconds/shares`` (e,);
* ``targets/middle``, ``targets/scale`` (k,), ``targets/weights`` (members, k);
* ``members/<i>/...``: the arrays of each member;
* ``noise/centres``, ``noise/deviations``, ``noise/factor``, ``noise/architectures``, where noise is known;
* ``calibration/<metric>/slopes``, ``floors`` (e,), ``factors`` (levels, e); ``support/reference``,
  ``support/limit``.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from nasbench.errors import FormatError, MissingExtra
from nasbench.spaces import space_of
from nasbench.store.content import Entry, entry_hash, table_hash
from nasbench.surrogates.calibration import Calibration
from nasbench.surrogates.card import SurrogateCard
from nasbench.surrogates.curves import CurveBasis
from nasbench.surrogates.members import member_class
from nasbench.surrogates.names import ENDING
from nasbench.surrogates.noise import SeedNoise
from nasbench.surrogates.support import Support
from nasbench.surrogates.surrogate import Surrogate, Targets

FORMAT = "nasbench-surrogate"
SCHEMA_VERSION = "1.0"

_PACKED = 4_096  # bytes, from which on a dataset is compressed

Arrays = dict[str, npt.NDArray[np.generic]]


def save(surrogate: Surrogate, path: str | Path) -> str:
    """Write a surrogate aside and rename; return its content hash.

    Raises:
        FormatError: The name does not end in ``.surrogate.h5``.
    """
    target = Path(path)
    if not target.name.endswith(ENDING):
        raise FormatError(f"out: expected a file named *{ENDING}, got {target.name!r}.")
    arrays = _arrays(surrogate)
    content = content_hash(surrogate.card, arrays)
    aside = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with h5py.File(aside, "w", libver=("earliest", "v108"), track_order=False) as file:
            for name in sorted(arrays):
                packed = {"compression": "gzip", "shuffle": True} if arrays[name].nbytes > _PACKED else {}
                file.create_dataset(name, data=arrays[name], track_times=False, **packed)
            file.attrs["format"] = FORMAT
            file.attrs["schema_version"] = SCHEMA_VERSION
            file.attrs["card"] = surrogate.card.to_json()
            file.attrs["content_hash"] = content
        with aside.open("rb") as handle:
            os.fsync(handle.fileno())
        os.replace(aside, target)
    finally:
        aside.unlink(missing_ok=True)
    return content


def load(path: str | Path) -> tuple[Surrogate, str]:
    """Open a surrogate; return it and its content hash, which is recomputed.

    Raises:
        MissingExtra: No such file.
        FormatError: Not a surrogate file, another schema version, or its content is not what its hash says.
    """
    where = Path(path)
    card, stated, arrays = _read(where)
    found = content_hash(card, arrays)
    if found != stated:
        raise FormatError(
            f"{where}: content_hash: expected {stated[:12]}, as the file states, got {found[:12]}. It "
            "was changed "
            "after it was written: fit it again, or fetch it again."
        )
    try:
        return _surrogate(card, arrays), found
    except KeyError as error:
        raise FormatError(
            f"{where}: expected the dataset {error.args[0]!r}, got none. Fit it again."
        ) from None


def content_hash(card: SurrogateCard, arrays: Arrays) -> str:
    """Hash a surrogate: the card but for ``created_by``, and every dataset."""
    text = dataclasses.replace(card, created_by="").to_json()
    return table_hash(
        {"card": text}, {name: entry_hash(name, Entry(array)) for name, array in arrays.items()}
    )


def _read(where: Path) -> tuple[SurrogateCard, str, Arrays]:
    """Read a whole file.

    Raises:
        MissingExtra: No such file.
        FormatError: Not a surrogate file, or of another version.
    """
    try:
        file = h5py.File(where, "r")
    except FileNotFoundError:
        raise MissingExtra(
            f"path: expected a surrogate file, got {str(where)!r}, which does not exist. Fit one "
            "with: nasbench "
            "surrogate fit TABLE"
        ) from None
    except OSError as error:
        raise FormatError(
            f"{where}: expected a whole HDF5 file, got a truncated or foreign one ({error}). Fit it again."
        ) from error
    with file:
        if file.attrs.get("format") != FORMAT:
            raise FormatError(f"{where}: format: expected {FORMAT!r}, got {file.attrs.get('format')!r}.")
        version = str(file.attrs.get("schema_version"))
        if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
            raise FormatError(
                f"{where}: schema_version: expected {SCHEMA_VERSION}, got {version}. Fit it again "
                "with this version."
            )
        card = SurrogateCard.from_json(str(file.attrs["card"]), where=str(where))
        arrays: Arrays = {}

        def visit(name: str, found: object) -> None:
            if isinstance(found, h5py.Dataset):
                arrays[name] = np.asarray(found[()])

        file.visititems(visit)
        return card, str(file.attrs["content_hash"]), arrays


def _arrays(surrogate: Surrogate) -> Arrays:
    """List the datasets of a surrogate by path."""
    arrays: Arrays = {
        "fitted": surrogate.fitted.astype(np.int8),
        "epochs": np.array(surrogate.epochs, dtype="<i4"),
        "kinds": np.array([kind.encode() for kind in surrogate.kinds]),
        "seconds/shares": surrogate.shares,
        "support/reference": surrogate.support.reference.astype(np.int8),
        "support/limit": np.array(surrogate.support.limit, dtype="<i4"),
    }
    for part in dataclasses.fields(Targets):
        arrays[f"targets/{part.name}"] = getattr(surrogate.targets, part.name)
    for metric, basis in surrogate.bases.items():
        arrays[f"curves/{metric}/mean"] = basis.mean
        arrays[f"curves/{metric}/vectors"] = basis.vectors
        for part in dataclasses.fields(Calibration):
            arrays[f"calibration/{metric}/{part.name}"] = getattr(surrogate.calibrations[metric], part.name)
    for i, member in enumerate(surrogate.members):
        arrays.update({f"members/{i}/{name}": array for name, array in member.arrays().items()})
    if surrogate.noise is not None:
        for part in dataclasses.fields(SeedNoise):
            arrays[f"noise/{part.name}"] = np.asarray(getattr(surrogate.noise, part.name))
    return arrays


def _surrogate(card: SurrogateCard, arrays: Arrays) -> Surrogate:
    """Put a surrogate together again.

    Raises:
        KeyError: A dataset is missing.
        UnknownName: It was made by a newer program, with a space or a member that is not known here.
    """
    metrics = [metric for metric in ("valid_error", "test_error") if f"curves/{metric}/mean" in arrays]
    members = []
    for i, kind in enumerate(card.members):
        prefix = f"members/{i}/"
        own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        members.append(member_class(kind).load(own))
    return Surrogate(
        card,
        space_of(card.space, card.space_definition),
        kinds=tuple(kind.decode() for kind in arrays["kinds"].tolist()),
        epochs=tuple(arrays["epochs"].tolist()),
        bases={
            m: CurveBasis(_real(arrays[f"curves/{m}/mean"]), _real(arrays[f"curves/{m}/vectors"]))
            for m in metrics
        },
        shares=_real(arrays["seconds/shares"]),
        targets=Targets(**{p.name: _real(arrays[f"targets/{p.name}"]) for p in dataclasses.fields(Targets)}),
        members=members,
        noise=_noise(arrays),
        calibrations={
            m: Calibration(
                **{
                    p.name: _real(arrays[f"calibration/{m}/{p.name}"])
                    for p in dataclasses.fields(Calibration)
                }
            )
            for m in metrics
        },
        support=Support(arrays["support/reference"].astype(np.int8), int(arrays["support/limit"])),
        fitted=arrays["fitted"].astype(np.int8),
    )


def _noise(arrays: Arrays) -> SeedNoise | None:
    if "noise/factor" not in arrays:
        return None
    return SeedNoise(
        _real(arrays["noise/centres"]),
        _real(arrays["noise/deviations"]),
        _real(arrays["noise/factor"]),
        int(arrays["noise/architectures"]),
    )


def _real(array: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    return np.asarray(array, dtype=np.float64)


__all__ = ["ENDING", "FORMAT", "content_hash", "load", "save"]
