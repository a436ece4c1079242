from dataclasses import replace

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.spaces.darts_relaxed import CELL_EDGES, MIXED
from nasbench.spaces.mixture import Mixture
from nasbench.strategies.relaxation import Relaxation, path
from nasbench.training.recipes import RECIPES

EDGES, OPERATIONS = 28, 8
SPACE = get_space("darts")
# No pooling: there the supernet normalises and the stand-alone network does not.
WITHOUT_POOLING = SPACE.of_cells(
    [
        [("sep_conv_3x3", 0), ("skip_connect", 1), ("dil_conv_3x3", 0), ("sep_conv_5x5", 2)] * 2,
        [("skip_connect", 0), ("dil_conv_5x5", 1), ("sep_conv_3x3", 1), ("skip_connect", 2)] * 2,
    ]
)


@pytest.fixture
def make(torch, digits):
    """Make a supernet of three cells on minibatches of 16; ``double`` computes in float64."""

    def made(seed=0, *, double=False, **changes):
        from nasbench.training.supernets.supernet import Supernet

        data = digits
        if double:
            parts = {
                part: replace(getattr(digits, part), images=getattr(digits, part).images.double())
                for part in ("train", "valid", "test")
            }
            data = replace(digits, **parts)
        small = {"channels": 4, "stages": 2, "batch_size": 16} | changes
        recipe = replace(RECIPES["digits-darts"], **small)
        return Supernet(SPACE, recipe=recipe, data=data, rng=np.random.default_rng(seed))

    return made


@pytest.fixture
def soft(torch):
    drawn = np.random.default_rng(3).normal(size=(EDGES, OPERATIONS))
    return Mixture(torch.tensor(drawn, dtype=torch.float64).softmax(1).requires_grad_())


def executed_by(supernet, images, mixture):
    """Run one forward pass; return how often each (row of the mixture, operation) ran, by cells."""
    ran = []
    hooks = [
        operation.register_forward_hook(lambda *_, at=(cell.first_edge + e, o): ran.append(at))
        for cell in supernet.network.cells
        for e, operations in enumerate(cell.operations)
        for o, operation in enumerate(operations)
    ]
    supernet.network(images, mixture)
    for hook in hooks:
        hook.remove()
    return ran


def test_it_is_a_relaxation(make):
    supernet = make()
    assert isinstance(supernet, Relaxation)
    assert (supernet.edges, supernet.operations, supernet.is_analogue) == (EDGES, OPERATIONS, False)


