"""Presets learn: their decoders use the latents, and the latents hold something about the data."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_symvae as sv
from keras_symvae import evaluation
from keras_symvae.learners.registry import LEARNERS, refusals
from zoo import PRESETS, Preset, datasets, presets
from zoo.datasets import Preparation

PAIR = {"symmetric", "elbo"}
OF_BITS = [
    name
    for name, preset in PRESETS.items()
    if name.endswith(("_bits", "_ladder", "_reverse", "_paper"))
    and "binarize" in preset.preparation
]
FAST = {name: PRESETS[name] for name in OF_BITS if PRESETS[name].steps <= 10_000}
STEPS = 250
CASES = [
    *(("digits_ladder", learner, 0) for learner in sorted(PAIR)),
    ("digits_ladder", "symmetric", 1),
    *((name, "symmetric", 0) for name in FAST if name != "digits_ladder"),
]


def digits(shape):
    """The embedded digits, magnified where a preset takes larger images."""
    images = tf.image.resize(datasets.load("digits").x, shape[:2]).numpy()
    return Preparation(binarize="threshold")({"x": tf.constant(images)}, sv.seeds.make(0))["x"]


def independent_pixels(x):
    """The cost of the best decoder that ignores its latents, nats per image."""
    p = np.clip(np.mean(x, axis=0), 1e-6, 1 - 1e-6)
    return -np.sum(p * np.log(p) + (1 - p) * np.log(1 - p))


@pytest.mark.quick
def test_every_preset_has_a_recipe_for_every_learner_that_can_play_it():
    found = refusals({name: preset.pair() for name, preset in PRESETS.items()})
    for name, preset in PRESETS.items():
        assert set(preset.recipes) == {learner for learner in found if not found[learner][name]}
    assert set().union(*(preset.recipes for preset in PRESETS.values())) == set(LEARNERS)
    assert {preset.model for preset in PRESETS.values()} == presets.MODELS.keys()
    assert {name for name, *_ in CASES} == set(FAST)


@pytest.mark.parametrize("name", [name for name in PRESETS if name not in OF_BITS])
def test_other_presets_construct_and_compile(name):
    preset = PRESETS[name]
    for learner, recipe in preset.recipes.items():
        model = LEARNERS[learner](preset.pair(), **recipe.options)
        model.compile(recipe.optimizer(steps=preset.steps))


def test_presets_are_found_by_name_and_know_what_their_model_learns_beside_images():
    targets = {"semi_supervised": "y", "segmentation": "s"}
    for name, preset in PRESETS.items():
        assert presets.get(name) is preset
        assert preset.target == targets.get(preset.model)
    with pytest.raises(
        ValueError, match="Unknown preset 'mnist'; choose one of fashion_mnist_bits, "
    ):
        presets.get("mnist")
    usual = vars(PRESETS["digits_ladder"])
    with pytest.raises(ValueError, match=r"model is one of .*segmentation; received 'gan'"):
        Preset(**{**usual, "model": "gan"})


REAL = [
    (n, learner) for n in ("digits_gaussian", "digits_implicit") for learner in PRESETS[n].recipes
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "learner"), REAL)
def test_every_recipe_of_real_codes_learns(name, learner):
    keras.utils.set_random_seed(0)
    preset = PRESETS[name]
    recipe, preparation = preset.recipes[learner], Preparation(**preset.preparation)
    model = LEARNERS[learner](preset.pair(), seed=0, **recipe.options)
    model.compile(recipe.optimizer(steps=STEPS), steps_per_execution=10)
    x = datasets.load("digits").x
    noisy = preparation({"x": tf.constant(x)}, sv.seeds.make(0))["x"].numpy()

    def fault():
        """What the decoder pays for codes of data; where no code is, how far its dreams are."""
        costs = model.evaluate(noisy, batch_size=500, verbose=0, return_dict=True)
        dreams = model.generate(len(x))["x"].reshape(len(x), -1)
        distance = evaluation.frechet_distance(noisy.reshape(len(x), -1), dreams)
        return costs.get("decoder/x", distance)

    before = fault()
    batches = sv.Batches({"x": x}, batch_size=128, seed=0, transform=preparation)
    model.fit(batches, steps_per_epoch=STEPS, verbose=0)
    assert int(model.guard.skipped.numpy()) == 0
    assert fault() < 0.7 * before


@pytest.mark.slow
@pytest.mark.parametrize(("name", "learner", "seed"), CASES)
def test_a_fast_preset_does_not_collapse(name, learner, seed):
    keras.utils.set_random_seed(seed)
    preset = PRESETS[name]
    x = digits(preset.architecture["image_shape"]).numpy()
    recipe = preset.recipes[learner]
    model = LEARNERS[learner](preset.pair(), seed=seed, **recipe.options)
    model.compile(recipe.optimizer(steps=STEPS), steps_per_execution=10)
    batches = sv.Batches({"x": x}, batch_size=preset.batch_size, seed=seed)
    model.fit(batches, steps_per_epoch=STEPS, verbose=0)
    cost = model.evaluate(x, batch_size=500, verbose=0, return_dict=True)["decoder/x"]
    assert cost < 0.75 * independent_pixels(x)
    found = evaluation.information(model.pair, {"x": x[:500]})
    assert found["z1"].sum() > 5.0
    # The ELBO first prunes the upper level and takes longer than this to use it again.
    assert found["z0"].sum() > (1.0 if learner == "symmetric" else 0.1)
