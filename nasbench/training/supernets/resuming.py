"""A supernet that need not be trained again when its search is interrupted: a journal and a checkpoint.

Every answer that the supernet gives to its search is written down: losses with their gradients, training
losses, scores, and the seconds spent by then. After each epoch ``keep`` brings this journal and the state of
the supernet to one file. A search that is started again with the same seed asks the same questions; they are
answered from the journal without any computing, to the bit and with the seconds of the first time, and where
the journal ends the supernet goes on from its checkpoint. What was not yet kept is trained again.

Each question carries a digest of the mixture or the architectures that it is about. A search that does not
ask again what it asked is another search, and is refused. The file is read with ``weights_only``, so that a
foreign one cannot run code.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from nasbench.errors import FormatError, Mismatch
from nasbench.spaces.mixture import Mixture
from nasbench.spaces.relaxed import RelaxedSpace
from nasbench.training.supernets.losses import Gradients, Half, joined, tensors_of
from nasbench.training.supernets.supernet import Supernet

SCHEMA = 1
_KINDS = ("weight step", "training loss", "validation loss", "unrolled gradient", "scores")
_LOSSES: dict[Half, str] = {"training": _KINDS[1], "validation": _KINDS[2]}
_REMEDY = "Delete it to train the supernet anew."


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer of a supernet.

    Attributes:
        kind: What was asked, one of five.
        digest: Of what it was asked about.
        values: The answer, in float64.
        seconds: Of the supernet when it had answered.
    """

    kind: str
    digest: int
    values: npt.NDArray[np.float64]
    seconds: float


class ResumableSupernet:
    """A supernet with a journal.

    Args:
        supernet: Fresh, made in the same way each time.
        path: The file; one that is there is gone on from.
        identity: What makes it the supernet of this run and no other, by name.

    Attributes:
        form, edges, operations, is_analogue, epoch_steps: Those of the supernet.

    Raises:
        FormatError: The file is damaged, of another version, or of another run.
    """

    is_analogue = False

    def __init__(self, supernet: Supernet, path: Path, identity: Mapping[str, str]) -> None:
        self.form: RelaxedSpace = supernet.form
        self.edges, self.operations = supernet.edges, supernet.operations
        self.epoch_steps = supernet.epoch_steps
        self._supernet = supernet
        self._path = path
        self._identity = dict(identity)
        self._entries: list[Entry] = []
        self._state: dict[str, Any] | None = None  # of the supernet where the journal ends
        self._at = 0  # entries given
        if path.exists():
            self._entries, self._state = _read(path, self._identity)

    @property
    def seconds(self) -> float:
        """As ``Supernet.seconds``: while answers come from the journal, those that it had taken then."""
        if self._state is None or self._at == 0:
            return self._supernet.seconds
        return self._entries[self._at - 1].seconds

    def plan(self, epochs: int) -> None:
        """As ``Supernet.plan``."""
        self._supernet.plan(epochs)

    def weight_step(self, mixture: Mixture) -> float:
        """As ``Supernet.weight_step``.

        Raises:
            Diverged: The loss is not finite.
            Mismatch: The search does not ask again what it asked.
        """
        digest = _digest_of(mixture)
        known = self._known("weight step", digest)
        if known is not None:
            return float(known[0])
        loss = self._supernet.weight_step(mixture)
        self._note("weight step", digest, [loss])
        return loss

    def training_loss(self, mixture: Mixture) -> torch.Tensor:
        """As ``Supernet.training_loss``.

        Raises:
            Mismatch: The search does not ask again what it asked.
        """
        return self._loss("training", mixture)

    def architecture_loss(self, mixture: Mixture) -> torch.Tensor:
        """As ``Supernet.architecture_loss``.

        Raises:
            Mismatch: The search does not ask again what it asked.
        """
        return self._loss("validation", mixture)

    def _loss(self, half: Half, mixture: Mixture) -> torch.Tensor:
        digest = _digest_of(mixture)
        known = self._known(_LOSSES[half], digest)
        if known is not None:
            return joined(float(known[0]), _unpacked(known[1:], mixture), mixture)
        value, gradients = self._supernet.evaluated(half, mixture)
        self._note(_LOSSES[half], digest, [value, *_packed(gradients)])
        return joined(value, gradients, mixture)

    def unrolled_gradient(self, mixture: Mixture, *, is_exact: bool = False) -> torch.Tensor:
        """As ``Supernet.unrolled_gradient``.

        Raises:
            Mismatch: The search does not ask again what it asked.
        """
        digest = _digest_of(mixture, b"exact" if is_exact else b"")
        known = self._known("unrolled gradient", digest)
        weights = mixture.weights
        if known is not None:
            return torch.from_numpy(known.reshape(weights.shape).copy()).to(weights)
        gradient = self._supernet.unrolled_gradient(mixture, is_exact=is_exact)
        self._note("unrolled gradient", digest, gradient.double().flatten().tolist())
        return gradient

    def score(self, codes: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
        """As ``Supernet.score``.

        Raises:
            Diverged: A logit is not finite.
            Mismatch: The search does not ask again what it asked.
        """
        digest = _digest(np.ascontiguousarray(codes, dtype=np.int8).tobytes())
        known = self._known("scores", digest)
        if known is not None:
            return known.copy()
        errors = self._supernet.score(codes)
        self._note("scores", digest, errors.tolist())
        return errors

    # The journal --------------------------------------------------------------------------------

    def _known(self, kind: str, digest: int) -> npt.NDArray[np.float64] | None:
        """Give the next answer of the journal; where it ends, put the supernet to its checkpoint.

        Raises:
            Mismatch: The journal's next answer is to another question.
        """
        if self._state is None:
            return None
        if self._at == len(self._entries):
            self._supernet.restore(self._state["supernet"])
            self._state = None
            return None
        entry = self._entries[self._at]
        if (entry.kind, entry.digest) != (kind, digest):
            raise Mismatch(
                f"{self._path}: question {self._at + 1}: expected a {entry.kind} as recorded, got "
                f"{f'another {kind}' if kind == entry.kind else f'a {kind}'}: the strategy or torch changed. "
                "Delete this file and the record beside it to start over."
            )
        self._at += 1
        return entry.values

    def _note(self, kind: str, digest: int, values: list[float]) -> None:
        answer = np.array(values, dtype=np.float64)
        self._entries.append(Entry(kind, digest, answer, self._supernet.seconds))
        self._at += 1

    def keep(self) -> None:
        """Bring the journal and the state of the supernet to the file; nothing while the journal answers."""
        if self._state is not None:
            return
        entries = self._entries
        held = {
            "schema": SCHEMA,
            "identity": self._identity,
            "kinds": torch.tensor([_KINDS.index(entry.kind) for entry in entries], dtype=torch.uint8),
            "digests": torch.tensor([entry.digest for entry in entries], dtype=torch.int64),
            "lengths": torch.tensor([len(entry.values) for entry in entries], dtype=torch.int64),
            "values": torch.from_numpy(np.concatenate([np.zeros(0), *(entry.values for entry in entries)])),
            "seconds": torch.tensor([entry.seconds for entry in entries], dtype=torch.float64),
            "supernet": self._supernet.state(),
        }
        aside = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        try:
            with aside.open("wb") as file:
                torch.save(held, file)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self._path)
        finally:
            aside.unlink(missing_ok=True)


