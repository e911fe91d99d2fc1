"""Checks that all parts of a kind share: one function per kind, for parts of your own as well."""

import itertools
import json
import pathlib
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.callbacks import Backup
from keras_symvae.families import Family
from keras_symvae.model.pair import Pair

EXTREME = float(np.finfo(np.float32).max)
RAW_OUTPUTS = (0.0, 1.0, -1.0, -5.0, 1e4, -1e4, EXTREME, -EXTREME)
EXAMPLES = 50  # in a batch of the checks below


def run_family_test(family: Family) -> None:
    """A family's config, shapes and types, and that any finite raw output means a distribution."""
    twin = _copy(family)
    assert twin == family and hash(twin) == hash(family) and repr(twin) == repr(family)
    etas = [_natural(family, raw) for raw in RAW_OUTPUTS]
    tilts = itertools.combinations_with_replacement(etas, 2) if family.exponential else ()
    for eta in etas + [tf.nest.map_structure(tf.add, *tilt) for tilt in tilts]:
        _check_member(family, eta)
    for raw in RAW_OUTPUTS:
        _check_gradient(family, raw)


def run_factor_test(factor: Any, *, family: Family, shapes: Mapping[str, Sequence[int]]) -> None:
    """A factor's config, shape and type; `shapes` {name: [...]} are those of what it reads."""
    twin = _copy(factor)
    for part in (factor, twin):
        part.bind(family, shapes)
    assert twin.get_config() == factor.get_config()
    twin.set_weights(factor.get_weights())
    rng = np.random.default_rng(0)
    reads = {
        name: tf.constant(rng.normal(size=(EXAMPLES, *shape)), tf.float32)
        for name, shape in shapes.items()
    }
    drawn = [_factor_draw(part, family, reads, seed) for part in (factor, twin) for seed in (0, 1)]
    np.testing.assert_array_equal(drawn[0], drawn[2])
    np.testing.assert_array_equal(drawn[1], drawn[3])
    assert drawn[0].shape == (EXAMPLES, *family.shape)
    assert drawn[0].dtype == family.dtype.as_numpy_dtype


def run_pair_test(pair: Pair, data: Mapping[str, np.ndarray]) -> None:
    """A pair's answers: shapes, types, repeatability, and the same after `.keras` save and load.

    Args:
        pair: the `Pair`.
        data: {name: np.ndarray [N, ...]} of its observed and context variables.
    """
    size = len(next(iter(data.values())))
    answers = _answers(pair, data, seed=1)
    expected = {
        "generate": pair.families.keys(),
        "encode": pair.latent,
        "decode": pair.observed,
        "reconstruct": pair.observed,
        "limiting": pair.families.keys(),
    }
    for question, names in expected.items():
        assert answers[question].keys() == set(names), question
        for name, value in answers[question].items():
            family = pair.families[name]
            assert value.shape == (size, *family.shape), (question, name)
            assert value.dtype == family.dtype.as_numpy_dtype, (question, name)
            family.check(name, value)
    _assert_equal(answers, _answers(pair, data, seed=1))
    _assert_differ(answers["generate"], _answers(pair, data, seed=2)["generate"])
    with tempfile.TemporaryDirectory() as folder:
        pair.save(pathlib.Path(folder) / "pair.keras")
        loaded = keras.saving.load_model(pathlib.Path(folder) / "pair.keras")
    assert type(loaded) is type(pair)
    assert json.dumps(loaded.get_config()) == json.dumps(pair.get_config())
    _assert_equal(answers, _answers(loaded, data, seed=1))


