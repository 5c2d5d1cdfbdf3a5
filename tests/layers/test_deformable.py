"""Deformable convolution against one written pixel by pixel, its gradients, and what the blocks made of it begin as."""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.nn import functional

from deepcams.errors import InputError
from deepcams.layers.blocks import widen
from deepcams.layers.deformable import DeformableAlignment, DeformableConv, deform_conv2d
from deepcams.layers.warp import warp

F64 = torch.float64


class Case(NamedTuple):
    """Sizes of one deformable convolution."""

    size: tuple[int, int] = (5, 6)
    kernel: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1  # of offsets
    conv_groups: int = 1
    batch: int = 1
    spread: float = 1.5  # pixels, of the offsets

    @property
    def shape(self):
        """Rows and columns of the result; less than one where the kernel does not fit."""
        each = zip(self.size, self.kernel, self.stride, self.padding, self.dilation, strict=True)
        return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in each)

    @property
    def options(self):
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}


CASES = [
    Case(),
    Case(stride=(2, 1), padding=(0, 2), batch=2),
    Case(dilation=(2, 1), padding=(2, 1), groups=2),
    Case(size=(6, 5), kernel=(1, 2), conv_groups=2, groups=2),
    Case(stride=(2, 3), dilation=(1, 2), groups=4, conv_groups=2, batch=2),
    Case(size=(1, 4), kernel=(1, 1), padding=(0, 0), spread=0.6),
    Case(spread=6.0),  # many far outside
]

cases = st.builds(
    Case,
    size=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    groups=st.sampled_from([1, 2, 4]),
    conv_groups=st.sampled_from([1, 2, 4]),
    batch=st.integers(1, 2),
    spread=st.sampled_from([0.3, 1.5, 8.0]),
).filter(lambda case: min(case.shape) > 0)


