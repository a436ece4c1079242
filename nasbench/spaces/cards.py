"""What a space is in words: where it comes from, how it is written, what counts are known of it.

One card a registered space; ``docs/spaces.md`` is generated from them and from the spaces themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["CARDS", "SpaceCard"]


@dataclass(frozen=True, slots=True)
class SpaceCard:
    """What a list of spaces prints of one of them.

    Attributes:
        summary: What is built, one sentence.
        source: Author, year and title, and what of it was followed where sources differ.
        notation: How an architecture is written, in words; the space itself gives an example.
        counts: Known counts, each a sentence; a test derives each of them again.
        data: What recorded data exists and how it comes in, each a sentence.
        networks: What is built to be trained, and by which recipes of the program; empty where nothing is.
    """

    summary: str
    source: str
    notation: str
    counts: tuple[str, ...] = field(default=())
    data: tuple[str, ...] = field(default=())
    networks: str = ""


CARDS: dict[str, SpaceCard] = {
    "chain-skip-6": SpaceCard(
        summary="Six convolutions of free size in a chain, each fed by any of the earlier ones.",
        source="Zoph and Le 2017, NAS-RL, section 3.3; the depth is ours, strides are 1.",
        notation="ours: HEIGHTxWIDTH-FILTERS a layer, joined by commas, @1+2 behind it for layers 1 and 2",
        counts=("64^6 x 2^15 = 2.25e15 codes.",),
        data=("None comes along; trained live or into tables of your own.",),
        networks="convolutions joined and padded as in the paper; recipe digits-chain-skip-6",
    ),
    "darts": SpaceCard(
        summary="Two cells, normal and reduction, of four nodes with two inputs and seven operations each.",
        source="Liu, Simonyan and Yang 2019, DARTS; NAS-Bench-301 (Zela et al. 2022) has the same space.",
        notation="a genotype of the authors' code, or the ConfigSpace dictionary of NAS-Bench-301",
        counts=("(1 x 3 x 6 x 10 x 7^8)^2 = 1.08e18 pairs of cells.",),
        data=(
            "The sample digits-darts and the surrogate darts-digits, which answers for all, come along; more "
            "is trained live or into tables of your own.",
        ),
        networks="the evaluation network of DARTS, without auxiliary head and drop path; recipe digits-darts",
    ),
    "hierarchical": SpaceCard(
        summary="Six motifs of four nodes, and a cell of five nodes with motifs on its edges.",
        source="Liu et al. 2018, hierarchical representations.",
        notation="ours: a digit an edge, motifs joined by -, the cell behind /",
        counts=("7^46 = 7.49e38 codes.",),
        data=("None comes along; trained live or into tables of your own.",),
        networks="the cell at several scales; recipe digits-hierarchical",
    ),
    "nas-bench-graph": SpaceCard(
        summary="Four computing nodes of a graph neural network as a tree, each one of nine operations.",
        source=(
            "Qin, Zhang, Wang, Zhang and Zhu 2022, NAS-Bench-Graph; the canonical form is that of the "
            "package nas-bench-graph 1.4.0."
        ),
        notation="the input of each node and its operation, 0012|gcn|gin|fc|cheb",
        counts=(
            "59,040 codes: 9 trees of 9^4 operations, without those of nothing but skip connections.",
            "26,206 networks.",
        ),
        data=(
            "cora, citeseer, pubmed, cs, physics, photo, computers, arxiv: nasbench import nas-bench-graph.",
        ),
    ),
    "nas-bench-graph-proteins": SpaceCard(
        summary="The same trees with the five operations that NAS-Bench-Graph recorded on ogbn-proteins.",
        source=(
            "Qin, Zhang, Wang, Zhang and Zhu 2022, NAS-Bench-Graph; the operations are those of the package "
            "nas-bench-graph 1.4.0."
        ),
        notation="the input of each node and its operation, 0012|gcn|sage|fc|arma",
        counts=(
            "5,616 codes: 9 trees of 5^4 operations, without those of nothing but skip connections.",
            "2,021 networks.",
        ),
        data=("proteins: nasbench import nas-bench-graph.",),
    ),
    "nasnet": SpaceCard(
        summary="Two cells, normal and reduction, of five blocks with two inputs and thirteen operations.",
        source="Zoph et al. 2018, NASNet; operations named as in the DARTS code.",
        notation="ours: op~state+op~state a block, & for side by side; blocks joined by |, cells by //",
        counts=("(2^5 x 720^2 x 13^10)^2 = 5.23e36 pairs of cells.",),
        data=("None comes along; trained live or into tables of your own.",),
        networks="the cells on the skeleton of DARTS; recipe digits-nasnet",
    ),
    "nb-asr": SpaceCard(
        summary="One cell of three nodes, each an operation on the node before and skip connections.",
        source="Mehrotra et al. 2021, NAS-Bench-ASR; its published code gives notation and classes.",
        notation="the lists of the authors, [operation, skips from node 0 on] a node",
        counts=("6^3 x 2^6 = 13,824 codes.", "8,242 classes, as the authors' code merges them."),
        data=("None comes along, and none is trained here: the networks are for speech.",),
    ),
    "nb-macro": SpaceCard(
        summary="Eight layers in three stages, each an identity or one of two inverted residual blocks.",
        source="Su et al. 2021, NAS-Bench-Macro; its published code gives the blocks.",
        notation="eight digits, one a layer: 0 identity, 1 three times wider 3x3, 2 six times wider 5x5",
        counts=(
            "3^8 = 6,561 codes.",
            "3,969 networks that differ: identities behind a first layer move freely.",
        ),
        data=("None comes along; trained live or into tables of your own.",),
        networks="the published network; recipe digits-nb-macro",
    ),
    "nats-size": SpaceCard(
        summary="The channels of the five layers of a fixed network, eight widths each.",
        source="Dong, Liu, Musial and Gabrys 2021, NATS-Bench, size space.",
        notation="the channels of the five layers, 8:16:24:32:40",
        counts=(
            "32,768 architectures.",
            "11,714 parameters at 8 channels everywhere, 713,674 at 64, for ten classes.",
        ),
        data=("NATS-Bench's own files come in with nasbench import nats.",),
        networks="the published network; recipes digits-nats-size, nats-size-90",
    ),
    "nb101": SpaceCard(
        summary="One cell: a graph of up to five operations and nine edges between an input and an output.",
        source="Ying et al. 2019, NAS-Bench-101; drawn and mutated as in the authors' notebook.",
        notation=(
            "the upper triangle of the matrix row by row and the operations, 110-01-1:conv3x3,maxpool3x3; or "
            "the whole matrix and all operations as in the official files, 0100 input,output"
        ),
        counts=(
            "423,624 cells that differ, 1, 6, 84, 2,441, 62,010 and 359,082 of 2 to 7 vertices.",
            "373,754,169 codes: matrices of seven vertices that are valid once pruned, with operations.",
        ),
        data=(
            "None comes along; the official nasbench_full.tfrecord (423,624 cells, 4, 12, 36 and 108 epochs, "
            "three trainings each) comes in by nasbench import nb101.",
        ),
        networks="the published network; recipes nb101-published and digits-nb101",
    ),
    **{
        f"nb1shot1-{number}": SpaceCard(
            summary=f"Cells of NAS-Bench-101 with {vertices} interior vertices of {inputs} inputs each.",
            source="Zela, Siems and Hutter 2020, NAS-Bench-1Shot1.",
            notation="as nb101, with all vertices of the space",
            counts=(
                f"{codes:,} codes; {loose:,} if operations of vertices that feed nothing do not count.",
                f"{chains:,} graphs with operations whose kept vertices lie all on one path.",
                f"{cells:,} cells of NAS-Bench-101.",
            ),
            data=("Results are those of the NAS-Bench-101 cell: nasbench import nb101 --one-shot.",),
            networks=f"those of nb101; recipe digits-nb1shot1-{number}",
        )
        for number, vertices, inputs, codes, loose, chains, cells in (
            (1, 4, "1, 2, 2, 2 and, at the output, 2", 14_580, 6_240, 2_487, 2_685),
            (2, 4, "1, 1, 2, 2 and, at the output, 3", 29_160, 16_632, 3_609, 7_773),
            (3, 5, "1, 1, 1, 2, 2 and, at the output, 2", 1_312_200, 363_648, 24_066, 55_854),
        )
    },
    "nb201": SpaceCard(
        summary="One cell of four nodes and six edges, each edge one of five operations.",
        source="Dong and Yang 2020, NAS-Bench-201; the topology space of NATS-Bench (Dong et al. 2021).",
        notation="the string of the authors, |op~0|+|op~0|op~1|+|op~0|op~1|op~2|, or six digits, one an edge",
        counts=("15,625 cells.", "6,466 classes under the zero-and-skip algebra of NATS-Bench."),
        data=(
            "nb201-cifar10, nb201-cifar100, nb201-imagenet16-120, digits-nb201 and fashion-nb201 come along.",
        ),
        networks="the published network; recipes nb201-h1, nb201-h0, digits-nb201 and others",
    ),
    "transnas-macro": SpaceCard(
        summary="Four to six modules of residual blocks; each may halve the image or double the channels.",
        source="Duan et al. 2021, TransNAS-Bench-101; its published code gives the blocks.",
        notation="64-MODULES-basic, a digit a module: 1 normal, 2 channels x2, 3 resolution / 2, 4 both",
        counts=("3,256 networks: 1 to 3 doublings, 1 to 4 halvings.",),
        data=("None comes along; trained live or into tables of your own.",),
        networks="the published network behind a stem for small images; recipe digits-transnas-macro",
    ),
    "transnas-micro": SpaceCard(
        summary="One cell of four nodes and six edges, each edge one of four operations.",
        source="Duan et al. 2021, TransNAS-Bench-101; its published code gives the operations.",
        notation="64-41414-CELL, a digit an edge, nodes joined by _: 0 none, 1 skip, 2 1x1, 3 3x3",
        counts=(
            "4^6 = 4,096 codes.",
            "1,948 networks that differ: useless edges removed, exchangeable nodes in one order.",
        ),
        data=("None comes along; trained live or into tables of your own.",),
        networks="the published network behind a stem for small images; recipe digits-transnas-micro",
    ),
}
"""Name of a registered space -> its card."""