def run_learner_test(
    learner: Any, data: Mapping[str, np.ndarray], *, optimizer: Any = "adam"
) -> None:
    """A learner's two steps, logs and files, and that a resumed run equals an uninterrupted one.

    Args:
        learner: the `Learner`, not yet compiled.
        data: arrays {name: [N, ...]}; an epoch takes two steps.
        optimizer: as in `compile`; a name, or a dict of names.
    """
    size = len(next(iter(data.values())))
    learner.compile(optimizer)
    start = learner.get_weights()
    owners = [learner.pair, *getattr(learner, "critics", {}).values()]
    before = [weight.numpy() for owner in owners for weight in owner.weights]

    def fit(model, epochs, **options):
        options = {"batch_size": size // 2, "verbose": 0, **options}
        return model.fit(data, epochs=epochs, **options).history

    def fresh():
        twin = type(learner).from_config(learner.get_config())
        twin.compile(optimizer)
        return twin

    assert fresh().get_config() == learner.get_config()
    with tempfile.TemporaryDirectory() as folder:
        history = fit(learner, 1, callbacks=[Backup(folder)])
        assert history.keys() == set(learner.metric_names)
        assert all(np.isfinite(values).all() for values in history.values())
        assert int(learner.steps.numpy()) == 2 and int(learner.guard.skipped.numpy()) == 0
        after = [weight for owner in owners for weight in owner.weights]
        for weight, old in zip(after, before, strict=True):
            assert np.any(weight.numpy() != old), f"{weight.path} did not move"
        halfway = pathlib.Path(folder) / "halfway.keras"
        learner.save(halfway)
        continued = [keras.saving.load_model(halfway), fresh()]
        histories = [
            fit(continued[0], 2, initial_epoch=1),
            fit(continued[1], 2, callbacks=[Backup(folder)]),
        ]
        assert Backup(folder).restore(fresh()) == 2
    uninterrupted = fresh()
    uninterrupted.set_weights(start)
    losses = fit(uninterrupted, 2)
    for model, later in zip(continued, histories, strict=True):
        assert_same_state(model, uninterrupted)
        for name, values in losses.items():
            np.testing.assert_array_equal(values[1:], later[name], err_msg=name)


def state(learner: Any) -> list[tuple[str, np.ndarray]]:
    """Returns [(path, array)] of all that training changes: weights, steps, optimizer slots."""
    variables = [*learner.variables, *learner.optimizer.variables]
    return [(variable.path, variable.numpy()) for variable in variables]


def assert_same_state(learner: Any, other: Any) -> None:
    """Weights, steps and optimizer slots of two learners are equal to the last bit."""
    for (path, value), (_, expected) in zip(state(learner), state(other), strict=True):
        np.testing.assert_array_equal(value, expected, err_msg=path)


def _copy(part):
    return keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(part))


def _natural(family, raw):
    shared = tf.fill([family.num_shared], raw) if family.num_shared else None
    return family.natural(tf.fill([EXAMPLES, *family.raw_shape], raw), shared)


def _check_member(family, eta):
    """Draws are repeatable and valid, their log-probability and their features are finite."""
    assert all(np.isfinite(part).all() for part in tf.nest.flatten(eta)), eta
    value = family.sample(eta, seeds.make(0))
    np.testing.assert_array_equal(value, family.sample(eta, seeds.make(0)))
    assert value.shape == (EXAMPLES, *family.shape) and value.dtype == family.dtype
    family.check("value", value.numpy())
    assert not np.any(family.missing(value))
    log_prob, features = family.log_prob(eta, value), family.features(value)
    assert log_prob.shape == (EXAMPLES,) and log_prob.dtype == tf.float32
    assert np.isfinite(log_prob).all(), f"log-probability {log_prob} of {value} under {eta}"
    assert features.shape == (EXAMPLES, *family.feature_shape) and features.dtype == tf.float32
    assert np.isfinite(features).all(), f"features {features} of {value}"


def _check_gradient(family, raw):
    """The score of a draw has a finite gradient, through the draw as well, for any raw output."""
    raw = tf.fill([EXAMPLES, *family.raw_shape], raw)
    shared = tf.zeros([family.num_shared])
    with tf.GradientTape() as tape:
        tape.watch([raw, shared])
        eta = family.natural(raw, shared)
        draw = family.rsample if family.reparametrised else family.sample
        score = family.log_prob(eta, draw(eta, seeds.make(0)))
    gradients = tape.gradient(
        score, [raw, shared], unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    for tensor in (score, *gradients):
        assert np.isfinite(np.asarray(tensor)).all(), f"not finite at raw output {raw[0]}"


def _factor_draw(factor, family, reads, seed):
    if not factor.has_density:
        return factor.rsample(reads, EXAMPLES, seeds.make(seed)).numpy()
    return family.sample(factor.natural(reads, EXAMPLES), seeds.make(seed)).numpy()


def _answers(pair, data, *, seed):
    size = len(next(iter(data.values())))
    context = {name: data[name] for name in pair.context}
    latents = {name: pair.encode(data, seed=0)[name] for name in pair.latent}
    return {
        "generate": pair.generate(size, seed=seed, **context),
        "encode": pair.encode(data, seed=seed),
        "decode": pair.decode(latents | context, seed=seed),
        "reconstruct": pair.reconstruct(data, seed=seed),
        "limiting": pair.limiting(size, steps=2, seed=seed, **context),
    }


def _assert_equal(answers, others):
    for question, values in answers.items():
        for name, value in values.items():
            np.testing.assert_array_equal(value, others[question][name], err_msg=question)


def _assert_differ(values, others):
    assert any(np.any(value != others[name]) for name, value in values.items())
