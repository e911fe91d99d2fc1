"""The colours of classes: those that are given, and those that all can tell apart."""

import colorsys

import numpy as np

from zoo.datasets import palette


def nearest(rgb):
    """The smallest distance of two colours, by the sight that sees it smallest."""
    look = palette.seen(rgb)
    gaps = np.linalg.norm(look[:, :, None] - look[:, None], axis=-1).min(axis=0)
    return (gaps + 9 * np.eye(len(rgb))).min()


def test_gray_looks_the_same_to_all_and_distances_are_those_of_oklab():
    gray = np.linspace(0, 1, 5)[:, None] * np.ones(3)
    look = palette.seen(gray)
    np.testing.assert_allclose(look, np.broadcast_to(look[0], look.shape), atol=2e-3)
    np.testing.assert_allclose(look[0, -1], [1, 0, 0], atol=1e-3)  # white, by definition
    np.testing.assert_allclose(look[0, 0], 0, atol=1e-6)
    red = palette.seen(np.array([[1.0, 0, 0]]))[0, 0]
    np.testing.assert_allclose(red, [0.62796, 0.22486, 0.12585], atol=1e-3)  # Ottosson's table


def test_classes_are_told_apart_whatever_the_sight():
    assert nearest(palette.colours(21)) > 0.07
    # Hues in equal steps are not told apart by those who lack one kind of cones.
    hues = np.array([colorsys.hsv_to_rgb(i / 20, 0.65, 1) for i in range(20)])
    assert nearest(hues) < 0.01


def test_given_colours_are_shown_and_names_stand_in_the_legend():
    classes = {"sky": (0, 0, 255), "road": (51, 51, 51)}
    rgb = palette.painted(np.array([[[0, 1, -1]]]), num_classes=2, classes=classes)
    np.testing.assert_allclose(rgb[0, 0], [[0, 0, 1], [0.2, 0.2, 0.2], [1, 1, 1]])
    assert list(palette.legend(2, classes=classes)) == ["sky", "road"]
    assert list(palette.legend(3)) == ["0", "1", "2"]


def test_there_are_colours_for_any_number_of_classes():
    assert palette.colours(1000).shape == (1000, 3)
    assert len(np.unique(palette.colours(200), axis=0)) == 200
