"""Tests of the experiment of mixtures: its data, its counts, and a small version of all of it."""

import dataclasses
import json
import math

import numpy as np
import pytest

from keras_symvae import seeds
from scripts.experiments.plane_mixtures import experiment as plane_mixtures
from scripts.experiments.plane_mixtures.config import Config
from scripts.experiments.plane_mixtures.experiment import PlaneMixtures, centres, covered, ring
from scripts.experiments.plane_mixtures.recipes import Method

DATA = ring(20_000, seeds.make(0))["x"].numpy()


def test_data_are_eight_gaussians_on_a_ring():
    mode, distance = plane_mixtures.nearest(DATA)
    np.testing.assert_allclose(np.bincount(mode) / len(DATA), 1.0 / 8.0, atol=0.01)
    for index, centre in enumerate(centres()):
        own = DATA[mode == index]
        assert np.linalg.norm(centre) == pytest.approx(2.0, rel=1e-6)
        np.testing.assert_allclose(own.mean(0), centre, atol=0.01)
        np.testing.assert_allclose(np.cov(own.T), 0.01 * np.eye(2), atol=1e-3)
    # The squared distance is exponential with mean 2.
    assert np.mean(distance < 3.0) == pytest.approx(1.0 - math.exp(-4.5), abs=0.003)


def test_modes_count_from_a_quarter_of_their_share():
    assert covered(DATA) == {"modes": 8.0, "near": pytest.approx(1.0 - math.exp(-4.5), abs=0.003)}
    half = DATA[plane_mixtures.nearest(DATA)[0] < 4]
    assert covered(half)["modes"] == 4.0
    for kept, modes in ((0.2, 7.0), (0.35, 8.0)):  # of one mode
        rare = plane_mixtures.nearest(DATA)[0] == 3
        rare &= np.random.default_rng(0).random(len(DATA)) > kept
        assert covered(DATA[~rare])["modes"] == modes
    circle = np.random.default_rng(0).uniform(-math.pi, math.pi, 20_000)
    found = covered(2.0 * np.stack([np.cos(circle), np.sin(circle)], axis=1))
    # On the ring itself an arc of .3 to either side of each mode is near, of pi / 4 * 2 in all.
    assert found == {"modes": 8.0, "near": pytest.approx(8 * 0.6 / (4 * math.pi), abs=0.02)}
    assert covered(1.5 * DATA) == {"modes": 0.0, "near": pytest.approx(0.0, abs=1e-3)}


@pytest.mark.slow
def test_a_small_version_from_settings_to_table(tmp_path):
    method = Method(
        "as_vae",
        steps=200,
        warm=20,
        batch_size=64,
        width=32,
        critic_width=16,
        rate=5e-3,
        options={"reconstruction": 1.0},
    )
    small = dataclasses.replace(Config(), methods={"as_vae": method}, samples=500)
    experiment = PlaneMixtures(tmp_path / "runs", data="ring", seeds=[0], config=small)
    table = experiment.make(tmp_path / "out")
    assert table.splitlines()[2].startswith("| as_vae | ")
    kept = json.loads((tmp_path / "out" / "plane_mixtures.json").read_text())
    found = kept["as_vae-seed-0"]["found"]
    assert np.isfinite([*found.values()]).all()
    assert found["reconstruction"] < 1.0  # that of their mean: a little over 2
    assert (tmp_path / "out" / "plane_mixtures.png").stat().st_size > 1000


def test_the_likelihood_of_a_gaussian():
    settings = dataclasses.asdict(Method("elbo", scale=0.5))
    pair = plane_mixtures.pair_of(settings)
    for weight in pair.decoder.weights:
        weight.assign(0.0 * weight)  # x ~ N(0, 1/4), whatever z is
    x = np.random.default_rng(0).normal(size=(50, 2)).astype("float32")
    exact = np.mean(-2.0 * np.sum(x**2, axis=1)) - np.log(2.0 * np.pi * 0.25)
    found = plane_mixtures.log_likelihood(pair, x)
    np.testing.assert_allclose(found, exact, atol=1e-3)
