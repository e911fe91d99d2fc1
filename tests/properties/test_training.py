"""Every way to train and to judge a learner: done rightly or refused, and no weight is NaN."""

import functools

import numpy as np
import pytest
from hypothesis import strategies as st

import keras_symvae as sv
from tests.properties import arguments, models, values
from tests.properties.call import Call
from tests.properties.profile import every

SHARE = 0.1  # of all tries: each of them is a hundred times as long as a question
EAGER = True
COUNTS = st.sampled_from([1, 2, 3])
SIZES = ("batch_size", "steps_per_epoch", "validation_steps", "validation_batch_size", "steps")
SIZES += ("validation_freq", "epochs", "initial_epoch", "steps_per_execution")


@functools.cache
def learners():
    """Returns {name: compiled learner}."""
    found = {
        "symmetric": sv.SymmetricEquilibrium(models.fresh_ladder(), draws=2),
        "elbo": sv.ELBO(models.fresh_semi()),
        "cooperative": sv.Cooperative(models.fresh_team(), mixing=0.5),
        "avb": sv.AVB(models.fresh_gaussian()),
    }
    for learner in found.values():
        learner.compile("sgd", run_eagerly=True)
    return found


def known(learner):
    """Returns a strategy of data that a learner may be trained with."""
    model = learner.pair
    names = [name for name in model.families if name in {"x", "y"}]
    return st.sampled_from([3, 4]).map(
        lambda n: {name: values.usual(model.families[name], n, seed=n) for name in names}
    )


def sound(learner, function):
    """Returns a function that asserts that no weight is NaN when it is done, or has failed."""

    @functools.wraps(function)
    def call(**given):
        try:
            return function(**given)
        finally:
            assert all(np.isfinite(weight.numpy()).all() for weight in learner.weights)

    return call


def costs(result, given):
    """Asserts that costs are finite numbers."""
    found = getattr(result, "history", result)
    found = found if isinstance(found, dict) else {"loss": found}
    assert all(np.isfinite(value).all() for value in found.values()), found


def of_learner(learner):
    """Yields the `Call`s of one learner."""
    data, model = known(learner), learner.pair
    odd = dict.fromkeys(SIZES, arguments.INTEGERS) | dict.fromkeys(
        ("x", "validation_data"), values.data(model)
    )
    odd |= {"validation_split": arguments.REALS}

    def call(name, usual, **options):
        function = sound(learner, getattr(learner, name))
        fitting = {each: strategy for each, strategy in odd.items() if each in usual}
        words = (*model.families, "data", "Data", "batch", type(learner).__name__)
        return Call(function, usual, odd=fitting, right=costs, words=words, **options)

    xy = {"x": data, "y": st.none()}
    fit = xy | {
        "batch_size": COUNTS,
        "epochs": st.just(1),
        "callbacks": st.none(),
        "validation_data": st.none() | data,
        "validation_split": st.just(0.0),
        "validation_steps": st.none(),
        "shuffle": st.booleans(),
        "initial_epoch": st.just(0),
        "steps_per_epoch": st.none() | COUNTS,
        "validation_batch_size": st.none(),
        "validation_freq": st.just(1),
        "verbose": st.just(0),
    }
    yield call("fit", fit, needed=("x", "verbose", "batch_size"))
    evaluate = xy | {"batch_size": COUNTS, "steps": st.none(), "verbose": st.just(0)}
    evaluate |= {"return_dict": st.booleans()}
    yield call("evaluate", evaluate, needed=("x", "verbose", "batch_size"))
    one = xy | {"return_dict": st.just(True)}
    yield call("train_on_batch", one, needed=("x", "return_dict"))
    yield call("test_on_batch", one, needed=("x", "return_dict"))


def of_compile():
    """Returns the `Call` of `compile`."""
    learner = sv.SymmetricEquilibrium(models.fresh_ladder())
    usual = {
        "optimizer": st.sampled_from(["adam", {"decoder": "sgd", "encoder": "adam"}]),
        "steps_per_execution": COUNTS,
        "jit_compile": st.booleans(),
        "optimized": st.none(),
        "run_eagerly": st.booleans(),
        "loss": st.none(),
        "metrics": st.none(),
    }

    def right(result, given):
        assert learner.metric_names

    odd = {"steps_per_execution": arguments.INTEGERS}
    words = ("learner", "optimizer", "Optimizer", "Optimizers")
    return Call(learner.compile, usual, odd=odd, right=right, words=words)


def table():
    """Returns {name: Call}."""
    found = {"compile": of_compile()}
    for name, learner in learners().items():
        for call in of_learner(learner):
            found[f"{name}.{call.function.__name__}"] = call
    return found


CALLS = table()


@pytest.mark.usefixtures("eagerly")
@every(CALLS, share=SHARE)
def test_a_learner_is_trained_or_refuses():
    """Costs are finite, and so are the weights afterwards."""
