"""Tests of the Gaussian fits: quadrature against moments, and what f-GANs learn against it."""

import json

import numpy as np
import pytest

from keras_symvae import seeds
from scripts.experiments.gaussian_fits import experiment as gaussian_fits
from scripts.experiments.gaussian_fits.config import Config, Training

MEAN = float(np.dot(gaussian_fits.SHARES, gaussian_fits.MEANS))
QUICK = Training(steps=400, batch_size=512, rate=1e-2, critic_steps=1, width=32)


def spread():
    """The standard deviation of the mixture."""
    squares = np.square(gaussian_fits.MEANS) + np.square(gaussian_fits.SPREADS)
    return float(np.sqrt(np.dot(gaussian_fits.SHARES, squares) - MEAN**2))


def test_draws_are_of_the_mixture():
    x = gaussian_fits.draws(200_000, seeds.make(0))["x"].numpy()
    assert x.shape == (200_000, 1)
    assert x.mean() == pytest.approx(MEAN, abs=0.02)
    assert x.std() == pytest.approx(spread(), abs=0.02)
    share = np.exp(gaussian_fits.mixture(gaussian_fits.GRID))
    below = share[gaussian_fits.GRID < 0.0].sum() * np.diff(gaussian_fits.GRID[:2])[0]
    assert (x < 0.0).mean() == pytest.approx(below, abs=0.005)


def test_the_least_kl_has_the_moments_of_the_mixture():
    assert gaussian_fits.best("kl") == pytest.approx((MEAN, spread()), abs=1e-3)


def test_quadrature_agrees_with_itself():
    """Jeffreys is the sum of both KL, and every least value is the least of all fits."""
    at = {f: gaussian_fits.best(f) for f in ("kl", "reverse_kl", "jeffreys")}
    for point in at.values():
        kl, reverse, both = (gaussian_fits.divergence(f, *point) for f in at)
        assert kl + reverse == pytest.approx(both, rel=1e-6)
    for f, point in at.items():
        least = gaussian_fits.divergence(f, *point)
        assert all(least <= gaussian_fits.divergence(f, *other) for other in at.values())


@pytest.mark.slow
def test_f_gans_find_the_fits_of_quadrature(tmp_path):
    """What was trained with a divergence is the best when it is measured by it."""
    small = Config(divergences=("kl", "reverse_kl"), training=QUICK)
    folder = tmp_path / "runs"
    experiment = gaussian_fits.GaussianFits(folder, data="mixture", seeds=[0], config=small)
    table = experiment.make(tmp_path / "out")
    kept = json.loads((tmp_path / "out" / "gaussian_fits.json").read_text())
    found = {f: kept[f"{f}-seed-0"]["found"] for f in ("kl", "reverse_kl")}
    for f, other in (("kl", "reverse_kl"), ("reverse_kl", "kl")):
        assert found[f]["mean"] == pytest.approx(found[f]["ideal/mean"], abs=0.15)
        assert found[f]["spread"] == pytest.approx(found[f]["ideal/spread"], rel=0.08)
        assert found[f]["ideal/divergence"] < found[f][f"by/{f}"] < found[other][f"by/{f}"]
    assert "**" in table.splitlines()[-3] and "**" in table.splitlines()[-2]
    assert (tmp_path / "out" / "gaussian_fits.png").stat().st_size > 1000
