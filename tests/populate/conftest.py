from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from populate_fakes import JOB

from nasbench.populate.plan import shuffled
from nasbench.populate.target import Target
from nasbench.records import Code
from nasbench.spaces import get_space


@pytest.fixture(scope="session")
def codes() -> list[Code]:
    return shuffled(get_space("nb201"), isomorphs="distinct", seed=0)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with Target(tmp_path / "t.h5", JOB) as opened:
        yield opened
