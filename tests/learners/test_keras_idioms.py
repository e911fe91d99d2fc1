"""Tests of Keras's idioms: what a learner honours as Keras does, and what it refuses by name."""

import copy
import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import (
    ELBO,
    Backup,
    Cooperative,
    Factor,
    Pair,
    Player,
    SymmetricEquilibrium,
    evaluation,
    families,
    testing,
)
from tests import cases

REFUSED = {
    "loss": ("mse", "the game is the loss; choose another learner"),
    "metrics": (["mae"], "costs are the metrics; measure more with keras_symvae.evaluation"),
    "weighted_metrics": (["mae"], "costs are the metrics"),
    "loss_weights": ([1.0], "weighted by arguments of the learner"),
}
WEIGHTS = {
    "sample_weight": (np.ones(8), "draw examples as often as they should count"),
    "class_weight": ({0: 1.0}, "draw examples as often as they should count"),
}
CALLS = ("fit", "evaluate", "train_on_batch", "test_on_batch")


def compiled(learner, **options):
    learner.compile("adam", **{"run_eagerly": True, **options})
    return learner


def symmetric(**options):
    """Returns a compiled game with a context label y; its weights are always the same."""
    keras.utils.set_random_seed(1)
    return compiled(SymmetricEquilibrium(cases.conditional(), seed=2), **options)


def cooperative(**options):
    keras.utils.set_random_seed(1)
    return compiled(Cooperative(cases.team(), mixing=0.5, seed=2), **options)


DATA = cases.conditional_data(8)
DOUBLE = {member: DATA for member in ("painter", "labeller")}


@pytest.mark.parametrize("name", REFUSED)
def test_what_keras_compiles_and_a_game_is_not_is_refused(name):
    value, remedy = REFUSED[name]
    learner = SymmetricEquilibrium(cases.ladder())
    with pytest.raises(
        ValueError, match=rf"^A learner takes no {name}: .*{remedy}[^.]*(\.\w+[^.]*)?\.$"
    ):
        learner.compile("adam", **{name: value})
    learner.compile("adam", **{name: None})  # as Keras's own defaults are


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_of_examples_are_refused_with_a_remedy(name, call):
    value, remedy = WEIGHTS[name]
    learner = symmetric()
    before = testing.state(learner)
    with pytest.raises(ValueError, match=rf"^A learner takes no {name}: {remedy}, with a Source"):
        getattr(learner, call)(DATA, **{name: value})
    for (path, found), (_, expected) in zip(testing.state(learner), before, strict=True):
        np.testing.assert_array_equal(found, expected, err_msg=path)


def fitted(learner, *args, **options):
    """Returns the history of a short `fit`."""
    options = {"batch_size": 4, "epochs": 2, "verbose": 0, **options}
    return learner.fit(*args, **options).history


def test_without_shuffling_a_step_sees_the_examples_in_their_order():
    learner, by_hand = symmetric(), symmetric()
    fitted(learner, DATA, epochs=1, shuffle=False)
    for rows in (slice(4), slice(4, 8)):
        by_hand.train_on_batch({name: value[rows] for name, value in DATA.items()})
    testing.assert_same_state(learner, by_hand)
    shuffled = symmetric()
    fitted(shuffled, DATA, epochs=1)
    assert any(
        np.any(value != other)
        for (_, value), (_, other) in zip(
            testing.state(learner), testing.state(shuffled), strict=True
        )
    )


@pytest.mark.parametrize("shuffle", [None, False])
def test_a_split_is_validation_data_given_by_hand(shuffle):
    learner, by_hand = symmetric(), symmetric()
    first = {name: value[:6] for name, value in DATA.items()}
    last = {name: value[6:] for name, value in DATA.items()}
    history = fitted(learner, DATA, validation_split=0.25, shuffle=shuffle, batch_size=3)
    expected = fitted(by_hand, first, validation_data=last, shuffle=shuffle, batch_size=3)
    assert len(history["val_loss"]) == 2 and history == expected
    testing.assert_same_state(learner, by_hand)


def test_validation_data_go_before_a_split_as_in_keras():
    learner = symmetric()
    history = fitted(learner, DATA, validation_split=0.25, validation_data=DATA, epochs=1)
    evaluated = learner.evaluate(DATA, return_dict=True, verbose=0)
    assert history["val_loss"] == [evaluated["loss"]]


def test_a_team_is_split_alike():
    learner, by_hand = cooperative(), cooperative()
    history = fitted(learner, DATA, validation_split=0.25, batch_size=3, epochs=1)
    first = {name: value[:6] for name, value in DATA.items()}
    last = {name: value[6:] for name, value in DATA.items()}
    assert history == fitted(by_hand, first, validation_data=last, batch_size=3, epochs=1)


FORMS = {
    "a dict": (symmetric, (DATA,)),
    "x and y": (symmetric, (DATA["x"], DATA["y"])),
    "a tuple": (symmetric, ((DATA["x"], DATA["y"]),)),
    "values of a team": (cooperative, (DATA,)),
    "data of members": (cooperative, (DOUBLE,)),
    "a tuple of a team": (cooperative, ((DATA["x"], DATA["y"]),)),
    "x and y of a team": (cooperative, (DATA["x"], DATA["y"])),
}