def made(case, seed=0, dtype=F64):
    """Random features, offsets, weight, mask and bias; no offset is nearer than 0.05 to a whole pixel, where kinks are."""
    generator = torch.Generator().manual_seed(seed)
    taps, channels, out = math.prod(case.kernel), 4, 4

    def draw(*shape):
        return torch.randn(shape, generator=generator, dtype=dtype)

    offsets = case.spread * draw(case.batch, 2 * case.groups * taps, *case.shape)
    whole = offsets.floor()
    offsets = whole + (offsets - whole).clamp(0.05, 0.95)
    return (
        draw(case.batch, channels, *case.size),
        offsets,
        draw(out, channels // case.conv_groups, *case.kernel),
        torch.sigmoid(draw(case.batch, case.groups * taps, *case.shape)),
        draw(out),
    )


def corners(y, x, size):
    """The up to four nodes around a position that exist: (row, column, weight, its derivative by y, by x)."""
    for row in (math.floor(y), math.floor(y) + 1):
        for column in (math.floor(x), math.floor(x) + 1):
            if 0 <= row < size[0] and 0 <= column < size[1]:
                south, east = (1 if row > y else -1), (1 if column > x else -1)
                down, along = 1 - abs(y - row), 1 - abs(x - column)
                yield row, column, down * along, south * along, east * down


def direct(case, features, offsets, weight, mask, bias, gradient=None):
    """The definition, one product at a time: the result, and the gradients of sum(gradient * result) if one is given."""
    out, taps = len(weight), math.prod(case.kernel)
    result = np.zeros((case.batch, out, *case.shape)) + bias[:, None, None]
    back = [np.zeros_like(one) for one in (features, offsets, weight, mask)]
    wide, share = features.shape[1] // case.groups, features.shape[1] // case.conv_groups
    each = np.ndindex(case.batch, *case.shape, out, share, *case.kernel)
    for b, i, j, o, part, p, q in each:
        channel = o // (out // case.conv_groups) * share + part
        tap = channel // wide * taps + p * case.kernel[1] + q
        y = i * case.stride[0] - case.padding[0] + p * case.dilation[0] + offsets[b, 2 * tap, i, j]
        x = j * case.stride[1] - case.padding[1] + q * case.dilation[1] + offsets[b, 2 * tap + 1, i, j]
        w, m = weight[o, part, p, q], mask[b, tap, i, j]
        g = 0.0 if gradient is None else gradient[b, o, i, j]
        for row, column, near, by_y, by_x in corners(y, x, case.size):
            value = features[b, channel, row, column]
            result[b, o, i, j] += w * m * near * value
            back[0][b, channel, row, column] += g * w * m * near
            back[1][b, 2 * tap, i, j] += g * w * m * by_y * value
            back[1][b, 2 * tap + 1, i, j] += g * w * m * by_x * value
            back[2][o, part, p, q] += g * m * near * value
            back[3][b, tap, i, j] += g * w * near * value
    return result, back


def check_against_the_definition(case, seed):
    tensors = [one.requires_grad_() for one in made(case, seed)]
    features, offsets, weight, mask, bias = tensors
    result = deform_conv2d(features, offsets, weight, mask=mask, bias=bias, **case.options)
    gradient = torch.randn(result.shape, generator=torch.Generator().manual_seed(seed), dtype=F64)
    expected, back = direct(case, *(one.detach().numpy() for one in tensors), gradient.numpy())
    np.testing.assert_allclose(result.detach().numpy(), expected, atol=1e-11)
    result.backward(gradient)
    for one, derivative in zip((features, offsets, weight, mask), back, strict=True):
        np.testing.assert_allclose(one.grad.numpy(), derivative, atol=1e-10)
    torch.testing.assert_close(bias.grad, gradient.sum((0, 2, 3)))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_result_and_gradients_are_those_of_the_definition(case):
    check_against_the_definition(case, seed=1)


@settings(deadline=None, max_examples=15)
@given(cases, st.integers(0, 1000))
def test_result_and_gradients_are_those_of_the_definition_for_any_sizes(case, seed):
    check_against_the_definition(case, seed)


SMALL = [
    Case(size=(3, 2), kernel=(2, 1), groups=2, conv_groups=2, padding=(1, 0)),
    Case(size=(4, 3), kernel=(2, 2), stride=(2, 1), dilation=(1, 2)),
    Case(size=(2, 2), kernel=(1, 1), padding=(0, 0), batch=2, groups=4),
]


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_gradients_are_those_of_finite_differences(case):
    def convolved(features, offsets, weight, mask, bias):
        return deform_conv2d(features, offsets, weight, mask=mask, bias=bias, **case.options)

    inputs = [one.requires_grad_() for one in made(case, seed=2)]
    assert torch.autograd.gradcheck(convolved, inputs)


@pytest.fixture(scope="module")
def operator():
    """The operator of torchvision, which is no dependency; a build of it for another torch fails with RuntimeError."""
    try:
        from torchvision.ops import deform_conv2d as one
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"torchvision does not import: {error}")
    return one


@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_the_operator_of_torchvision(operator, case, dtype):
    found = []
    for function in (operator, deform_conv2d):
        features, offsets, weight, mask, bias = tensors = [one.requires_grad_() for one in made(case, 3, dtype)]
        options = {"mask": mask, "stride": case.stride, "padding": case.padding, "dilation": case.dilation}
        result = function(features, offsets, weight, bias=bias, **options)
        without = function(features, offsets, weight, **options | {"mask": None})
        (result.sin().sum() + without.cos().sum()).backward()
        found.append([result, without, *(one.grad for one in tensors)])
    for expected, ours in zip(*found, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=2e-5 if dtype == torch.float32 else 1e-10)


@pytest.mark.parametrize("whole", [-2, -1, 0, 1, 2])
def test_whole_offsets_are_those_of_torchvision_with_their_gradients(operator, whole):
    """At the kinks, and at exactly one pixel beyond the edges."""
    found = []
    for function in (operator, deform_conv2d):
        features, offsets, weight, mask, _ = made(Case(size=(7, 11)), 4, torch.float32)
        offsets = torch.full_like(offsets, whole).requires_grad_()
        function(features, offsets, weight, mask=mask, padding=1).sin().sum().backward()
        found.append(offsets.grad)
    torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=2e-5)


