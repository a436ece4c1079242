"""A stand-in for the program of NAS-Bench-101, which needs TensorFlow 1 and cannot be installed here.

Written by hand from the public description of what it does for each call, in plain Python and numpy: prune
the matrix, hash the module by MD5 over as many rounds as it has vertices, look the hash up in dictionaries,
copy what is found, draw one of three repeats, add up the time. None of its code is used.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import random
import struct
from pathlib import Path

import numpy as np

LABELS = {"conv3x3-bn-relu": 0, "conv1x1-bn-relu": 1, "maxpool3x3": 2}


def digest(text):
    return hashlib.md5(text.encode("utf-8")).hexdigest()


def module_hash(matrix, labels):
    n = len(labels)
    into, out_of = np.sum(matrix, axis=0).tolist(), np.sum(matrix, axis=1).tolist()
    hashes = [digest(str(vertex)) for vertex in zip(out_of, into, labels, strict=True)]
    for _ in range(n):
        following = []
        for v in range(n):
            sources = sorted(hashes[u] for u in range(n) if matrix[u, v])
            targets = sorted(hashes[w] for w in range(n) if matrix[v, w])
            following.append(digest("".join(sources) + "|" + "".join(targets) + "|" + hashes[v]))
        hashes = following
    return digest(str(sorted(hashes)))


class Spec:
    """A module, pruned when it is made."""

    def __init__(self, matrix, ops):
        self.original_matrix, self.original_ops = copy.deepcopy(np.array(matrix)), copy.deepcopy(ops)
        matrix = np.array(matrix)
        n = len(matrix)
        if not all(matrix[i, j] == 0 for i in range(n) for j in range(i + 1)):
            raise ValueError("matrix must be upper triangular")
        forward, backward = {0}, {n - 1}
        frontier = [0]
        while frontier:
            top = frontier.pop()
            for v in range(top + 1, n):
                if matrix[top, v] and v not in forward:
                    forward.add(v)
                    frontier.append(v)
        frontier = [n - 1]
        while frontier:
            top = frontier.pop()
            for v in range(top):
                if matrix[v, top] and v not in backward:
                    backward.add(v)
                    frontier.append(v)
        dropped = set(range(n)) - (forward & backward)
        self.valid_spec = len(dropped) <= n - 2
        self.matrix = np.delete(np.delete(matrix, list(dropped), axis=0), list(dropped), axis=1)
        self.ops = [op for v, op in enumerate(ops) if v not in dropped]

    def hash(self):
        return module_hash(self.matrix, [-1, *(LABELS[op] for op in self.ops[1:-1]), -2])


class Bench:
    """Dictionaries of everything, asked by hash."""

    def __init__(self, fixed, computed):
        self.fixed, self.computed = fixed, computed
        self.seconds, self.epochs = 0.0, 0

    def check(self, spec):
        n, edges = len(spec.ops), np.sum(spec.matrix)
        good = spec.valid_spec and n <= 7 and edges <= 9
        if not (
            good
            and spec.ops[0] == "input"
            and spec.ops[-1] == "output"
            and set(spec.ops[1:-1]) <= set(LABELS)
        ):
            raise ValueError("out of domain")

    def query(self, spec, epochs=108):
        self.check(spec)
        name = spec.hash()
        fixed, computed = copy.deepcopy(self.fixed[name]), copy.deepcopy(self.computed[name])
        one = computed[epochs][random.randint(0, 2)]
        data = {
            "module_adjacency": fixed["module_adjacency"],
            "module_operations": fixed["module_operations"],
            "trainable_parameters": fixed["trainable_parameters"],
            "training_time": one["final_training_time"],
            "train_accuracy": one["final_train_accuracy"],
            "validation_accuracy": one["final_validation_accuracy"],
            "test_accuracy": one["final_test_accuracy"],
        }
        self.seconds += data["training_time"]
        self.epochs += epochs
        return data


def load(path: Path):
    """Read a whole file into dictionaries, without looking at any check sum."""
    fixed, computed = {}, {}
    data = path.read_bytes()
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        name, epochs, raw, operations, metrics = json.loads(data[at + 12 : at + 12 + length])
        at += 16 + length
        evaluations, parameters = parse(base64.b64decode(metrics))
        if name not in fixed:
            n = int(np.sqrt(len(raw)))
            fixed[name] = {
                "module_adjacency": np.array([int(digit) for digit in raw], dtype=np.int8).reshape(n, n),
                "module_operations": operations.split(","),
                "trainable_parameters": parameters,
            }
            computed[name] = {}
        one = {}
        for when, (_, seconds, train, valid, test) in zip(("halfway", "final"), evaluations[1:], strict=True):
            one[f"{when}_training_time"] = seconds
            one[f"{when}_train_accuracy"] = train
            one[f"{when}_validation_accuracy"] = valid
            one[f"{when}_test_accuracy"] = test
        computed[name].setdefault(epochs, []).append(one)
    return fixed, computed


def parse(message):
    """Read the numbers of one message as the files lay it out."""
    evaluations = []
    at = 0
    while message[at] == 0x0A:
        start, end = at + 2, at + 2 + message[at + 1]
        evaluations.append([struct.unpack_from("<d", message, start + 1 + 9 * i)[0] for i in range(5)])
        at = end
    parameters = shift = 0
    at += 1
    while True:
        parameters |= (message[at] & 0x7F) << shift
        shift += 7
        at += 1
        if message[at - 1] < 0x80:
            return evaluations, parameters
