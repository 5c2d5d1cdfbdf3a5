"""Threads: results in order, never many ahead, and errors where they belong."""

import os
import threading

import pytest

from deepcams.threads import in_order, processors


def test_the_processors_that_may_be_used():
    assert 1 <= processors() <= (os.cpu_count() or 1)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_order_and_only_a_few_items_are_taken_ahead(threads):
    taken = []

    def items():
        for number in range(40):
            taken.append(number)
            yield number

    for number, made in enumerate(in_order(lambda one: one * one, items(), threads)):
        assert made == number**2
        assert len(taken) <= number + threads + 1


def test_an_error_comes_in_its_turn_and_ends_the_threads():
    before = threading.active_count()

    def work(number):
        return 1 // (3 - number)

    made = in_order(work, range(100), 2)
    assert [next(made) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(made)
    assert threading.active_count() == before
