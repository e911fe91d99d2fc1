"""Tests of the U-Net: its weights counted by hand, what each output sees, files and refusals."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.networks.map_encoder import MapEncoder
from zoo.networks.unet import UNet

NETWORKS = {"filters": (4, 6, 8), "width": 5}
RNG = np.random.default_rng(0)


def normal(*shape):
    return tf.constant(RNG.normal(size=shape), tf.float32)


def conv(kernel, inputs, filters):
    return kernel * kernel * inputs * filters + filters


def dense(inputs, units):
    return inputs * units + units


def contraction(inputs):
    return conv(3, inputs, 4) + conv(3, 4, 6) + conv(3, 6, 8)


def test_weights_are_those_that_the_formula_says():
    unet, encoder = UNet((12, 8, 2), **NETWORKS), MapEncoder(7, **NETWORKS)
    assert unet([normal(1, 12, 8, 3), normal(1, 9)]).shape == (1, 12, 8, 2)
    assert encoder([normal(1, 12, 8, 1), normal(1, 12, 8, 3)]).shape == (1, 7)
    grid = 3 * 2 * 8
    up = 16 * 8 * 6 + 16 * 6 * 4
    skip = conv(3, 4, 4) + conv(3, 6, 6)
    code = 9 * (4 + 6 + 5)
    vector = dense(grid, 5) + dense(5, grid)
    assert unet.count_params() == contraction(3) + vector + up + skip + code + conv(3, 4, 2)
    assert encoder.count_params() == contraction(4) + dense(grid, 5) + dense(5, 7)


@pytest.mark.parametrize("shape", [(28, 28, 1), (28, 20, 3), (64, 48, 5), (128, 128, 2)])
def test_all_sides_that_the_resolutions_divide(shape):
    output = UNet(shape, **NETWORKS)([normal(2, *shape[:2], 3), normal(2, 9)])
    assert output.shape == (2, *shape) and np.all(np.isfinite(output))


def test_every_output_hears_the_code_and_the_whole_map():
    """The derivative of each output by the code, and by some corner of the map, is not zero."""
    unet = UNet((16, 12, 1), **{**NETWORKS, "activation": "tanh"})
    maps, code = normal(1, 16, 12, 2), normal(1, 3)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([maps, code])
        output = tf.reshape(unet([maps, code]), [-1])
    by_map, by_code = (tape.jacobian(output, value).numpy() for value in (maps, code))
    assert np.all(np.abs(by_code).max(axis=(1, 2)) > 0)
    assert np.all(np.abs(by_map).max(axis=(1, 4))[:, [0, 0, -1, -1], [0, -1, 0, -1]] > 0)


def test_without_the_vector_the_output_moves_with_the_map():
    """Convolutions and codes know no position: a shift by whole cells of the grid commutes."""
    unet = UNet((48, 48, 1), **NETWORKS)
    maps, code = normal(1, 48, 48, 2), normal(1, 3)
    unet([maps, code])
    unet.spread.kernel.assign(tf.zeros_like(unet.spread.kernel))
    shifted = unet([tf.roll(maps, [4, 8], [1, 2]), code])
    expected = tf.roll(unet([maps, code]), [4, 8], [1, 2])
    inside = np.s_[:, 20:-16, 20:-16]  # the borders are padded with zeros
    np.testing.assert_allclose(shifted[inside], expected[inside], atol=1e-5)
    assert np.ptp(expected[inside]) > 0.01


def test_a_loud_code_at_the_start():
    """Untrained, codes move the output about as much as maps do: neither drowns the other."""
    unet = UNet((28, 28, 1))
    maps, codes = normal(16, 28, 28, 11), tf.sign(normal(16, 32))
    unet([maps, codes])
    by_code = np.std(unet([tf.repeat(maps[:1], 16, 0), codes]), axis=0).mean()
    by_map = np.std(unet([maps, tf.repeat(codes[:1], 16, 0)]), axis=0).mean()
    assert 0.25 < by_code / by_map < 4


@pytest.mark.parametrize("network", [UNet((8, 8, 2), **NETWORKS), MapEncoder(7, **NETWORKS)])
def test_networks_survive_files(network, tmp_path):
    last = (3,) if isinstance(network, UNet) else (8, 8, 3)
    inputs = [keras.Input((8, 8, 2)), keras.Input(last)]
    model = keras.Model(inputs, network(inputs))
    model.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    values = [normal(3, 8, 8, 2), normal(3, *last)]
    np.testing.assert_array_equal(loaded(values), model(values))
    assert loaded.layers[-1].get_config() == network.get_config()


def test_sides_that_cannot_be_halved_are_refused():
    with pytest.raises(ValueError, match=r"3 resolutions need sides that 4 divides.*\[28, 30\]"):
        UNet((28, 30, 1), **NETWORKS)
