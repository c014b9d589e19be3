import numpy as np
import torch

from trainers.gradcam import gradcam


def test_channels_weigh_as_much_as_their_mean_gradient_and_the_largest_place_becomes_one() -> None:
    maps = torch.tensor([[[[1.0, 2.0], [0.0, 4.0]], [[1.0, 0.0], [3.0, 0.0]]]], requires_grad=True)
    # The gradient is 2 everywhere in the first channel and -1 everywhere in the second: weights 2 and -1.
    scalar = (2 * maps[:, 0] - maps[:, 1]).sum()
    # 2 * first - second = [[1, 4], [-3, 8]]; what is negative counts as 0; the whole over 8.
    np.testing.assert_allclose(gradcam(maps, scalar), [[0.125, 0.5], [0.0, 1.0]])


def test_the_mean_of_the_gradients_counts_and_not_where_they_are() -> None:
    maps = torch.ones(1, 1, 2, 2, requires_grad=True)
    np.testing.assert_allclose(gradcam(maps, 4 * maps[0, 0, 0, 0]), np.ones((2, 2)))


def test_a_map_that_only_speaks_against_the_answer_is_empty() -> None:
    maps = torch.ones(1, 3, 4, 5, requires_grad=True)
    heat = gradcam(maps, -maps.sum())
    assert heat.shape == (4, 5)
    assert not heat.any()
