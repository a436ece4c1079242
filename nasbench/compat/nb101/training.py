"""``NASBench.evaluate``: training a cell now instead of looking it up."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from nasbench.compat.nb101.model_spec import ModelSpec, OutOfDomainError
from nasbench.errors import NotMeasured
from nasbench.spaces import get_space
from nasbench.training.data import get_data
from nasbench.training.recipes import get_recipe
from nasbench.training.trainer import train

METADATA = "metadata.json"


def evaluate_live(
    model_spec: ModelSpec,
    model_dir: str | os.PathLike[str],
    *,
    data: str = "cifar10-40k",
    recipe: str = "nb101-published",
    device: str | None = None,
    epochs: int | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Train one cell from its first weights.

    A training that was killed goes on from its checkpoint in ``model_dir``, where ``metadata.json`` keeps
    what it came to.

    Args:
        model_spec: A cell of NAS-Bench-101.
        model_dir: Folder to work in; made where it is missing.
        data: Data set.
        recipe: How to train, a recipe of the space ``nb101``.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``; None means the CPU.
        epochs: Stop after so many of the recipe's; None trains all.
        seed: Training seed, >= 0.

    Returns:
        What ``NASBench.query`` returns, with the given matrix and operations.

    Raises:
        OutOfDomainError: NAS-Bench-101 does not have the cell.
        NotMeasured: The training failed; the message says how.
        MissingExtra: torch or the data set is absent.
        UnknownName: No such data set or recipe.
    """
    if model_spec.wrong():
        raise OutOfDomainError(model_spec.wrong())
    assert model_spec.matrix is not None
    assert model_spec.ops is not None
    space = get_space("nb101")
    chosen = get_recipe(recipe)
    code = space.parse(_as_text(model_spec))
    folder = Path(model_dir)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint"
    made = train(
        code,
        space=space,
        recipe=chosen,
        data=get_data(data, split_seed=chosen.split_seed, train_images=chosen.train_images),
        seed=seed,
        device=device or "cpu",
        epochs=epochs,
        evaluate="last-epoch",
        checkpoint=checkpoint,
    )
    if made.status != "ok":
        raise NotMeasured(f"evaluate: expected a training that ends, got one that {made.reason}.")
    found = {
        "trainable_parameters": made.parameters,
        "training_time": made.train_seconds[-1],
        "train_accuracy": 1.0 - made.train_error[-1],
        "validation_accuracy": 1.0 - made.valid_error[-1],
        "test_accuracy": 1.0 - made.test_error[-1],
    }
    how = {"data": data, "recipe": recipe, "epochs": made.epochs, "seed": seed, "cell": space.format(code)}
    text = json.dumps({**how, **found}, indent=1)
    aside = folder / f"{METADATA}.{os.getpid()}"
    aside.write_text(text, encoding="utf-8")
    os.replace(aside, folder / METADATA)
    checkpoint.unlink(missing_ok=True)
    return {"module_adjacency": model_spec.matrix, "module_operations": model_spec.ops, **found}


def _as_text(model_spec: ModelSpec) -> str:
    """Write a valid cell in the notation of the official files."""
    assert model_spec.matrix is not None
    assert model_spec.ops is not None
    digits = "".join(str(int(entry)) for row in model_spec.matrix.tolist() for entry in row)
    return f"{digits} {','.join(model_spec.ops)}"