def test_one_path_equals_the_network_trained_alone_with_the_same_weights(make, torch):
    from nasbench.training.networks.darts import darts_network

    supernet = make(double=True, stages=3)
    alone = darts_network(
        WITHOUT_POOLING, channels=4, cells_per_stage=1, stages=3, image_channels=1, classes=10
    ).double()
    shared = supernet.network
    alone.stem.load_state_dict(shared.stem.state_dict(), strict=False)  # but for running statistics
    alone.head.load_state_dict(shared.head.state_dict())
    for mine, theirs in zip(alone.cells, shared.cells, strict=True):
        edges = SPACE.cells(WITHOUT_POOLING)[int(theirs.reduces)]
        for at, (name, source) in enumerate(edges):
            operation = theirs.operations[CELL_EDGES.index((source, 2 + at // 2))][MIXED.index(name)]
            weights = [weight for key, weight in operation.state_dict().items() if key.endswith("weight")]
            own = [p for p in mine.edges[at].parameters() if p.dim() == 4]
            assert len(own) == len(weights)
            for parameter, weight in zip(own, weights, strict=True):
                parameter.data = weight
        for my_input, their_input in zip(mine.inputs, theirs.inputs, strict=True):
            my_input.load_state_dict(their_input.state_dict(), strict=False)
    images = torch.randn(16, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    alone.train()
    got = shared(images, path(supernet.form, WITHOUT_POOLING))
    assert torch.allclose(got, alone(images), rtol=1e-9, atol=1e-9)


def test_operations_that_run_are_those_of_the_architecture(make, digits):
    supernet = make()
    ran = executed_by(supernet, digits.train.images[:4], path(supernet.form, WITHOUT_POOLING))
    chosen = supernet.form.chosen([WITHOUT_POOLING])[0]
    chosen[:, 0] = False  # none brings nothing and never runs
    normal = [at for at in zip(*np.nonzero(chosen), strict=True) if at[0] < 14]
    reduction = [at for at in zip(*np.nonzero(chosen), strict=True) if at[0] >= 14]
    assert (len(normal), len(reduction)) == (8, 8)
    assert sorted(ran) == sorted(normal * 2 + reduction)  # two normal cells and one that reduces


def test_all_operations_but_none_run_in_a_full_mixture_and_one_an_edge_in_a_sampled_one(
    make, soft, torch, digits
):
    supernet, images = make(), digits.train.images[:4]
    assert len(executed_by(supernet, images, soft)) == 3 * 14 * (OPERATIONS - 1)
    choices = torch.arange(EDGES) % (OPERATIONS - 1) + 1
    active = torch.nn.functional.one_hot(choices, OPERATIONS).bool()
    ran = executed_by(supernet, images, replace(soft, active=active))
    assert len(ran) == 3 * 14
    assert set(ran) == set(enumerate(choices.tolist()))


def test_operation_that_was_not_drawn_gets_a_gradient_though_it_does_not_run(make, torch):
    supernet = make(double=True)
    weights = path(supernet.form, WITHOUT_POOLING).weights.requires_grad_()
    active = weights.detach() != 0
    loss = supernet.architecture_loss(Mixture(weights, active=active))
    (gradient,) = torch.autograd.grad(loss, weights)
    assert bool((gradient[~active] != 0).any(dim=0))
    (gradient,) = torch.autograd.grad(supernet.architecture_loss(Mixture(weights)), weights)
    assert bool((gradient[~active] == 0).all())


def test_none_has_a_weight_and_brings_nothing(make, torch, digits):
    supernet, images = make(double=True), digits.train.images[:8].double()
    weights = path(supernet.form, WITHOUT_POOLING).weights
    more = weights.clone()
    more[:, 0] = 0.7
    assert torch.equal(supernet.network(images, Mixture(weights)), supernet.network(images, Mixture(more)))


def test_all_channels_are_the_same_as_one_part_of_one(make, soft, torch, digits):
    supernet, images = make(double=True), digits.train.images[:8].double()
    ones = torch.ones(EDGES, dtype=torch.float64)
    plain = supernet.network(images, soft)
    assert torch.equal(supernet.network(images, replace(soft, part=1, edge_weights=ones)), plain)
    normalised = supernet.network(images, replace(soft, edge_weights=ones / 3))
    scaled = supernet.network(images, Mixture(soft.weights / 3))
    assert torch.allclose(normalised, scaled, rtol=1e-9, atol=1e-9)


def test_part_uses_the_matching_block_of_the_weights_only(make, soft):
    supernet = make(double=True)
    supernet._loss(supernet._next_training(), replace(soft, part=2)).backward()
    reducing = supernet.network.cells[1]
    assert reducing.reduces
    deep = reducing.operations[0][MIXED.index("sep_conv_3x3")][0]
    assert deep.depthwise.weight.shape[0] == 8
    for weight in (deep.depthwise.weight, deep.pointwise.weight):
        assert bool((weight.grad[:4] != 0).any())
        assert bool((weight.grad[4:] == 0).all())
    halving = reducing.operations[0][MIXED.index("skip_connect")]
    assert bool((halving.even.weight.grad[:2, :4] != 0).any())
    assert bool((halving.even.weight.grad[2:] == 0).all())


@pytest.mark.parametrize(
    ("mixture", "message"),
    [
        ({"part": 3}, "part: expected a divisor of the 4 channels, got 3"),
        ({"weights": np.ones((6, 5))}, r"weights: expected shape \(E, O\) \(= \(28, 8\)\), got \(6, 5\)"),
    ],
)
def test_mixture_that_does_not_fit_is_refused(make, soft, torch, mixture, message):
    changes = {key: torch.as_tensor(value) if key == "weights" else value for key, value in mixture.items()}
    with pytest.raises(BadOption, match=message):
        make().architecture_loss(replace(soft, **changes))


def test_weight_step_moves_the_operations_of_the_path_and_no_other(make, torch):
    supernet = make()
    before = {name: weight.detach().clone() for name, weight in supernet.network.named_parameters()}
    supernet.weight_step(path(supernet.form, WITHOUT_POOLING))
    moved = {
        name
        for name, weight in supernet.network.named_parameters()
        if ".operations." in name and not torch.equal(weight, before[name])
    }
    chosen = supernet.form.chosen([WITHOUT_POOLING])[0]
    for name in moved:
        _, cell, _, edge, operation, *_ = name.split(".")
        assert chosen[supernet.network.cells[int(cell)].first_edge + int(edge), int(operation)], name
    assert len({name.split(".")[1] for name in moved}) == 3


def test_scores_are_errors_of_codes_and_do_not_depend_on_each_other(make, monkeypatch):
    from nasbench.training.supernets import supernet as module

    monkeypatch.setattr(module, "_JUDGED", 60)
    monkeypatch.setattr(module, "_CALIBRATION", 40)
    supernet = make()
    codes = SPACE.sample(4, rng=np.random.default_rng(0))
    scores = supernet.score(codes)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert supernet.score(codes[::-1]).tolist() == scores[::-1].tolist()
    assert supernet.network.statistics.first is None


@pytest.mark.slow
def test_finite_difference_agrees_with_automatic_differentiation_through_the_step(
    make, soft, torch, monkeypatch
):
    from nasbench.training.supernets import unrolled

    # At the published radius a few of the ReLUs change sides between the two points; closer by, none does.
    monkeypatch.setattr(unrolled, "_RADIUS", 1e-6)
    supernet = make(double=True, stages=2)
    for _ in range(2):
        supernet.weight_step(soft)
    validation = supernet._validation.take()
    monkeypatch.setattr(supernet._validation, "take", lambda: validation)
    difference = supernet.unrolled_gradient(soft)
    exact = supernet.unrolled_gradient(soft, is_exact=True)
    (first_order,) = torch.autograd.grad(supernet.architecture_loss(soft), soft.weights)
    assert float((difference - exact).norm() / exact.norm()) < 1e-6
    assert float((first_order - exact).norm() / exact.norm()) > 1e-3


def test_training_one_path_lowers_its_loss(make):
    supernet = make(stages=1, learning_rate=0.1)
    only = path(supernet.form, WITHOUT_POOLING)
    losses = [supernet.weight_step(only) for _ in range(25)]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


@pytest.mark.gpu
def test_supernet_computes_on_a_gpu_what_it_computes_on_the_cpu(torch, digits):
    from nasbench.training.supernets.supernet import Supernet

    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    recipe = replace(RECIPES["digits-darts"], channels=4, stages=2)
    made = {}
    for device in ("cpu", "cuda"):
        supernet = Supernet(SPACE, recipe=recipe, data=digits, rng=np.random.default_rng(0), device=device)
        weights = torch.full((EDGES, OPERATIONS), 0.125, dtype=torch.float64, requires_grad=True)
        loss = supernet.architecture_loss(Mixture(weights, part=2))
        (gradient,) = torch.autograd.grad(loss, weights)
        supernet.weight_step(Mixture(weights.detach()))
        made[device] = float(loss.detach()), gradient, supernet
    assert made["cuda"][0] == pytest.approx(made["cpu"][0], rel=1e-3)
    assert torch.allclose(made["cuda"][1], made["cpu"][1], rtol=0.05, atol=1e-3)
    assert made["cuda"][2].peak_memory_bytes > 0