@given(cases)
@settings(deadline=None, max_examples=25)
@example(Case(size=(241, 480), stride=(7, 7)))  # single precision suffices on a large grid
def test_without_offsets_it_is_a_convolution(case):
    features, offsets, weight, mask, bias = made(case, dtype=torch.float32)
    expected = functional.conv2d(features, weight, bias, **case.options, groups=case.conv_groups)
    nowhere = torch.zeros_like(offsets)
    for given_mask in (None, torch.ones_like(mask)):
        found = deform_conv2d(features, nowhere, weight, mask=given_mask, bias=bias, **case.options)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("south", "east"), [(0, 1), (-2, 0), (3, -1), (-1, 7)])
def test_whole_offsets_shift_a_convolution(south, east):
    features, offsets, weight, *_ = made(Case(size=(8, 6)))
    offsets[:, 0::2], offsets[:, 1::2] = south, east
    wide = functional.pad(features, (9, 9, 9, 9))
    rows, columns = slice(9 + south - 1, 9 + south + 9), slice(9 + east - 1, 9 + east + 7)
    expected = functional.conv2d(wide[..., rows, columns], weight)
    torch.testing.assert_close(deform_conv2d(features, offsets, weight, padding=1), expected)


@pytest.mark.parametrize("position", [-3.0, -1.0, -0.25, 0.0, 1.5, 3.0, 3.75, 4.0, 5.5, 1e30, math.inf, -math.inf])
def test_beyond_the_edge_only_corners_inside_count(position):
    features = torch.tensor([2.0, 3.0, 5.0, 7.0]).reshape(1, 1, 1, 4)
    offsets = torch.tensor([0.0, position]).reshape(1, 2, 1, 1)
    found = deform_conv2d(features, offsets, torch.ones(1, 1, 1, 1), stride=4)
    beyond = np.interp(position, np.arange(-1, 5), [0, 2, 3, 5, 7, 0], left=0, right=0)
    assert found.item() == pytest.approx(beyond)


@pytest.mark.parametrize("size", [(3, 4), (5, 7), (241, 480)])
def test_places_on_nodes_are_exact_in_single_precision(size):
    """Bit for bit, and the gradient is from the greater side everywhere, not from where rounding falls."""
    columns = torch.arange(size[1], dtype=torch.float32).expand(1, 1, *size)
    features = columns.square()
    offsets = torch.zeros(1, 2, *size, requires_grad=True)
    found = deform_conv2d(features, offsets, torch.ones(1, 1, 1, 1))
    assert torch.equal(found, features)
    found.sum().backward()
    greater = functional.pad(features, (0, 1))[..., 1:] - features
    torch.testing.assert_close(offsets.grad[:, 1:], greater, rtol=1e-5, atol=1e-4)


def test_nan_stays_where_it_is_seen():
    features, offsets, weight, *_ = made(Case(size=(9, 9)))
    features[0, 0, 4, 4] = math.nan
    found = deform_conv2d(features, torch.zeros_like(offsets), weight, padding=1).isnan().any(1)[0]
    assert found[3:6, 3:6].all()
    assert not found[:2].any()
    assert not found[7:].any()


def test_half_precision_gives_half_precision():
    case = Case(size=(9, 200), groups=2)
    features, offsets, weight, mask, bias = (one.bfloat16() for one in made(case))
    found = deform_conv2d(features, offsets, weight, mask=mask, bias=bias, padding=1)
    exact = deform_conv2d(*(one.double() for one in (features, offsets, weight)), mask=mask.double(), bias=bias.double(),
                          padding=1)  # fmt: skip
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.double(), exact, rtol=0.05, atol=0.2)
    mixed = deform_conv2d(features.float(), offsets.double(), weight.float(), padding=1)
    assert mixed.dtype == torch.float32