@pytest.mark.parametrize(("make", "data"), FORMS.values(), ids=FORMS)
def test_one_batch_is_one_step_of_fit(make, data):
    learner, other = make(), make()
    judged = learner.test_on_batch(*data, return_dict=True)
    assert judged == learner.evaluate(*data, verbose=0, return_dict=True)
    logs = learner.train_on_batch(*data, return_dict=True)
    history = fitted(other, *data, epochs=1, shuffle=False, batch_size=8)
    assert {name: [value] for name, value in logs.items()} == history
    testing.assert_same_state(learner, other)


def test_one_batch_is_one_step_in_a_graph_too():
    learner, eager = cooperative(run_eagerly=False), cooperative()
    for call in ("test_on_batch", "train_on_batch"):
        logs = getattr(learner, call)(DOUBLE, return_dict=True)
        assert logs == pytest.approx(getattr(eager, call)(DOUBLE, return_dict=True), rel=1e-5)
    assert int(learner.steps.numpy()) == 1


def test_an_array_alone_is_one_batch():
    learner, other = (compiled(SymmetricEquilibrium(cases.ladder(), seed=1)) for _ in range(2))
    other.set_weights(learner.get_weights())
    x = cases.images(8)
    loss = learner.train_on_batch(x)[0]
    assert loss == fitted(other, x, epochs=1, shuffle=False, batch_size=8)["loss"][0]
    testing.assert_same_state(learner, other)


@pytest.mark.parametrize("call", ["train_on_batch", "test_on_batch"])
def test_a_bad_batch_is_refused_by_name(call):
    with pytest.raises(ValueError, match=r"\['w'\], which are no variables"):
        getattr(symmetric(), call)({**DATA, "w": DATA["x"]})
    with pytest.raises(ValueError, match=r"\['w'\]; members are \['labeller', 'painter'\]"):
        getattr(cooperative(), call)({**DATA, "w": DATA["x"]})


def test_other_formats_of_an_export_are_refused_by_name(tmp_path):
    learner = ELBO(cases.ladder(latents=(2,)))
    for asked in (learner, learner.pair):
        with pytest.raises(ValueError, match=r"writes tf_saved_model; received format='onnx'"):
            asked.export(tmp_path / "refused", format="onnx")
        assert not (tmp_path / "refused").exists()
        asked.export(tmp_path / "served")
        signatures = tf.saved_model.load(str(tmp_path / "served")).signatures
        assert signatures.keys() == learner.pair.endpoints.keys()


