"""The table of README: every pair x learner combination trains, or is refused when it is made."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import (
    ASVAE,
    AVB,
    ELBO,
    FGAN,
    SVAE,
    WAE,
    Backup,
    Factor,
    ImplicitFactor,
    Pair,
    Player,
    SymmetricEquilibrium,
    families,
    learners,
    testing,
)
from tests import cases

LEARNERS = {
    "symmetric": SymmetricEquilibrium,
    "elbo": ELBO,
    "avb": AVB,
    "avb contrast": lambda pair: AVB(pair, adaptive_contrast=True, critic_steps=2),
    "as_vae": ASVAE,
    "svae": lambda pair: SVAE(pair, reconstruction=1.0),
    "ali": lambda pair: SVAE(pair, game="ali"),
    "wae mmd": WAE,
    "wae gan": lambda pair: WAE(pair, penalty="gan", pretraining_steps=1),
    "wae kl": lambda pair: WAE(pair, penalty="kl", cost="l2"),
    "fgan": lambda pair: FGAN(pair, gradient_penalty=1.0),
}
GREY, REAL, BITS = families.Normal(3, scale=0.5), families.Normal(2), families.Bernoulli(2)
DENSITY, GRADIENT = "needs a log-density of every factor", "needs a gradient through draws of"
POINTS = np.random.default_rng(0).normal(size=(20, 2)).astype("float32")


def pair(*, x=GREY, z=REAL, decoder="density", encoder="density", learned=False, prior=None):
    """Returns a pair p(z) p(x | z), q(z | x) over these families."""
    known = {"x": x, "z": z}

    def conditional(kind, name, given):
        size = int(np.prod(known[name].raw_shape if kind == "density" else known[name].shape))
        if kind == "density":
            return Factor(name, given=given, network=keras.layers.Dense(size))
        if kind == "function":
            network = keras.layers.Dense(size)
            return ImplicitFactor(name, given=given, network=network, noise_shape=None)
        network = cases.joint([known[given].feature_shape, (2,)], size)
        return ImplicitFactor(name, given=given, network=network, noise_shape=2)

    roots = [Factor("z", learned=learned)] if prior is None else []
    return Pair(
        Player([*roots, conditional(decoder, "x", "z")], families=known, name="decoder"),
        Player([conditional(encoder, "z", "x")], families=known, name="encoder"),
        prior=prior,
    )


PAIRS = {
    "real": pair,
    "images of bits": lambda: pair(x=families.Bernoulli(3)),
    "codes of bits": lambda: pair(z=BITS),
    "implicit encoder": lambda: pair(encoder="noise"),
    "no densities": lambda: pair(decoder="function", encoder="function"),
    "sampled prior": lambda: pair(prior={"z": POINTS}),
    "learned prior": lambda: pair(learned=True),
    "context": lambda: cases.conditional(learned=False),
}
ONLY_GRADIENTS = {"as_vae": GRADIENT, "svae": GRADIENT, "ali": GRADIENT, "fgan": GRADIENT}
TAUGHT_BY_NONE = dict.fromkeys(
    ("avb", "as_vae", "svae", "ali", "wae mmd", "wae gan", "wae kl"), r"p\(z \| ...\) has weights"
)
REFUSED = {
    "real": {},
    "images of bits": ONLY_GRADIENTS,
    "codes of bits": {
        **dict.fromkeys(("avb", "avb contrast", "wae mmd", "wae gan", "wae kl"), GRADIENT),
        **ONLY_GRADIENTS,
    },
    "implicit encoder": dict.fromkeys(("symmetric", "elbo", "as_vae", "svae", "fgan"), DENSITY),
    "no densities": dict.fromkeys(
        ("symmetric", "elbo", "avb", "avb contrast", "as_vae", "svae", "fgan"), DENSITY
    ),
    "sampled prior": {"elbo": r"needs log p\(z\)", "avb contrast": "known only by samples"},
    "learned prior": TAUGHT_BY_NONE,
    "context": dict.fromkeys(
        ("as_vae", "svae", "ali", "wae mmd", "wae gan", "wae kl", "fgan"), r"\('y',\) is context"
    ),
}
CELLS = [(kind, learner) for kind in PAIRS for learner in LEARNERS]
ALLOWED = [(kind, learner) for kind, learner in CELLS if learner not in REFUSED[kind]]


def data(kind):
    if kind == "context":
        return cases.conditional_data(8)
    x = np.random.default_rng(1).normal(size=(8, 3)).astype("float32")
    return {"x": (x > 0).astype("float32") if kind == "images of bits" else x}


# One learner of each pair and one pair of each learner tell nearly all; every cell takes seconds.
FIRST = {next(cell for cell in ALLOWED if cell[0] == kind) for kind in PAIRS}
FIRST |= {next(cell for cell in ALLOWED if cell[1] == learner) for learner in LEARNERS}


def marks(kind, learner):
    if (kind, learner) not in FIRST:
        return [pytest.mark.slow]
    of_critics = learner in ("avb", "as_vae", "svae", "wae mmd", "fgan")  # others: test_base.py
    return [pytest.mark.quick] * (kind == "real" and of_critics)


TRAINED = [pytest.param(*cell, marks=marks(*cell)) for cell in ALLOWED]
EXPORTED = [pytest.param(*cell, marks=[pytest.mark.slow] * (cell not in FIRST)) for cell in ALLOWED]


@pytest.mark.parametrize(("kind", "learner"), TRAINED, ids=map(" x ".join, ALLOWED))
def test_what_is_allowed_trains_saves_and_resumes(kind, learner, tmp_path):
    values, options = data(kind), {"batch_size": 8, "verbose": 0}

    def compiled(twin):
        twin.compile({name: "adam" for name in twin.players}, run_eagerly=True)  # spares tracing
        return twin

    model = compiled(LEARNERS[learner](PAIRS[kind]()))
    start = model.get_weights()
    history = model.fit(values, epochs=1, callbacks=[Backup(tmp_path)], **options).history
    assert history.keys() == set(model.metric_names)
    assert np.isfinite(list(history.values())).all() and int(model.guard.skipped) == 0
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    loaded.fit(values, epochs=2, initial_epoch=1, **options)
    resumed = compiled(type(model).from_config(model.get_config()))
    resumed.fit(values, epochs=2, callbacks=[Backup(tmp_path)], **options)
    whole = compiled(type(model).from_config(model.get_config()))
    whole.set_weights(start)
    whole.fit(values, epochs=2, **options)
    for twin in (loaded, resumed):
        testing.assert_same_state(twin, whole)


@pytest.mark.parametrize(("kind", "learner"), EXPORTED, ids=map(" x ".join, ALLOWED))
def test_what_is_allowed_is_exported(kind, learner, tmp_path):
    model = LEARNERS[learner](PAIRS[kind]())
    model.export(tmp_path / "served")
    served = tf.saved_model.load(str(tmp_path / "served")).signatures["generate"]
    context = {name: data(kind)[name][:3] for name in model.pair.context}
    found = served(n=tf.constant(3), seed=tf.constant(5), **context)
    for name, value in model.generate(3, seed=5, **context).items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "learner", "message"),
    [(kind, learner, message) for kind in PAIRS for learner, message in REFUSED[kind].items()],
)
def test_what_is_refused_says_so_when_it_is_made(kind, learner, message):
    with pytest.raises(ValueError, match=message):
        LEARNERS[learner](PAIRS[kind]())


@pytest.mark.quick
def test_the_table_of_refusals_says_what_the_constructors_say():
    """What a game asks of a pair is data: nothing has to be made to know who is refused."""
    models = {kind: make() for kind, make in PAIRS.items()} | {"team": cases.team()}
    found = learners.refusals(models)
    assert found.keys() == learners.LEARNERS.keys()
    for name, reasons in found.items():
        options = {"mixing": 1.0} if name == "cooperative" else {}
        for kind, reason in reasons.items():
            make = PAIRS.get(kind, cases.team)
            if reason is None:
                learners.get(name)(make(), **options)
            else:
                with pytest.raises(ValueError, match=re.escape(reason)):
                    learners.get(name)(make(), **options)
    lines = learners.table(models).splitlines()
    assert len(lines) == 2 + len(found) and lines[0] == f"| learner | {' | '.join(models)} |"
