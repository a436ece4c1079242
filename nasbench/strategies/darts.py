"""DARTS, first order: every edge is the softmax-weighted sum of all operations, trained by gradient descent.

1. Every edge has a logit for each operation, drawn from a normal of standard deviation 0.001; its output is
   the sum of all operations' outputs, weighted by the softmax of the logits.
2. Take a step of Adam on the logits down the loss of the next validation minibatch, as if the shared weights
   did not depend on them.
3. Take a step of SGD on the shared weights down the loss of the next training minibatch; go to 2.
4. After each epoch the answer is the operation of the highest logit of each edge; in the space ``darts`` a
   node keeps the two edges whose best operation but ``none`` has the highest weight.

| preset | epochs | learning rate | from |
|---|---|---|---|
| small | 10, or more to make 100 steps | 0.01 | ours, by [a pilot](pilot-weight-sharing.md) |
| darts | 50 | 0.0003 | the authors' search on CIFAR-10 |
| nb201 | 100 | 0.0003 | NATS-Bench's search on this cell |

Adam has betas 0.5 and 0.999 and weight decay 0.001 throughout. What the supernet's own optimiser does is the
relaxation's affair.

Deviations from Liu et al. 2019: in other spaces than ``darts`` each edge keeps one operation, ``none``
included where the space has it. On a table there are no shared weights: the logits descend the expected error
of the table, and step 3 only costs its time.

Source: Liu, Simonyan and Yang 2019, Algorithm 1 with xi = 0.
"""

from __future__ import annotations

from typing import ClassVar

from nasbench.strategies.relaxed_search import Plan, RelaxedSearch
from nasbench.strategies.strategy import Card


class DARTS(RelaxedSearch):
    """Differentiable architecture search, first-order approximation.

    Args:
        space: The space to search.
        rng: The only source of randomness.
        setting: Brings the relaxation.
        preset: ``"small"``, ``"darts"`` or ``"nb201"``.
        epochs: Epochs instead of the preset's, >= 1.
        learning_rate: Of the logits, instead of the preset's, > 0.

    Raises:
        BadOption: The source has no relaxation, or an option is out of its range.
        MissingExtra: torch is absent.
    """

    card: ClassVar[Card] = Card(
        family="differentiable", paper="Liu et al. 2019", table="analogue", needs=("torch",)
    )
    PLANS: ClassVar = {"small": Plan(10, 1e-2, steps=100), "darts": Plan(50, 3e-4), "nb201": Plan(100, 3e-4)}