def _read(path: Path, identity: Mapping[str, str]) -> tuple[list[Entry], dict[str, Any]]:
    """Read a file of ``ResumableSupernet.keep``.

    Raises:
        FormatError: The file is damaged, of another version, or of another run.
    """
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise FormatError(
            f"{path}: expected the checkpoint of a supernet, got {type(error).__name__}. {_REMEDY}"
        ) from error
    if not isinstance(held, dict) or held.get("schema") != SCHEMA:
        found = held.get("schema") if isinstance(held, dict) else type(held).__name__
        raise FormatError(f"{path}: schema: expected version {SCHEMA}, got {found}. {_REMEDY}")
    try:
        for name, value in identity.items():
            if held["identity"].get(name) != value:
                raise FormatError(
                    f"{path}: {name}: expected {value}, got {held['identity'].get(name)}: the supernet of "
                    f"another run. {_REMEDY}"
                )
        parts = np.split(held["values"].numpy(), np.cumsum(held["lengths"].numpy())[:-1])
        columns = held["kinds"].tolist(), held["digests"].tolist(), parts, held["seconds"].tolist()
        entries = [
            Entry(_KINDS[kind], digest, values, seconds)
            for kind, digest, values, seconds in zip(*columns, strict=True)
        ]
        return entries, {"supernet": held["supernet"]}
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(f"{path}: expected the journal of a supernet, got {error!r}. {_REMEDY}") from error


def _digest(*parts: bytes) -> int:
    """Return 63 bits of a hash."""
    return int.from_bytes(hashlib.sha256(b"|".join(parts)).digest()[:8], "little") >> 1


def _digest_of(mixture: Mixture, *more: bytes) -> int:
    """Digest a mixture, and whether a gradient is wanted."""
    tensors = tensors_of(mixture)
    wants = [tensor.requires_grad and torch.is_grad_enabled() for tensor in tensors]
    if mixture.active is not None:
        tensors.append(mixture.active)
    contents = [tensor.detach().cpu().contiguous().numpy().tobytes() for tensor in tensors]
    return _digest(*contents, str((mixture.part, mixture.active is None, wants)).encode(), *more)


def _packed(gradients: Gradients) -> list[float]:
    """Write gradients as numbers: whether there is one, and it."""
    numbers: list[float] = []
    for gradient in gradients:
        numbers.append(float(gradient is not None))
        if gradient is not None:
            numbers += gradient.double().flatten().tolist()
    return numbers


def _unpacked(numbers: npt.NDArray[np.float64], mixture: Mixture) -> Gradients:
    """Read what ``_packed`` wrote."""
    gradients: list[torch.Tensor | None] = []
    at = 0
    for tensor in tensors_of(mixture) if len(numbers) else ():
        there, at = bool(numbers[at]), at + 1
        size = tensor.numel() if there else 0
        found = torch.from_numpy(numbers[at : at + size].copy()).reshape(tensor.shape) if there else None
        gradients.append(None if found is None else found.to(tensor))
        at += size
    return gradients
