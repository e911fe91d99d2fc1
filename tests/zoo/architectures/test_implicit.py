"""Tests of implicit VAEs: their files, the moments of their codes, their weights and refusals."""

import keras
import numpy as np
import pytest

from keras_symvae import families, seeds, testing
from zoo import Implicit
from zoo.networks.basis_encoder import BasisEncoder
from zoo.networks.mlp import MLP


def pair_of(**options):
    return Implicit((3, 3, 1), **{"latent": 2, "noise": 3, "width": 4, **options})


VARIANTS = {
    "noise beside the image": {},
    "noise in a basis": {"basis": 2, "depth": 1, "likelihood": families.Normal((3, 3, 1))},
}


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS)
def test_implicit_pairs_answer_and_survive_files(options):
    pair = pair_of(**options)
    testing.run_pair_test(pair, {"x": pair.generate(4)["x"]})


@pytest.mark.parametrize("basis", [None, 2])
def test_convolutions_serve_both_encoders(basis):
    pair = Implicit((20, 24, 1), latent=2, noise=3, basis=basis, body="conv", width=4)
    x = pair.chain.dream(2, seed=seeds.make(0))["x"]
    assert x.shape == (2, 20, 24, 1)
    codes = [pair.chain.encode({"x": x}, seed=seeds.make(seed))["z"] for seed in (0, 1)]
    assert codes[0].shape == (2, 2) and np.all(codes[0] != codes[1])


def encoded(encoder, image, *, seed):
    """Returns images, noise and codes of one image again and again."""
    images = np.repeat(image[None], 20_000, axis=0)
    noise = np.random.default_rng(seed).normal(size=(len(images), 3, 4)).astype("float32")
    return images, noise, encoder([images, noise]).numpy()


def test_moments_of_a_basis_are_those_of_many_draws_for_every_image():
    """The batch that tells the moments holds other images: noise does not depend on them."""
    keras.utils.set_random_seed(0)
    encoder = BasisEncoder(MLP([8]), 2, basis=3, hidden=(16,))
    rng = np.random.default_rng(1)
    mixed = 2.0 * rng.normal(size=(20_000, 5)).astype("float32")
    encoder([mixed[:1], np.zeros((1, 3, 4), "float32")])
    found = encoder.moments([mixed, rng.normal(size=(20_000, 3, 4)).astype("float32")])
    spreads = []
    for index in range(3):
        *inputs, z = encoded(encoder, mixed[index], seed=index)
        mean, variance = (part[index].numpy() for part in found)
        np.testing.assert_allclose(z.mean(0), mean, atol=0.05)
        np.testing.assert_allclose(z.var(0), variance, rtol=0.1)
        exact, _ = encoder.moments(inputs)  # of the same noise
        np.testing.assert_allclose(z.mean(0), exact[0], atol=1e-4)
        spreads.append(variance)
    assert np.ptp(spreads, axis=0).min() > 0.05  # which depends on the image


def test_weights_of_a_basis_are_independent_and_keep_the_scale_of_their_inputs():
    keras.utils.set_random_seed(0)
    encoder = BasisEncoder(MLP([8]), 2, basis=16, hidden=(64, 64))
    encoder([np.zeros((1, 5)), np.zeros((1, 16, 10))])
    first, second, last = (layer.kernel.numpy() for layer in encoder.vectors)
    assert (first.shape, second.shape, last.shape) == ((16, 10, 64), (16, 64, 64), (16, 64, 2))
    for kernel in (first, second, last):
        np.testing.assert_allclose(kernel.var(), 1.0 / kernel.shape[1], rtol=0.1)
    assert np.abs(np.corrcoef(second.reshape(16, -1)) - np.eye(16)).max() < 0.1


def test_the_factor_tells_the_moments_of_a_basis_only():
    for basis in (None, 2):
        pair = pair_of(basis=basis)
        features = {"x": pair.families["x"].features(np.ones((5, 3, 3, 1)))}
        found = pair.encoder.factor("z").moments(features, 5, seeds.make(0))
        if basis is None:
            assert found is None
        else:
            assert [part.shape for part in found] == [(5, 2), (5, 2)]


REFUSED = {
    "image": ({"image_shape": (3, 3)}, r"\(height, width, channels\); received \(3, 3\)"),
    "latent": ({"latent": 0}, "latent is a positive integer; received 0"),
    "noise": ({"noise": (3,)}, "noise is a positive integer; received"),
    "basis": ({"basis": 0}, "basis is a positive integer; received 0"),
    "body": ({"body": "transformer"}, "body is one of mlp, conv; received 'transformer'"),
    "likelihood": ({"likelihood": "laplace"}, "likelihood is one of .* received 'laplace'"),
    "small": ({"body": "conv"}, "at least 20 that 4 divides; received 3"),
}


@pytest.mark.parametrize(("options", "match"), REFUSED.values(), ids=REFUSED)
def test_impossible_pairs_are_refused(options, match):
    options = {"image_shape": (3, 3, 1), **options}
    with pytest.raises(ValueError, match=match):
        Implicit(options.pop("image_shape"), **options)
