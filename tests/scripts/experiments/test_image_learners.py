"""The experiment of images under every learner: what it trains, and that its measures can tell."""

import json

import keras
import numpy as np
import pytest

from scripts.experiments.image_learners import experiment as image_learners
from scripts.experiments.image_learners.config import Config, Likelihood
from scripts.experiments.image_learners.experiment import ImageLearners
from zoo import presets


class Pixels:
    """Features that are the pixels."""

    def __call__(self, images):
        return images.reshape(len(images), -1).astype("float64")


def test_every_learner_of_a_pair_is_compared_from_the_same_start():
    for data in ("digits", "fashion_mnist"):
        settings = ImageLearners("runs", data=data, seeds=[0]).settings(0)
        assert len(settings) == len(Config().methods)
        grey = [s for s in settings.values() if not s["method"].startswith("bits")]
        assert {s["learner"] for s in grey} == set(presets.get(f"{data}_gaussian").recipes)
        for key in ("steps", "batch_size", "preset", "preparation"):
            assert all(s[key] == grey[0][key] for s in grey)
        weights = [np.concatenate([w.ravel() for w in start(s)]) for s in grey]
        for other in weights[1:]:
            np.testing.assert_array_equal(weights[0], other)


def start(settings):
    return image_learners.learner_of(json.loads(json.dumps(settings))).pair.get_weights()


def test_a_vae_of_bits_has_the_decoder_of_the_implicit_ones():
    settings = ImageLearners("runs", data="digits", seeds=[0]).settings(0)
    shapes = {
        method: [
            weight.shape
            for weight in image_learners.learner_of(
                settings[f"{method}-seed-0"]
            ).pair.decoder.weights
        ]
        for method in ("bits-vae", "bits-avb", "bits-avb-ac")
    }
    assert shapes["bits-vae"] == shapes["bits-avb"] == shapes["bits-avb-ac"]


@pytest.mark.slow  # trains every row
def test_from_data_to_table(tmp_path, monkeypatch):
    few = ("elbo", "wae-gan", "bits-avb-ac")
    small = Config(
        methods={name: Config().methods[name] for name in few},
        steps=120,
        samples=200,
        alternations=2,
        likelihood=Likelihood(images=4, num_chains=2, num_steps=5),
    )
    monkeypatch.setattr(image_learners.judge, "classifier", lambda *arguments, **options: Pixels())
    experiment = ImageLearners(tmp_path / "runs", data="digits", seeds=[0], config=small)
    table = experiment.make(tmp_path / "out")
    assert [line.split(" | ")[0] for line in table.splitlines()[2:]] == [f"| {m}" for m in few]
    assert (tmp_path / "out" / "image_learners.png").stat().st_size > 10_000
    kept = json.loads((tmp_path / "out" / "image_learners.json").read_text())
    for result in kept.values():
        assert np.isfinite(list(result["found"].values())).all() and result["found"]["skipped"] == 0
    learned = keras.saving.load_model(tmp_path / "runs" / "elbo-seed-0" / "model.keras")
    assert int(learned.steps.numpy()) == 120
    # An ELBO of 120 steps rebuilds better than the mean image does.
    images = np.load(tmp_path / "runs" / "elbo-seed-0" / "shown.npz")["data"]
    assert kept["elbo-seed-0"]["found"]["reconstruction"] < np.std(images - images.mean(axis=0))


@pytest.mark.parametrize("agree", [True, False])
def test_drift_is_nothing_where_both_players_agree(agree):
    keras.utils.set_random_seed(0)
    pair = presets.get("digits_gaussian").pair()
    if agree:  # x and z are independent in both joints
        for player in pair.players.values():
            for weight in player.weights:
                if weight.path.endswith("kernel"):
                    weight.assign(0.0 * weight)
    else:
        for weight in pair.encoder.weights:
            weight.assign(2.0 * weight + 1.0)
    real = np.zeros((300, 8, 8, 1), "float32")
    found, _ = image_learners.judged(
        pair, real, Pixels(), samples=2000, alternations=50, output="sample"
    )
    assert (found["drift"] < 0.5) == agree
