"""Tests of the ladder: its weights counted by hand, its levels, orders, bodies and refusals."""

import itertools

import numpy as np
import pytest

from keras_symvae import ELBO, SymmetricEquilibrium, families, testing
from zoo import PRESETS, Ladder


def dense(inputs, units):
    return inputs * units + units


def conv(kernel, inputs, filters):
    return kernel * kernel * inputs * filters + filters


def link(inputs, width, units, *, hidden=2):
    """Hidden layers, a linear output and a linear map without bias beside them."""
    return (
        dense(inputs, width)
        + (hidden - 1) * dense(width, width)
        + dense(width, units)
        + (inputs * units)
    )


def reader(width):
    """The official encoder's convolutions of a 28 x 28 image, down to a vector."""
    return (
        conv(3, 1, 32)
        + conv(2, 32, 32)
        + conv(3, 32, 64)
        + conv(3, 64, 64)
        + conv(3, 64, 64)
        + conv(3, 64, 128)
        + conv(4, 128, width)
    )


def painter(latents):
    """The official decoder's transposed convolutions, up to a 28 x 28 image."""
    return (
        conv(4, latents, 128)
        + conv(3, 128, 64)
        + conv(3, 64, 64)
        + conv(3, 64, 64)
        + conv(3, 64, 32)
        + conv(2, 32, 32)
        + conv(3, 32, 1)
    )


def mlp(inputs, width):
    return dense(inputs, width) + dense(width, width)


def heads(width, low, high):
    """a1 = Linear(h); a0 = Linear(MLP(h)) + Linear(a1) without bias."""
    return dense(width, high) + 2 * dense(width, width) + dense(width, low) + high * low


def block(channels):
    return 2 * conv(3, channels, channels)


def residual(*channels):
    """Blocks on every grid, and what leads from one to the next."""
    steps = sum(conv(4, *pair) for pair in itertools.pairwise(channels))
    return steps + sum(map(block, channels))


def colour(width, *, coarse):
    """p and q of 64 bits, 16 bits on each of `coarse` cells, and 8 on each of four times as many.

    Pixels of three channels have three locations, scales and slopes.
    """
    quarter, half = width // 4, width // 2
    decoder = dense(64, coarse * width) + block(width) + conv(3, width, 16)
    decoder += conv(1, 16, width) + block(width) + conv(3, width, 8)
    decoder += conv(3, 8, width) + residual(width, half, quarter) + conv(3, quarter, 9)
    encoder = conv(3, 3, quarter) + residual(quarter, half, width) + conv(3, width, 8)
    encoder += conv(3, 8, width) + residual(width, width) + conv(3, width, 16)
    encoder += conv(3, 16, width) + block(width) + dense(coarse * width, 64)
    return decoder, encoder


LADDER_PRESETS = {name for name, preset in PRESETS.items() if preset.model == "ladder"}
WEIGHTS = {  # preset: (decoder, encoder)
    "fashion_mnist_bits": (
        link(20, 200, 60) + mlp(60, 200) + dense(200, 784),
        mlp(784, 200) + dense(200, 60) + link(60, 200, 20, hidden=3),
    ),
    "digits_ladder": (
        link(10, 200, 40) + mlp(40, 200) + dense(200, 64),
        mlp(64, 200) + heads(200, 10, 40),
    ),
    "fashion_mnist_ladder": (
        link(30, 300, 100) + mlp(100, 300) + dense(300, 784),
        mlp(784, 300) + heads(300, 30, 100),
    ),
    "fashion_mnist_reverse": (
        link(30, 300, 100) + mlp(100, 300) + dense(300, 784),
        mlp(784, 300) + dense(300, 100) + link(100, 300, 30, hidden=3),
    ),
    "digits_gaussian": (
        mlp(8, 200) + dense(200, 64),
        mlp(64, 200) + dense(200, 2 * 8),
    ),
    "fashion_mnist_gaussian": (
        mlp(16, 300) + dense(300, 784),
        mlp(784, 300) + dense(300, 2 * 16),
    ),
    "mnist_ladder_paper": (
        link(30, 600, 100) + painter(100),
        reader(600) + heads(600, 30, 100),
    ),
    "mnist_reverse_paper": (
        link(30, 600, 100) + painter(100),
        reader(600) + dense(600, 100) + link(100, 600, 30, hidden=3),
    ),
    "fashion_mnist_ladder_paper": (
        link(50, 600, 200) + painter(200) + 1,  # and one standard deviation of all pixels
        reader(1000) + heads(1000, 50, 200),
    ),
    "cifar10_ladder": colour(64, coarse=16),
    "faces64_ladder": colour(48, coarse=64),
}


def test_the_table_holds_every_preset():
    assert WEIGHTS.keys() == LADDER_PRESETS


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", sorted(LADDER_PRESETS))
def test_presets_have_the_weights_that_the_layers_say(name):
    pair = PRESETS[name].pair()
    assert (pair.decoder.count_params(), pair.encoder.count_params()) == WEIGHTS[name]
    assert pair.count_params() == sum(WEIGHTS[name])
    image = pair.families["x"].shape
    values = pair.generate(2, output="mean")
    assert values["x"].shape == (2, *image)
    assert np.all((values["x"] >= -0.5) & (values["x"] <= 1.5))
    assert pair.reconstruct(np.zeros((2, *image)))["x"].shape == (2, *image)


