from __future__ import annotations

import pytest
import torch

from deepcams.temporal.reversal import reversal


@pytest.mark.parametrize("t", [1 / 3, 2 / 3])
def test_reversal_is_that_of_the_paper(t):
    """Formulas 1 and 2, node by node, with a spline for the Gaussian."""
    generator = torch.Generator().manual_seed(4)
    flows, trust = 1.5 * torch.randn(1, 4, 5, 6, generator=generator), torch.rand(1, 2, 5, 6, generator=generator)

    def near(distance):
        away = abs(distance)
        return 0.0 if away >= 1.5 else 0.75 - away**2 if away < 0.5 else (1.5 - away) ** 2 / 2

    def mean_at(row, column, of_before, of_after):
        """The mean flow, given what either end's flow is to be multiplied with."""
        total, weights = torch.zeros(2), 1e-4
        for end, (share, passed, factor) in enumerate(((1 - t, t, of_before), (t, 1 - t, of_after))):
            for y in range(5):
                for x in range(6):
                    u = flows[0, 2 * end : 2 * end + 2, y, x]
                    arrives = near(x + passed * u[0] - column) * near(y + passed * u[1] - row)
                    weight = share * trust[0, end, y, x] * arrives
                    total, weights = total + weight * factor * u, weights + weight
        return total / weights

    u = reversal(flows, trust, torch.tensor(t).reshape(1, 1, 1, 1))
    for row, column in ((0, 0), (2, 3), (4, 5), (1, 4)):
        to_before, to_after = mean_at(row, column, -t, t), mean_at(row, column, 1 - t, -(1 - t))
        torch.testing.assert_close(-t * u[0, :, row, column], to_before, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close((1 - t) * u[0, :, row, column], to_after, rtol=1e-4, atol=1e-5)


def test_one_flow_fills_the_holes_of_the_other():
    flows = torch.zeros(1, 4, 8, 40)
    flows[:, 0, :, 20:], flows[:, 2] = 20, -10  # the earlier end's flow runs apart: nothing of it arrives near 25
    u = reversal(flows, torch.full((1, 2, 8, 40), 0.5), torch.full((1, 1, 1, 1), 0.5))
    torch.testing.assert_close(u[0, 0, 4, 22:28], torch.full((6,), 10.0), rtol=1e-3, atol=0)
