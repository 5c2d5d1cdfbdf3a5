"""What a training must know of a network: how to build it, show it examples, and judge it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from deepcams.sphere import Array
from deepcams.training.series import Numbers, Series, Split

Arrays = dict[str, NDArray[np.float32]]  # an example, as the objective takes it
Batch = dict[str, Tensor]  # examples one upon the other; each has "weights", whose sum the loss is divided by


class Judged(Protocol):
    """What is predicted of a whole held-out field or interval: the truth and its weights, of one shape."""

    @property
    def target(self) -> NDArray[np.float32]:
        """The truth, ug m-3."""

    @property
    def weights(self) -> NDArray[np.float32]:
        """Not negative; 0 where nothing is judged."""


E = TypeVar("E", bound=Judged)
Draw = Callable[[int, int], E]  # the example at a place in the batch of a step
Contender = Callable[[E], Array]  # what it predicts, of the target's shape


class Stage(ABC, Generic[E]):
    """One kind of network, with the settings of a training.

    A training holds a network, and its objective, which holds it too. It draws examples by number, in several threads;
    every step is one call of the objective with the arrays of some.

    Attributes:
        name: what the network does, ``spatial`` or ``temporal``: results are named for it.
        items: what validation counts, for people.
        purpose: what the network is for, for its card: a sentence.
        scope: what it is limited to, for its card.
        further: files that it learns from besides the gridded series.
        credits: whom these name as their source.
    """

    name: ClassVar[str]
    items: ClassVar[str]
    purpose: ClassVar[str]
    scope: str
    further: tuple[Path, ...] = ()
    credits: tuple[str, ...] = ()

    @abstractmethod
    def network(self) -> nn.Module:
        """A new network of the sizes that the configuration says, its weights drawn from torch's generator."""

    @abstractmethod
    def objective(self, network: nn.Module) -> nn.Module:
        """A module that holds the network, called as ``objective(batch, total)``: the loss, a scalar.

        ``total`` is the sum of the batch's weights over all processes, whose losses add up to the common one.
        """

    @abstractmethod
    def learned(self, series: Series, split: Split) -> Numbers:
        """The fields of a series that examples to learn from are of, or begin with."""

    @abstractmethod
    def judged(self, series: Series, split: Split) -> Numbers:
        """The fields of a series that are judged by, or begin what is."""

    @abstractmethod
    def drawing(self, windows: Mapping[str, Any]) -> Draw[E]:
        """What draws the examples to learn from, by number.

        Args:
            windows: the attributes of :class:`deepcams.training.windows.Windows` that all kinds of network share.

        Raises:
            InputError: if the series leave nothing to learn from.
        """

    @abstractmethod
    def arrays(self, example: E) -> Arrays:
        """An example as the objective takes it; called in several threads."""

    @abstractmethod
    def whole(self, series: Series, number: int, split: Split) -> E:
        """One of :meth:`judged`, on the whole grid."""

    @property
    @abstractmethod
    def baselines(self) -> Mapping[str, Contender[E]]:
        """What the network is to be better than."""

    @abstractmethod
    def contender(self, network: nn.Module) -> Contender[E]:
        """The network as it makes real results."""
