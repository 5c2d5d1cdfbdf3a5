"""Attention between the features of two layers: every place looks at every other (non-local block, Wang et al., CVPR 2018).

It serves as the spatial attention block of Liu et al. (ICCV Workshops 2019, arXiv 1910.04476): queries from the features
of one layer, keys and values from those of another, and a residual. The matrix of all pairs of places is never made:
PyTorch's fused kernel (Dao et al., NeurIPS 2022) goes through it block by block.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class SpatialAttention(nn.Module):
    """x + softmax(q(x) k(y)' / sqrt(channels)) v(y), with one softmax for each place over all places.

    It has no bias: where both features are zero, so is the result.

    Args:
        channels: of both features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Linear(channels, channels, bias=False)
        self.key_value = nn.Linear(channels, 2 * channels, bias=False)

    def forward(self, features: Tensor, context: Tensor) -> Tensor:
        """What the features become once they have looked at their context.

        Args:
            features: (batch, channels, rows, columns).
            context: of the same shape.

        Returns:
            The same shape.
        """
        places, seen = _tokens(features), _tokens(context)
        keys, values = self.key_value(seen).chunk(2, dim=-1)
        # One head. The fused kernel wants a last axis without gaps, which a linear layer gives.
        found = functional.scaled_dot_product_attention(
            self.query(places)[:, None], keys[:, None], values[:, None]
        ).squeeze(1)
        return features + found.transpose(1, 2).reshape(features.shape)


def _tokens(features: Tensor) -> Tensor:
    """(batch, rows x columns, channels)."""
    return torch.flatten(features, 2).transpose(1, 2)