def test_the_papers_weights_as_literals():
    assert WEIGHTS["mnist_ladder_paper"] == (
        # p(z1 | z0)
        (30 * 600 + 600) + (600 * 600 + 600) + (600 * 100 + 100) + 30 * 100
        # p(x | z1)
        + (16 * 100 * 128 + 128) + (9 * 128 * 64 + 64) + 2 * (9 * 64 * 64 + 64)
        + (9 * 64 * 32 + 32) + (4 * 32 * 32 + 32) + (9 * 32 * 1 + 1),
        # the convolutions
        (9 * 32 + 32) + (4 * 32 * 32 + 32) + (9 * 32 * 64 + 64) + 2 * (9 * 64 * 64 + 64)
        + (9 * 64 * 128 + 128) + (16 * 128 * 600 + 600)
        # a1 and a0
        + (600 * 100 + 100) + 2 * (600 * 600 + 600) + (600 * 30 + 30) + 100 * 30,
    )  # fmt: skip


LADDERS = {
    "one level": {"latents": (3,)},
    "three levels": {"latents": (2, 3, 4)},
    "four levels, reverse": {"latents": (2, 3, 4, 2), "order": "reverse"},
    "normal levels": {"latents": (families.Normal(2), families.Normal(3))},
    "labels": {"latents": (families.Categorical(2, num_classes=3), 4), "order": "reverse"},
    "labels in a ladder": {"latents": (4, families.Categorical(2, num_classes=3))},
    "mixed": {"latents": (families.Categorical((), num_classes=5), families.Normal((2, 2)), 3)},
    "normal image": {"likelihood": "normal"},
    "own likelihood": {"likelihood": families.Normal((3, 3, 1), scale=0.1)},
    "colour labels": {"likelihood": families.Categorical((3, 3, 1), num_classes=4)},
    "two widths": {"width": 3, "trunk_width": 5, "decoder_activation": "relu"},
}


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("options", LADDERS.values(), ids=LADDERS)
def test_ladders_of_all_kinds_play_both_games(options):
    pair = Ladder((3, 3, 1), **{"latents": (2, 3), "width": 4, **options})
    data = {"x": pair.generate(8)["x"]}
    levels = options.get("latents", (2, 3))
    assert pair.latent == tuple(f"z{index}" for index in range(len(levels)))
    order = pair.latent if options.get("order") != "reverse" else pair.latent[::-1]
    assert pair.encoder.names == order
    for game in (SymmetricEquilibrium, ELBO):
        learner = game(pair, nonfinite="raise")
        learner.compile("sgd", run_eagerly=True)
        before = pair.get_weights()
        learner.fit(data, batch_size=8, verbose=0)
        moved = zip(pair.weights, before, strict=True)
        assert all(np.any(weight.numpy() != old) for weight, old in moved)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", ["mixed", "two widths"])
def test_ladders_survive_files(name):
    pair = Ladder((3, 3, 1), **{"latents": (2, 3), "width": 4, **LADDERS[name]})
    testing.run_pair_test(pair, {"x": pair.generate(4)["x"]})


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("shape", [(20, 24, 1), (32, 20, 3)])
@pytest.mark.parametrize("likelihood", ["bernoulli", "normal"])
def test_convolutions_mirror_each_other(shape, likelihood):
    pair = Ladder(shape, latents=(2, 3), body="conv", width=4, likelihood=likelihood)
    values = pair.generate(2)
    assert values["x"].shape == (2, *shape)
    assert pair.encode(values["x"])["z1"].shape == (2, 3)


REFUSED = {
    "image": ({"image_shape": (28, 28)}, r"\(height, width, channels\); received \(28, 28\)"),
    "no image": ({"image_shape": None}, r"\(height, width, channels\); received None"),
    "half a pixel": ({"image_shape": (3, 2.5, 1)}, r"channels\); received \(3, 2\.5, 1\)"),
    "no level": ({"latents": ()}, "at least one latent level"),
    "a number in place of levels": ({"latents": 5}, r"list of levels, .*; received 5"),
    "half a bit": ({"latents": (2.5,)}, r"number of bits or a Family; received 2\.5"),
    "empty level": ({"latents": (0,)}, "positive integers"),
    "order": ({"order": "upwards"}, "order is one of .* received 'upwards'"),
    "body": ({"body": "transformer"}, "body is one of .* received 'transformer'"),
    "likelihood": ({"likelihood": "laplace"}, "likelihood is one of .* received 'laplace'"),
    "shape": ({"likelihood": families.Normal(9)}, r"does not have the shape \(3, 3, 1\)"),
    "small": ({"body": "conv"}, "at least 20 that 4 divides; received 3"),
    "odd": ({"body": "conv", "image_shape": (21, 20, 1)}, "received 21"),
}


@pytest.mark.parametrize(("options", "match"), REFUSED.values(), ids=REFUSED)
def test_impossible_ladders_are_refused(options, match):
    options = {"image_shape": (3, 3, 1), "latents": (2, 3), "width": 4, **options}
    with pytest.raises(ValueError, match=match):
        Ladder(options.pop("image_shape"), **options)


def test_a_config_of_before_there_was_a_prior_is_read():
    config = Ladder((3, 3, 1), latents=(2,), width=4).get_config()
    former = {key: value for key, value in config.items() if key != "prior"}
    assert Ladder.from_config(former).get_config() == config
