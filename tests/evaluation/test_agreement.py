"""Tests of the agreement of label maps against counting by hand."""

import numpy as np
import pytest

from keras_symvae.evaluation import agreement, overlaps


def test_agreement_of_four_pixels():
    truth = np.array([[[0, 0], [1, 1]]])
    maps = np.array([[[0, 1], [1, 1]]])
    # Class 0: one pixel of two; class 1: two of three.
    assert agreement(maps, truth) == pytest.approx(
        {"pixel_accuracy": 0.75, "mean_iou": (1 / 2 + 2 / 3) / 2}
    )


def test_equal_maps_agree_and_disjoint_ones_do_not():
    truth = np.arange(8).reshape(2, 2, 2) % 3
    assert agreement(truth, truth) == {"pixel_accuracy": 1.0, "mean_iou": 1.0}
    assert agreement((truth + 1) % 3, truth) == {"pixel_accuracy": 0.0, "mean_iou": 0.0}


def test_pixels_that_are_not_known_do_not_count():
    truth = np.array([[[0, -1]]])
    assert agreement(np.array([[[0, 5]]]), truth) == {"pixel_accuracy": 1.0, "mean_iou": 1.0}


def test_every_class_of_truth_has_its_overlap():
    truth, maps = np.array([[[0, 0], [3, -1]]]), np.array([[[0, 3], [3, 3]]])
    assert overlaps(maps, truth) == {0: 0.5, 3: 0.5}


def test_refusals():
    with pytest.raises(ValueError, match="must be the same"):
        agreement(np.zeros((1, 2, 2), int), np.zeros((1, 2, 3), int))
    with pytest.raises(ValueError, match="no known pixel"):
        agreement(np.zeros((1, 2, 2), int), np.full((1, 2, 2), -1))
