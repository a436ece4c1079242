"""Kernels are 1 on the diagonal, positive semidefinite, and blind to what does not change a network."""

from __future__ import annotations

import numpy as np
import pytest

from nasbench.errors import BadOption
from nasbench.spaces import get_space
from nasbench.strategies.kernels import WeisfeilerLehmanKernel, make_kernel
from nasbench.testing import toy_space

NAMES = ("hamming", "path", "wl")


def codes_of(space, n, rng):
    return [tuple(row) for row in space.sample(n, rng=rng).tolist()]


def exchanged(code):
    """Exchange nodes 1 and 2 of a cell without an edge between them."""
    a, b, between, c, d, e = code
    assert between == 0
    return (b, a, between, c, e, d)


@pytest.mark.parametrize("name", NAMES)
def test_gram_matrices_are_kernels(name, rng):
    space = get_space("nb201")
    kernel = make_kernel(space, name)
    codes = codes_of(space, 60, rng)
    compared = kernel.compare(codes, codes)
    for shape in kernel.shapes:
        gram = kernel.similarity(compared, shape)
        assert np.diag(gram) == pytest.approx(1.0)
        assert gram == pytest.approx(gram.T)
        assert gram.min() >= 0.0
        assert np.linalg.eigvalsh(gram).min() > -1e-9


@pytest.mark.parametrize("name", NAMES)
def test_comparison_of_two_lists_is_a_part_of_the_whole(name, rng):
    space = get_space("nb201")
    kernel = make_kernel(space, name)
    codes = codes_of(space, 20, rng)
    whole = kernel.compare(codes, codes)
    assert kernel.compare(codes[:5], codes[5:]) == pytest.approx(whole[..., :5, 5:])


def test_hamming_counts_decisions_that_differ():
    kernel = make_kernel(toy_space(), "hamming")
    compared = kernel.compare([(0, 1, 2)], [(0, 1, 2), (0, 1, 1), (1, 2, 0)])
    assert compared == pytest.approx(np.array([[0.0, 1 / 3, 1.0]]))
    assert kernel.similarity(compared, 0.5) == pytest.approx(np.exp([[0.0, -2 / 3, -2.0]]))


@pytest.mark.parametrize("name", ["path", "wl"])
def test_renamed_nodes_are_the_same_network(name, rng):
    space = get_space("nb201")
    kernel = make_kernel(space, name)
    for code in codes_of(space, 30, rng):
        code = (*code[:2], 0, *code[3:])
        assert kernel.similarity(kernel.compare([code], [exchanged(code)]), kernel.shapes[-1])[0, 0] == (
            pytest.approx(1.0)
        )


def test_path_encoding_does_not_change_with_the_names_of_nodes(rng):
    space = get_space("nb201")
    codes = [(*code[:2], 0, *code[3:]) for code in codes_of(space, 50, rng)]
    one, other = (space.encode(np.array(c), "path") for c in (codes, [exchanged(c) for c in codes]))
    assert (one == other).all()


def test_refined_labels_tell_apart_what_counts_of_layers_do_not():
    kernel = WeisfeilerLehmanKernel(get_space("nb201"))
    in_a_row, side_by_side = (2, 0, 3, 0, 0, 1), (2, 3, 0, 0, 1, 1)
    compared = kernel.compare([in_a_row], [side_by_side])
    assert kernel.similarity(compared, 0)[0, 0] == pytest.approx(1.0)
    assert kernel.similarity(compared, 1)[0, 0] < 0.99


def test_weisfeiler_lehman_is_the_cosine_counted_by_hand():
    kernel = WeisfeilerLehmanKernel(get_space("nb201"))
    one, two = (0, 0, 0, 3, 0, 0), (3, 0, 0, 0, 3, 0)  # one convolution, and two in a row
    compared = kernel.compare([one], [two])
    # round 0: input, conv, output 1 1 1 and 1 2 1
    assert compared[0, 0, 0] == pytest.approx(4 / np.sqrt(3 * 6))
    # round 1 adds input, conv fed by input, output fed by conv, and conv fed by conv in the second only
    assert compared[1, 0, 0] == pytest.approx((4 + 3) / np.sqrt((3 + 3) * (6 + 4)))


def test_automatic_kernel_is_the_graph_one_where_there_is_a_graph():
    assert isinstance(make_kernel(get_space("nb201"), "auto"), WeisfeilerLehmanKernel)
    assert make_kernel(toy_space(), "auto")._encoding == "onehot"


def test_kernel_that_a_space_lacks_is_refused_with_those_it_has():
    with pytest.raises(BadOption, match=r"kernel: space toy has 'auto', 'hamming', got 'wl'\."):
        make_kernel(toy_space(), "wl")
    with pytest.raises(BadOption, match=r"nb201 has 'auto', 'hamming', 'path', 'wl', got 'rbf'\."):
        make_kernel(get_space("nb201"), "rbf")
