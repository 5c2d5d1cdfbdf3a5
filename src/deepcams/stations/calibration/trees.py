"""LightGBM's text of trees, brought into one form that the library is given nothing else than.

The library trusts what it reads: a number out of place and the process is gone. So trees are read here, looked through, and
written again in the least form that it takes (no gains, counts and settings, which say how many threads there were); a file
is taken only if it is in exactly this form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError

_MOST_LEAVES = 4096
_MOST_TREES = 10_000
_LARGEST = 1e6  # of a leaf's value, a logarithm
_TREE = re.compile(r"^Tree=\d+$", re.MULTILINE)
_PLAIN = {0, 2, 8, 10}  # decision types: numerical, missing as zero or not, NaN to either side
_END = "end of trees\n"

_Floats = NDArray[np.float64]
_Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Tree:
    """A tree of n leaves.

    Attributes:
        values: (n,) of the leaves.
        feature: (n - 1,) that each node splits.
        threshold: (n - 1,) to the left up to it.
        kind: (n - 1,) LightGBM's decision type.
        left: (n - 1,) the node there, or a leaf k as -1 - k.
        right: (n - 1,) the same.
    """

    values: _Floats
    feature: _Integers
    threshold: _Floats
    kind: _Integers
    left: _Integers
    right: _Integers

    def is_sound(self, features: int) -> bool:
        """Whether its numbers are as many as they should be, and point to features and nodes that there are."""
        leaves = self.values.size
        splits = self.feature, self.threshold, self.kind, self.left, self.right
        if not 1 <= leaves <= _MOST_LEAVES or {one.size for one in splits} != {leaves - 1}:
            return False
        if not (np.abs(self.values) <= _LARGEST).all() or np.isnan(self.threshold).any():
            return False
        named = ((self.feature >= 0) & (self.feature < features)).all() and set(self.kind.tolist()) <= _PLAIN
        return bool(named) and self._is_connected()

    def _is_connected(self) -> bool:
        """Whether children are all other nodes and all leaves, once each, and none above its parent."""
        leaves = self.values.size
        children = np.concatenate([self.left, self.right])
        parents = np.tile(np.arange(leaves - 1), 2)
        every = np.concatenate([np.arange(-leaves, 0), np.arange(1, leaves - 1)]) if leaves > 1 else np.arange(0)
        below = parents[children >= 0] < children[children >= 0]
        return bool((np.sort(children) == every).all() and below.all())

    def text(self, number: int) -> str:
        """As LightGBM reads it."""
        lines = [f"Tree={number}", f"num_leaves={self.values.size}", "num_cat=0"]
        if self.values.size > 1:
            splits = {"split_feature": self.feature, "threshold": self.threshold, "decision_type": self.kind,
                      "left_child": self.left, "right_child": self.right}  # fmt: skip
            lines += [f"{name}={_joined(numbers)}" for name, numbers in splits.items()]
        lines += [f"leaf_value={_joined(self.values)}", "is_linear=0", "shrinkage=1"]
        return "\n".join(lines) + "\n\n\n"


def plain_trees(text: str, features: int) -> str:
    """LightGBM's text of regression trees in the form that is kept.

    Raises:
        InputError: if it has no such trees, or they are damaged.
    """
    head, *bodies = _TREE.split(text.split(_END)[0])
    if not 1 <= len(bodies) <= _MOST_TREES:
        raise InputError("has no trees in it")
    said = _keys(head)
    if (said.get("max_feature_idx"), said.get("objective")) != (str(features - 1), "regression"):
        raise InputError(f"its trees are not of a regression on {features} features")
    trees = [_read(number, body, features).text(number) for number, body in enumerate(bodies)]
    names = " ".join(f"f{k}" for k in range(features))
    infos = " ".join(["[-inf:inf]"] * features)
    sizes = " ".join(str(len(tree)) for tree in trees)
    return (
        f"tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx={features - 1}\n"
        f"objective=regression\nfeature_names={names}\nfeature_infos={infos}\ntree_sizes={sizes}\n\n{''.join(trees)}{_END}"
    )


def check_trees(text: str, features: int) -> None:
    """Refuse a text that is not, to the letter, as :func:`plain_trees` gives it.

    Raises:
        InputError: for any other.
    """
    if not text.isascii() or plain_trees(text, features) != text:
        raise InputError("its trees are not as they were saved")


def _read(number: int, body: str, features: int) -> _Tree:
    keys = _keys(body)
    try:
        values = _floats(keys["leaf_value"])
        whole = [
            _integers(keys.get(name, "")) for name in ("split_feature", "decision_type", "left_child", "right_child")
        ]
        threshold = _floats(keys.get("threshold", ""))
    except (KeyError, ValueError, OverflowError):
        raise InputError(f"its tree {number} is damaged") from None
    tree = _Tree(values, whole[0], threshold, *whole[1:])
    if not tree.is_sound(features) or keys.get("num_cat", "0") != "0" or keys.get("is_linear", "0") != "0":
        raise InputError(f"its tree {number} is damaged")
    return tree


def _keys(text: str) -> dict[str, str]:
    parts = [line.partition("=") for line in text.split("\n") if "=" in line]
    return {name: value for name, _, value in parts}


def _joined(numbers: NDArray[Any]) -> str:
    return " ".join(repr(one) for one in numbers.tolist())


def _floats(text: str) -> _Floats:
    return np.array([float(one) for one in text.split()], np.float64)


def _integers(text: str) -> _Integers:
    return np.array([int(one) for one in text.split()], np.int64)
