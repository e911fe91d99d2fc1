import math

import numpy as np
import pytest
from PIL import Image

from keras_symvae import pictures


def test_a_grid_shows_every_image_at_its_place():
    images = np.linspace(0.0, 1.0, 6)[:, None, None, None] * np.ones((6, 8, 8, 1))
    picture = pictures.grid(images, columns=4)
    side = pictures.MIN_SIDE + pictures.GAP
    assert picture.shape == (2 * side + pictures.GAP, 4 * side + pictures.GAP, 1)
    assert picture.dtype == np.uint8
    for index in range(6):
        top, left = (pictures.GAP + side * place for place in divmod(index, 4))
        cell = picture[top : top + pictures.MIN_SIDE, left : left + pictures.MIN_SIDE]
        np.testing.assert_array_equal(cell, 51 * index)


@pytest.mark.parametrize(("size", "shown"), [(8, 56), (28, 56), (30, 60), (64, 64)])
def test_small_images_are_magnified_by_a_whole_number(size, shown):
    assert pictures.grid(np.zeros((1, size, size, 3))).shape == (shown + 8, shown + 8, 3)


def test_what_lies_outside_the_range_of_pixels_is_clipped():
    picture = pictures.grid(np.float32([-3.0, 2.0, np.nan])[:, None, None, None])
    inside = picture[pictures.GAP + 1, pictures.GAP + 1 :: pictures.MIN_SIDE + pictures.GAP, 0]
    np.testing.assert_array_equal(inside, [0, 255, 0])


@pytest.mark.parametrize("shape", [(4, 8, 8), (0, 8, 8, 1), (4, 8, 8, 2)])
def test_what_is_no_image_is_refused(shape):
    with pytest.raises(ValueError, match=r"\[N, H, W, 1 or 3\]"):
        pictures.grid(np.zeros(shape))


@pytest.mark.parametrize("n", [1, 3, 4, 5])
def test_every_original_stands_above_its_answer(n):
    originals = np.linspace(0.1, 0.4, n)[:, None, None, None] * np.ones((n, 8, 8, 1))
    picture = pictures.pairs(originals, 1.0 - originals, columns=4)
    side = pictures.MIN_SIDE + pictures.GAP
    assert picture.shape[0] == math.ceil(n / 4) * 2 * side + pictures.GAP
    for index in range(n):
        row, column = divmod(index, 4)
        y, x = 2 * row * side + pictures.GAP, column * side + pictures.GAP
        assert picture[y, x, 0] < 128
        assert int(picture[y, x, 0]) + int(picture[y + side, x, 0]) == 255


@pytest.mark.parametrize("channels", [1, 3])
def test_a_saved_picture_is_read_back(tmp_path, channels):
    picture = pictures.grid(np.random.default_rng(0).random((5, 8, 8, channels)))
    pictures.save(tmp_path / "grid.png", picture)
    read = np.asarray(Image.open(tmp_path / "grid.png"))
    np.testing.assert_array_equal(read.reshape(picture.shape), picture)


@pytest.mark.parametrize("epochs", [1, 5])
def test_curves_bear_gaps_and_single_epochs(tmp_path, epochs):
    records = [
        {
            "step": 10 * epoch,
            "metrics": {
                "loss": 5.0,
                "decoder/x": None if epoch == 2 else 3.0 / epoch,
                "val_decoder/x": 3.5 / epoch,
                "encoder/z0": 2.0,
                "information/z0": 0.1 * epoch,
            },
        }
        for epoch in range(1, epochs + 1)
    ]
    pictures.curves(tmp_path / "curves.png", records)
    height, width, _ = np.asarray(Image.open(tmp_path / "curves.png")).shape
    assert width > 3 * height