QUESTIONS = {
    "generate": lambda model, data: model.generate(2),
    "encode": lambda model, data: model.encode(data),
    "decode": lambda model, data: model.decode({"z": np.zeros((2, 2))}),
    "reconstruct": lambda model, data: model.reconstruct(data),
    "limiting": lambda model, data: model.limiting(2, steps=1),
    "log_likelihood": lambda model, data: model.log_likelihood(data),
    "export": lambda model, data: model.export("served"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_team_says_which_member_answers(question, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    learner = cooperative()
    call = rf"learner\.pair\['painter'\]\.{question}\(\.\.\.\)"
    if question == "log_likelihood":
        call = rf"evaluation\.{question}\(learner\.pair\['painter'\], \.\.\.\)"
    members = r"\['painter', 'labeller'\]"
    expected = rf"no {question} of its own; ask one of its members {members}, such as {call}\."
    asked = [learner] if question == "log_likelihood" else [learner, learner.pair]
    for model in asked:
        with pytest.raises(ValueError, match=expected):
            QUESTIONS[question](model, DATA)
    assert not list(tmp_path.iterdir())


def test_members_answer_what_their_team_does_not(tmp_path):
    """What the message advises can be done as it is written there."""
    learner = cooperative()
    painter, context = learner.pair["painter"], {"y": DATA["y"]}
    encoded = painter.encode(DATA)
    assert painter.decode(encoded | context)["x"].shape == (8, 3)
    assert painter.generate(8, **context)["x"].shape == (8, 3)
    assert painter.limiting(8, steps=1, **context)["x"].shape == (8, 3)
    assert painter.reconstruct(DATA)["x"].shape == (8, 3)
    assert evaluation.log_likelihood(painter, DATA, num_samples=2).shape == (8,)
    painter.export(tmp_path / "served")
    assert "generate" in tf.saved_model.load(str(tmp_path / "served")).signatures


class Traced(SymmetricEquilibrium):
    """A symmetric game that counts how often its step is traced."""

    traces = 0

    def train_step(self, data):
        self.traces += 1
        return super().train_step(data)


def labelled(count):
    """Returns data of `semi` in which the first `count` of 8 labels are known."""
    return {"x": DATA["x"], "y": np.where(np.arange(8) < count, DATA["y"], -1).astype("int32")}


def semi():
    """Returns a pair with p(y) p(x | y) and q(y | x): the class is its one latent."""
    known = {"x": families.Normal(3, scale="shared"), "y": cases.conditional().families["y"]}
    return Pair(
        Player(
            [Factor("y"), Factor("x", given="y", network=keras.layers.Dense(3))],
            families=known,
            name="decoder",
        ),
        Player(
            [Factor("y", given="x", network=keras.layers.Dense(3))],
            families=known,
            name="encoder",
        ),
    )


def test_a_step_is_made_anew_where_more_is_lacking_and_only_there():
    learner = Traced(semi())
    learner.compile("adam")
    fit = {"batch_size": 8, "verbose": 0}

    def traces(data, **options):
        before = learner.traces
        learner.fit(data, **{**fit, **options})
        return learner.traces - before

    assert traces(labelled(8)) == 1
    assert traces(labelled(8)) == 0  # the same again
    assert traces(labelled(3)) == 1  # some lack y now
    assert traces(labelled(5)) == 0
    assert traces(labelled(8)) == 0  # less is lacking: the step that looks for gaps still serves
    assert traces(labelled(3), validation_data=labelled(2)) == 0


def test_held_out_gaps_prepare_the_step_as_well():
    learner = Traced(semi())
    learner.compile("adam")
    logs = learner.fit(
        labelled(8), validation_data=labelled(2), batch_size=8, verbose=0, epochs=2
    ).history
    assert learner.traces == 1
    # The cost of labels is a mean over the two that are known, not over eight.
    learner.pair.encoder.factor("y").network.set_weights([np.zeros((3, 3)), np.zeros(3)])
    found = learner.evaluate(labelled(2), return_dict=True, verbose=0)
    assert found["encoder/y/paired"] == pytest.approx(np.log(3.0), rel=1e-6)
    assert np.isfinite(logs["val_encoder/y/paired"]).all()


def test_whole_data_and_then_data_with_gaps_are_both_learned_from():
    """A step on data with gaps is that of a fresh learner, whichever data came before."""
    fit = {"batch_size": 8, "verbose": 0}
    first = SymmetricEquilibrium(semi(), seed=4)
    first.compile("sgd")
    start = [weight.numpy() for weight in first.trainable_weights]
    first.fit(labelled(8), **fit)
    halfway, trained = first.get_weights(), [w.numpy() for w in first.trainable_weights]
    fresh = SymmetricEquilibrium.from_config(first.get_config())
    fresh.compile("sgd")
    fresh.set_weights(halfway)
    logs = [learner.fit(labelled(3), **fit).history for learner in (first, fresh)]
    assert logs[0] == logs[1]
    for after, expected in zip(first.get_weights(), fresh.get_weights(), strict=True):
        np.testing.assert_array_equal(after, expected)
    for weight, before, between in zip(first.trainable_weights, start, trained, strict=True):
        assert np.any(before != between) and np.any(between != weight.numpy())


def images(name="learner", **options):
    """Returns a compiled ELBO of images; its weights are always the same."""
    keras.utils.set_random_seed(1)
    return compiled(ELBO(cases.ladder(), seed=2, name=name), **options)


def test_names_and_folders_may_be_of_any_language(tmp_path):
    learner, folder = images("изображения"), tmp_path / "mes résultats 年"
    saved = folder / "modèle {epoch}.keras"
    watchers = [Backup(folder / "état"), keras.callbacks.ModelCheckpoint(saved)]
    learner.fit(cases.images(16), batch_size=8, epochs=2, callbacks=watchers, verbose=0)
    loaded = keras.saving.load_model(folder / "modèle 2.keras")
    testing.assert_same_state(loaded, learner)
    assert loaded.name == learner.name


def test_callbacks_of_keras_go_along(tmp_path):
    learner = images()
    watchers = [
        keras.callbacks.TensorBoard(tmp_path / "logs", histogram_freq=1),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.SwapEMAWeights(),
        keras.callbacks.TerminateOnNaN(),
    ]
    learner.compile(keras.optimizers.SGD(0.1, use_ema=True), run_eagerly=True)
    learner.fit(
        cases.images(16),
        validation_data=cases.images(8),
        batch_size=8,
        callbacks=watchers,
        verbose=0,
    )
    assert list((tmp_path / "logs").rglob("events*"))
    assert (tmp_path / "log.csv").read_text(encoding="utf-8").startswith("epoch,")


COPIES = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda learner: pickle.loads(pickle.dumps(learner)),
}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_a_copy_goes_on_as_its_original(copied):
    x, learner = cases.images(16), images()
    learner.fit(x, batch_size=8, verbose=0)
    other = copied(learner)
    for each in (learner, other):
        each.fit(x, batch_size=8, verbose=0, epochs=2, initial_epoch=1)
    testing.assert_same_state(other, learner)


def test_a_clone_has_the_structure_and_weights_of_its_own():
    learner = images()
    clone = keras.models.clone_model(learner)
    shapes = [weight.shape for weight in learner.pair.weights]
    assert [weight.shape for weight in clone.pair.weights] == shapes
    assert not {id(w) for w in learner.weights} & {id(w) for w in clone.weights}
