"""Tests of optimizers: one for all, one per player, their rates, and what is refused."""

import keras
import numpy as np
import pytest
from keras import optimizers

from keras_symvae import ELBO, Optimizers, SymmetricEquilibrium, testing
from tests import cases

X = cases.images(16)
PLAYERS = ("decoder", "encoder")


def compiled(optimizer, **options):
    learner = SymmetricEquilibrium(cases.ladder(), **options)
    learner.compile(optimizer, run_eagerly=True)
    return learner


def fit(learner, **options):
    return learner.fit(X, batch_size=16, verbose=0, **options).history


OPTIMIZERS = {
    "AdamW": lambda: optimizers.AdamW(0.1),
    "Lion": lambda: optimizers.Lion(0.1),
    "Muon": lambda: optimizers.Muon(0.1),
    "clipped": lambda: optimizers.SGD(0.1, clipnorm=1.0),
    "of mean weights": lambda: optimizers.Adam(0.1, use_ema=True),
    "of summed gradients": lambda: optimizers.SGD(0.1, gradient_accumulation_steps=2),
}


@pytest.mark.parametrize("apart", [False, True], ids=["one for all", "one per player"])
def test_what_scales_the_loss_keeps_every_slot_once(apart, tmp_path, monkeypatch):
    """A file with every slot twice, as Keras writes it, loads all the same."""
    inner = {name: optimizers.SGD(0.1, momentum=0.9) for name in PLAYERS}
    learner = compiled(
        optimizers.LossScaleOptimizer(Optimizers(inner) if apart else optimizers.Adam())
    )
    fit(learner)
    learner.save(tmp_path / "once.keras")
    with monkeypatch.context() as former:
        former.delattr(learner.optimizer, "save_own_variables")
        learner.save(tmp_path / "twice.keras")
    sizes = [(tmp_path / f"{name}.keras").stat().st_size for name in ("once", "twice")]
    assert sizes[0] < sizes[1]
    for name in ("once", "twice"):
        testing.assert_same_state(keras.saving.load_model(tmp_path / f"{name}.keras"), learner)


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("apart", [False, True], ids=["one for all", "one per player"])
def test_optimizers_of_keras_train_every_player(make, apart):
    learner = compiled({name: make() for name in PLAYERS} if apart else make())
    before = [player.get_weights() for player in learner.pair.players.values()]
    losses = fit(learner, epochs=2)["loss"]
    assert np.isfinite(losses).all()
    for player, former in zip(learner.pair.players.values(), before, strict=True):
        moved = [(a != b).any() for a, b in zip(player.get_weights(), former, strict=True)]
        assert any(moved)


def test_no_optimizer_is_refused():
    with pytest.raises(ValueError, match="needs an optimizer to be trained; received None"):
        compiled(None)


def test_the_loss_is_scaled_for_all_players_or_for_none():
    scaled = optimizers.LossScaleOptimizer
    with pytest.raises(ValueError, match=r"Loss scaling is of all players.* wrap the whole"):
        compiled({"decoder": scaled(optimizers.SGD()), "encoder": "sgd"})
    table = {name: optimizers.SGD(0.1) for name in PLAYERS}
    learner = compiled(scaled(Optimizers(table), initial_scale=8.0))
    assert np.isfinite(fit(learner)["loss"]).all() and learner.guard.skipped == 0


@pytest.mark.parametrize("apart", [False, True], ids=["one for all", "one per player"])
def test_an_optimizer_of_another_model_is_refused(apart):
    optimizer: object = optimizers.Adam()
    if apart:
        optimizer = {"decoder": optimizer, "encoder": optimizers.Adam()}
    fit(compiled(optimizer))
    with pytest.raises(ValueError, match=r"This Adam was built for other .* make a new optimizer"):
        compiled(optimizer)


def test_rates_are_read_and_set_by_player():
    learner = compiled({"decoder": optimizers.SGD(0.5), "encoder": optimizers.SGD(0.25)})
    assert learner.optimizer.learning_rates == {"decoder": 0.5, "encoder": 0.25}
    with pytest.raises(AttributeError, match="learning_rates"):
        _ = learner.optimizer.learning_rate
    learner.optimizer.learning_rates = {"encoder": 0.5}
    assert float(learner.optimizer.learning_rate) == 0.5
    with pytest.raises(ValueError, match=r"no optimizers \['critic'\]; known are \['decoder', 'en"):
        learner.optimizer.learning_rates = {"critic": 0.1}


DIRECTIONS = {"val_decoder/x": "less", "val_loss": "less", "val_iw_bound": "greater"}
DIRECTIONS["val_iw_bound/bits_per_dim"] = "less"


@pytest.mark.parametrize("monitor", DIRECTIONS)
def test_callbacks_know_whether_a_metric_falls_or_rises(monitor):
    early = keras.callbacks.EarlyStopping(monitor)
    fit(compiled("adam", draws=3), validation_data=X, callbacks=[early])
    assert early.monitor_op.__name__.startswith(DIRECTIONS[monitor])


def test_the_rate_of_all_players_falls_on_a_plateau():
    learner = ELBO(cases.ladder())
    learner.compile({name: optimizers.SGD(0.5) for name in PLAYERS}, run_eagerly=True)
    plateau = keras.callbacks.ReduceLROnPlateau(
        "val_decoder/x", factor=0.5, patience=1, min_delta=1e9
    )
    fit(learner, epochs=3, validation_data=X, callbacks=[plateau])
    assert set(learner.optimizer.learning_rates.values()) == {0.125}
