"""Tests of the experiment of four points: its measures where they are known, and what it shows."""

import dataclasses
import json
import math

import keras
import numpy as np
import pytest

from keras_symvae import Factor, Player
from scripts.experiments.four_points import experiment as four_points
from scripts.experiments.four_points.config import Config


class Halves:
    """A pair whose decoder lights the first pixel right of the axis, and the second left of it."""

    def __init__(self):
        families = four_points.pair_of().families
        factors = [Factor("z"), Factor("x", given="z", network=keras.layers.Dense(4))]
        self.decoder = Player(factors, families=families, name="decoder")
        kernel, bias = [[200.0, -200.0, 0.0, 0.0], [0.0] * 4], [0.0, 0.0, -30.0, -30.0]
        self.decoder.set_weights([np.array(kernel), np.array(bias)])


def test_likelihoods_are_those_of_a_decoder_that_halves_the_plane():
    found = four_points.log_likelihood(Halves())
    np.testing.assert_allclose(found[:2], -math.log(2.0), atol=0.01)
    assert found[2:].max() < -10.0


@pytest.mark.parametrize(("mean", "scale"), [(0.0, 1.0), (0.7, 1.0), (0.0, 0.7), (-0.3, 1.3)])
def test_divergence_of_gaussians(mean, scale):
    z = mean + scale * np.random.default_rng(0).normal(size=(400_000, 2))
    exact = scale**2 + mean**2 - 1.0 - 2.0 * math.log(scale)
    assert four_points.divergence_from_prior(z) == pytest.approx(exact, abs=0.01)


def test_codes_outside_of_the_square_count():
    z = np.random.default_rng(0).normal(size=(100_000, 2))
    z[:1000] = 50.0
    assert four_points.divergence_from_prior(z) > 0.05


@pytest.mark.slow
def test_the_experiment_from_training_to_picture(tmp_path):
    usual = Config().methods
    methods = {
        "vae": dataclasses.replace(usual["vae"], rates={"decoder": 5e-3, "encoder": 5e-3}),
        "avb-ac": dataclasses.replace(
            usual["avb-ac"],
            rates={"decoder": 5e-3, "encoder": 2e-3},
            critic_rate=5e-3,
            critic_steps=2,
        ),
    }
    small = Config(methods=methods, steps=400, batch_size=128, codes=2000)
    folder = tmp_path / "runs"
    experiment = four_points.FourPoints(folder, data="none", seeds=[0], config=small)
    table = experiment.make(tmp_path / "out").splitlines()
    assert [line.split(" | ")[0] for line in table[2:]] == ["| vae", "| avb-ac", "| best possible"]
    kept = json.loads((tmp_path / "out" / "four_points.json").read_text())
    for method in methods:
        found = kept[f"{method}-seed-0"]["found"]
        # Four pixels that are bright on their own a quarter of the time come to -2.25.
        assert -2.1 < found["log-likelihood"] < -math.log(4.0) + 0.01
        assert found["reconstruction"] < 1.0 and found["skipped"] == 0
    assert (tmp_path / "out" / "four_points.png").stat().st_size > 1000