def test_gradients_keep_no_more_than_a_tap():
    """What is kept for the gradient does not grow with channels times taps."""
    features, offsets, weight, mask, _ = (one.requires_grad_() for one in made(Case(size=(16, 16))))
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda one: kept.append(one) or one, lambda one: one):
        deform_conv2d(features, offsets, weight, mask=mask, padding=1)
    distinct = {one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in kept}
    given_bytes = sum(one.nbytes for one in (features, offsets, weight, mask))
    assert sum(distinct.values()) < given_bytes + 4 * features.nbytes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"offsets": torch.zeros(1, 17, 5, 6)}, r"offsets of shape \(1, 17, 5, 6\): wanted \(1, 18, 5, 6\)"),
        ({"offsets": torch.zeros(1, 18, 5, 5)}, r"wanted \(1, 18, 5, 6\)"),
        ({"offsets": torch.zeros(1, 54, 5, 6)}, "4 input channels are not a multiple of 3"),
        ({"mask": torch.zeros(1, 18, 5, 6)}, r"mask of shape \(1, 18, 5, 6\): wanted \(1, 9, 5, 6\)"),
        ({"weight": torch.zeros(4, 3, 3, 3)}, "4 input channels are not a multiple of 3"),
        ({"dilation": (1, 4)}, "6 rows or columns with 1 of padding: too few for 3 taps that stand 4 apart"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(changes, words):
    features, offsets, weight, mask, _ = made(Case(), dtype=torch.float32)
    given_all = {"offsets": offsets, "weight": weight, "mask": mask, "padding": 1} | changes
    with pytest.raises(InputError, match=words):
        deform_conv2d(features, **given_all)


@pytest.mark.parametrize("sizes", [(4, 6, 2), (4, 6, 3, 3)])
def test_blocks_of_other_sizes_are_refused(sizes):
    with pytest.raises(InputError, match="wanted an odd kernel and whole groups"):
        DeformableConv(*sizes)
    with pytest.raises(InputError, match="6 channels in 4 groups"):
        DeformableAlignment(6, groups=4)


@pytest.mark.parametrize(("kernel", "groups", "dilation"), [(1, 1, 1), (3, 2, 1), (3, 1, 2), (5, 4, 1)])
def test_a_new_block_is_an_ordinary_convolution(kernel, groups, dilation):
    torch.manual_seed(0)
    block = DeformableConv(4, 6, kernel, groups, guide=3, dilation=dilation)
    features, guide = torch.randn(2, 4, 9, 8), torch.randn(2, 3, 9, 8)
    for wraps in (False, True):
        wide = widen(features, dilation * (kernel // 2), wraps=wraps)
        expected = functional.conv2d(wide, block.convolution.weight, block.convolution.bias, dilation=dilation)
        torch.testing.assert_close(block(features, guide, wraps=wraps), expected, rtol=1e-4, atol=1e-5)


def test_a_displacement_moves_all_taps():
    torch.manual_seed(0)
    block = DeformableConv(4, 6, groups=2)
    features = torch.randn(1, 4, 12, 14)
    u = torch.zeros(1, 2, 12, 14)
    u[:, 0], u[:, 1] = 3, -2
    found, still = block(features, features, u), block(features, features)
    torch.testing.assert_close(found[..., 4:, :-5], still[..., 2:-2, 3:-2], rtol=1e-4, atol=1e-5)


def disturbed(block, size):
    """The block with a predictor that says much."""
    torch.manual_seed(5)
    for name, parameter in block.named_parameters():
        if "predictor" in name:
            torch.nn.init.normal_(parameter, std=size)
    return block


def test_learned_offsets_stay_within_reach():
    """Whatever is predicted: a result depends on nothing farther away than a tap moves."""
    block = disturbed(DeformableAlignment(4, groups=2, reach=2.0), 3.0)
    reference, other = torch.randn(2, 1, 4, 15, 15)
    changed = other.clone()
    far = torch.ones(15, 15, dtype=torch.bool)
    far[4:11, 4:11] = False  # a tap stands one pixel away and moves by two; three convolutions say where to
    changed[..., far] += 10
    found, after = block(reference, other), block(reference, changed)
    assert torch.equal(found[..., 7, 7], after[..., 7, 7])
    assert not torch.equal(found, after)


def test_a_new_alignment_changes_nothing():
    reference, other = torch.randn(2, 2, 16, 7, 9)
    found = DeformableAlignment(16)(reference, other)
    torch.testing.assert_close(found, other, rtol=0, atol=1e-6)
    still = DeformableAlignment(16)(reference, other, torch.zeros(2, 2, 7, 9))
    torch.testing.assert_close(still, other, rtol=0, atol=1e-6)


def test_offsets_are_predicted_from_what_the_displacement_carried():
    """Another time that only stands elsewhere, by a known displacement, is aligned as if it stood here."""
    block = disturbed(DeformableAlignment(4, groups=2, reach=2.0), 3.0)
    reference, other = torch.randn(2, 1, 4, 20, 20)
    u = torch.tensor([-2.0, 3.0]).reshape(1, 2, 1, 1).expand(1, 2, 20, 20)
    found = block(reference, torch.roll(other, (3, -2), (2, 3)), u)
    inside = (..., slice(7, -7), slice(7, -7))
    torch.testing.assert_close(found[inside], block(reference, other)[inside], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("east", "south"), [(2, 0), (0, -3), (-1, 4)])
def test_a_known_displacement_brings_back_the_features(east, south):
    """What is here in the reference stands in the other as far away as the displacement says."""
    reference = torch.randn(1, 8, 14, 16)
    other = torch.roll(reference, (south, east), (2, 3))
    u = torch.tensor([east, south]).float().reshape(1, 2, 1, 1).expand(1, 2, 14, 16)
    inside = (..., slice(4, -4), slice(4, -4))
    found = DeformableAlignment(8)(reference, other, u)
    torch.testing.assert_close(found[inside], reference[inside], rtol=0, atol=1e-6)


@pytest.mark.parametrize("wraps", [False, True])
@pytest.mark.parametrize("spread", [0.7, 9.0, 60.0])
def test_a_new_alignment_is_the_warp(spread, wraps):
    """Also where it looks far beyond the edges, and with the same gradients."""
    generator = torch.Generator().manual_seed(6)
    other = torch.randn(2, 8, 14, 16, generator=generator)
    u = spread * torch.randn(2, 2, 14, 16, generator=generator)
    found = []
    for bring in (warp, partial(DeformableAlignment(8), other)):
        given_both = [one.clone().requires_grad_() for one in (other, u)]
        result = bring(*given_both, wraps=wraps)
        result.sin().sum().backward()
        found.append([result, *(one.grad for one in given_both)])
    for expected, ours in zip(*found, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-3)


def test_turned_columns_turn_the_alignment():
    block = disturbed(DeformableAlignment(4, groups=2), 0.5)
    torch.nn.init.normal_(block.fetch.convolution.weight)
    reference, other = torch.randn(2, 1, 4, 12, 20)
    u = 5 * torch.randn(1, 2, 12, 20)
    turned = block(*(one.roll(7, -1) for one in (reference, other, u)), wraps=True)
    torch.testing.assert_close(turned, block(reference, other, u, wraps=True).roll(7, -1), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("wraps", [False, True])
def test_even_features_stay_even(wraps):
    block = disturbed(DeformableAlignment(4, groups=2), 0.5)
    torch.nn.init.normal_(block.fetch.convolution.weight)
    reference, other = torch.randn(2, 1, 4, 1, 1).expand(2, 1, 4, 9, 10)
    u = torch.tensor([30.0, -4.5]).reshape(1, 2, 1, 1).expand(1, 2, 9, 10)
    found = block(reference, other, u, wraps=wraps)
    torch.testing.assert_close(found, found[..., :1, :1].expand_as(found), rtol=1e-4, atol=1e-5)


def test_a_displacement_in_parts_of_pixels_is_linear():
    other = torch.arange(10.0).expand(1, 1, 6, 10) + 100 * torch.arange(6.0)[:, None]
    u = torch.tensor([0.25, -0.5]).reshape(1, 2, 1, 1).expand(1, 2, 6, 10)
    found = DeformableAlignment(1, groups=1)(other, other, u)
    torch.testing.assert_close(found[..., 1:, :-1], (other + 0.25 - 50)[..., 1:, :-1])


def waves(phase, shift):
    """(batch, 8, 16, 16) smooth features that stand shifted eastwards and southwards by parts of a pixel."""
    generator = torch.Generator().manual_seed(7)
    number = torch.rand(8, 2, generator=generator) * 0.8 + 0.2
    rows, columns = torch.meshgrid(torch.arange(16.0) - shift[1], torch.arange(16.0) - shift[0], indexing="ij")
    return torch.sin(number[:, :1, None] * rows + number[:, 1:, None] * columns + phase[:, None, None, None])


@pytest.mark.parametrize("shift", [(0.4, -0.7), (-1.3, 0.6)])
def test_an_alignment_learns_a_shift(shift):
    torch.manual_seed(0)
    block = DeformableAlignment(8, groups=2)
    optimiser = torch.optim.Adam(block.parameters(), lr=5e-3)
    inside = (..., slice(3, -3), slice(3, -3))

    def error(phase):
        reference = waves(phase, (0.0, 0.0))
        return functional.mse_loss(block(reference, waves(phase, shift))[inside], reference[inside])

    unseen = torch.linspace(0, 6, 5)
    with torch.no_grad():
        before = error(unseen).item()
    for _ in range(60):
        optimiser.zero_grad()
        error(6.28 * torch.rand(4)).backward()
        optimiser.step()
    with torch.no_grad():
        assert error(unseen).item() < 0.05 * before


def test_an_alignment_learns_offsets_alone():
    """With its kernel kept the identity, only displacements can bring the features together."""
    torch.manual_seed(0)
    block, shift = DeformableAlignment(8, groups=2), (0.4, -0.7)
    block.fetch.convolution.requires_grad_(False)
    optimiser = torch.optim.Adam(block.fetch.predictor.parameters(), lr=2e-2)
    reference, other = (waves(torch.linspace(0, 5, 4), one) for one in ((0.0, 0.0), shift))
    for _ in range(60):
        optimiser.zero_grad()
        functional.mse_loss(block(reference, other)[..., 3:-3, 3:-3], reference[..., 3:-3, 3:-3]).backward()
        optimiser.step()
    with torch.no_grad():
        carried = torch.cat([reference, other], 1)
        centre = block.fetch.predictor(block.compare(carried))[:, [8, 9, 26, 27]]  # the middle taps of both groups
    found = (8.0 * torch.tanh(centre / 8.0))[..., 3:-3, 3:-3].mean((0, 2, 3))
    torch.testing.assert_close(found, torch.tensor([shift[1], shift[0]] * 2), rtol=0, atol=0.15)


def test_a_displacement_is_learned_through_the_alignment():
    """A flow that is too short gets a gradient towards the right one."""
    reference = waves(torch.zeros(1), (0.0, 0.0))
    other = waves(torch.zeros(1), (1.5, 0.0))
    u = torch.zeros(1, 2, 16, 16)
    u[:, 0] = 1.2
    u.requires_grad_()
    aligned = DeformableAlignment(8, groups=2)(reference, other, u)
    functional.mse_loss(aligned[..., 3:-3, 3:-3], reference[..., 3:-3, 3:-3]).backward()
    assert u.grad[:, 0].mean() < 0
