"""The NAS-Bench-101 network: published parameter counts, shared channels, and what a cell computes."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from nasbench.spaces import get_space  # noqa: E402
from nasbench.training.networks import build_network  # noqa: E402
from nasbench.training.networks.cost import count_parameters  # noqa: E402
from nasbench.training.networks.nb101 import Cell, vertex_channels  # noqa: E402
from nasbench.training.recipes import get_recipe  # noqa: E402
from nasbench.training.trainer import train  # noqa: E402
from nasbench.training.weights import initialise  # noqa: E402

SPACE = get_space("nb101")
CONVOLUTIONS = ",".join(["conv3x3"] * 5)
POOLINGS = ",".join(["maxpool3x3"] * 5)
CELLS = {
    "inception": "111010-00001-0001-100-01-1:conv1x1,conv3x3,conv3x3,conv3x3,maxpool3x3",
    "first": "100110-10000-1001-010-10-1:conv3x3,maxpool3x3,conv3x3,conv3x3,conv1x1",
    "direct": "1",
    "largest": f"111100-10000-1000-100-10-1:{CONVOLUTIONS}",
    "smallest": f"100000-11110-0001-001-01-1:{POOLINGS}",
}


def network(code, *, space="nb101", recipe="nb101-published"):
    return build_network(space, code, recipe=get_recipe(recipe), image_shape=(3, 32, 32), classes=10)


@pytest.mark.parametrize(
    ("cell", "parameters"),
    [
        ("inception", 2_694_282),  # README and notebook of the authors
        ("first", 8_555_530),  # lowest hash of the official file
        ("direct", 882_570),
        ("largest", 49_979_274),
        ("smallest", 227_274),
    ],
)
def test_parameters_are_as_many_as_published(cell, parameters):
    assert count_parameters(network(SPACE.parse(CELLS[cell]))) == parameters


def full(vertices, feeding):
    """A matrix in which each vertex is fed by the one before, and ``feeding`` feed the output."""
    matrix = np.eye(vertices, k=1, dtype=int)
    matrix[:, -1] = 0
    matrix[feeding, -1] = 1
    return matrix


@pytest.mark.parametrize(
    ("vertices", "feeding", "channels"),
    [
        (5, [1, 2, 3], [8, 5, 5, 5, 15]),
        (5, [1, 2, 3], [8, 3, 3, 2, 8]),
        (4, [1, 2], [8, 8, 7, 15]),
        (2, [0], [8, 15]),
        (5, [3], [8, 8, 8, 8, 8]),
        (6, [2, 4], [8, 5, 5, 4, 4, 9]),
    ],
)
def test_channels_are_shared_evenly_by_what_feeds_the_output(vertices, feeding, channels):
    assert vertex_channels(channels[0], channels[-1], full(vertices, feeding)) == channels


def test_other_vertices_are_as_wide_as_the_widest_they_feed():
    matrix = np.zeros((6, 6), dtype=int)
    for edge in ((0, 1), (1, 2), (1, 3), (2, 5), (3, 4), (4, 5)):
        matrix[edge] = 1
    assert vertex_channels(4, 9, matrix) == [4, 5, 5, 4, 4, 9]


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_computes_what_it_says(cell):
    """Against sums, cuts and concatenation written out vertex by vertex."""
    matrix, operations = SPACE.cell(SPACE.parse(CELLS[cell]))
    with torch.device("meta"):
        made = Cell(matrix, operations, 6, 10)
    made = initialise(made, generator=torch.Generator().manual_seed(0)).eval()
    images = torch.randn(2, 6, 5, 5, generator=torch.Generator().manual_seed(1))
    last = len(operations) - 1
    values = {0: images}
    for v in range(1, last):
        total = 0
        for u in range(v):
            if matrix[u, v]:
                total = total + (
                    made.projections[str(v)](images) if u == 0 else values[u][:, : made.channels[v]]
                )
        values[v] = made.operations[v - 1](total)
    parts = [values[v] for v in range(1, last) if matrix[v, last]]
    expected = torch.cat(parts, dim=1) if parts else torch.zeros(2, 10, 5, 5)
    if matrix[0, last]:
        expected = expected + made.projections[str(last)](images)
    assert made(images).shape == (2, 10, 5, 5)
    torch.testing.assert_close(made(images), expected)


def test_isomorphic_cells_have_networks_of_one_size(rng):
    codes = SPACE.sample(12, rng=rng)
    for code, canonical in zip(codes.tolist(), SPACE.canonical(codes).tolist(), strict=True):
        sizes = {count_parameters(network(tuple(c))) for c in (code, canonical)}
        low, high = min(sizes), max(sizes)
        assert high - low <= 0.02 * high  # the uneven share of channels goes by the order of the vertices


@pytest.mark.parametrize("number", [1, 2, 3])
def test_cells_of_the_one_shot_spaces_are_those_of_nb101(number, rng):
    space = get_space(f"nb1shot1-{number}")
    code = tuple(space.sample(1, rng=rng)[0].tolist())
    recipe = f"digits-nb1shot1-{number}"
    one = network(code, space=space.name, recipe=recipe)
    whole = tuple(space.to_nb101([code])[0].tolist())
    assert str(one) == str(network(whole, recipe="digits-nb101"))


def test_published_recipe_is_the_authors_rmsprop():
    from nasbench.training.optimizers import make_optimizer

    recipe = get_recipe("nb101-published")
    optimizer = make_optimizer(torch.nn.Linear(2, 2), recipe)
    group = optimizer.param_groups[0]
    assert isinstance(optimizer, torch.optim.RMSprop)
    assert {k: group[k] for k in ("lr", "alpha", "eps", "momentum", "weight_decay")} == {
        "lr": 0.2, "alpha": 0.9, "eps": 1.0, "momentum": 0.9, "weight_decay": 1e-4,
    }  # fmt: skip
    assert (recipe.train_images, recipe.epochs, recipe.channels) == (40_000, 108, 128)


@pytest.mark.parametrize("name", ["nb101", "nb1shot1-1", "nb1shot1-2", "nb1shot1-3"])
def test_one_epoch_trains_on_the_digits(name, rng):
    pytest.importorskip("sklearn")
    from nasbench.training.data import get_data

    recipe = get_recipe(f"digits-{name}")
    space = get_space(name)
    data = get_data("digits", split_seed=0, train_images=recipe.train_images)
    made = train(
        tuple(space.sample(1, rng=rng)[0].tolist()), space=space, recipe=recipe, data=data, seed=0, epochs=1
    )
    assert made.status == "ok"
    assert made.parameters == count_parameters(
        build_network(name, made.code, recipe=recipe, image_shape=(1, 8, 8), classes=10)
    )
