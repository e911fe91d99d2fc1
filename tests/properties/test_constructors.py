"""Every constructor: it makes an object that its configuration makes again, or says why not."""

import json

import keras
import numpy as np
from hypothesis import strategies as st

import keras_symvae as sv
import zoo
from keras_symvae import families
from keras_symvae.data import sources
from tests.properties import arguments, models
from tests.properties.call import Call, New
from tests.properties.profile import every

SHARE = 0.35  # of all tries
INTEGERS, REALS = arguments.INTEGERS, arguments.REALS
NAMES = st.sampled_from(["one", "two", "a_b"])
FLAGS = st.booleans()
SHAPES = st.sampled_from([1, 2, (), (2,), (2, 3), [2]])
COUNTS = st.sampled_from([1, 2, 3])
SHARES = st.sampled_from([0.0, 0.5, 1.0, 1])
POSITIVE = st.sampled_from([0.5, 1.0, 2])
REAL = families.Normal(2)


@keras.saving.register_keras_serializable(package="tests.properties")
def simulated(size, seed):
    """Returns what a source of real codes may draw."""
    return {"z": np.zeros((int(size), 2), "float32")}


def made(result, given):
    """Asserts that plain values make the object again."""
    config = result.get_config()
    twin = type(result).from_config(json.loads(json.dumps(config)))
    assert json.dumps(twin.get_config()) == json.dumps(config)


def trains(result, given):
    """Asserts the same of a learner, with the pair that it has: others are made elsewhere."""
    config = result.get_config()
    told = json.loads(json.dumps({n: value for n, value in config.items() if n != "pair"}))
    twin = type(result)(result.pair, **keras.saving.deserialize_keras_object(told))
    same = {name: value for name, value in twin.get_config().items() if name != "pair"}
    assert json.dumps(same) == json.dumps(told)
    assert result.cost_names and result.moves()


def dense(units):
    """Returns a strategy of a new layer."""
    return st.just(New(lambda: keras.layers.Dense(units)))


def of_families():
    """Yields the `Call`s of all families."""
    for name in families.__all__:
        kind = getattr(families, name)
        if getattr(kind, "__abstractmethods__", None):
            continue
        usual = {"shape": SHAPES}
        if name == "Record":
            parts = st.sampled_from([[families.Normal(2)], (families.Poisson(1), families.Beta(1))])
            yield Call(kind, {"parts": parts}, needed=("parts",), right=made, words=(name,))
            continue
        if name == "Poisson":
            usual |= {"rate": POSITIVE}
        if name == "Normal":
            usual |= {
                "scale": st.sampled_from(["element", "each", "shared", 0.5]),
                "center": POSITIVE,
            }
            usual |= {"spread": POSITIVE}
        if name == "Categorical":
            usual |= {"num_classes": st.sampled_from([2, 3])}
        if name == "DiscretizedLogistic":
            usual |= {"components": COUNTS, "coupled": FLAGS}
        odd = {
            "num_classes": INTEGERS,
            "components": INTEGERS,
            "scale": REALS,
            "center": REALS,
            "spread": REALS,
            "rate": REALS,
        }
        odd |= {"shape": INTEGERS}
        odd = {each: strategy for each, strategy in odd.items() if each in usual}
        yield Call(kind, usual, needed=("shape", "num_classes"), odd=odd, right=made, words=(name,))


def of_parts():
    """Yields the `Call`s of what pairs consist of."""
    given = st.sampled_from(["x", ("x",), ["x"]])
    usual = {"name": NAMES, "given": given, "network": dense(2), "tilt": FLAGS}
    usual |= {"learned": st.just(False)}
    yield Call(sv.Factor, usual, needed=("name", "given", "network"), right=made, words=("Factor",))
    usual = {"name": NAMES, "given": given, "network": dense(2)}
    usual |= {"noise_shape": st.sampled_from([None, 2, (2, 3)])}
    needed = ("name", "given", "network", "noise_shape")
    yield Call(sv.ImplicitFactor, usual, needed=needed, odd={"noise_shape": INTEGERS}, right=made)
    usual = {"name": NAMES, "given": given, "network": dense(2)}
    yield Call(sv.Trunk, usual, needed=("given", "network"), right=made, words=("trunk",))
    usual = {
        "given": st.sampled_from(["x", ("x", "z")]),
        "network": st.none() | dense(1),
        "widths": st.sampled_from([(), (2,), (2, 3)]),
        "activation": st.sampled_from(["elu", "tanh"]),
        "offset": st.sampled_from([(), ("x",), "x"]),
        "name": NAMES,
    }
    yield Call(sv.Critic, usual, needed=("given",), right=made, words=("critic", "Critic"))
    known = {"x": families.Normal(2, scale="shared"), "z": REAL}
    factors = st.just(New(two_factors))
    usual = {"factors": factors, "families": st.just(known), "trunk": st.none(), "name": NAMES}
    words = ("Player", "factors", "one", "two", "a_b", "player")
    yield Call(sv.Player, usual, needed=("factors", "families"), right=made, words=words)
    players = {name: st.just(getattr(models.gaussian(), name)) for name in ("decoder", "encoder")}
    usual = {**players, "prior": st.none(), "name": NAMES}
    yield Call(sv.Pair, usual, needed=tuple(players), right=made)
    members = st.just({"one": models.gaussian(), "two": models.gaussian()})
    usual = {"members": members, "name": NAMES}
    yield Call(sv.Team, usual, needed=("members",), right=made, words=("Member",))


def two_factors():
    """Returns p(z) p(x | z)."""
    return [sv.Factor("z"), sv.Factor("x", given="z", network=keras.layers.Dense(2))]


def of_data():
    """Yields the `Call`s of batches and sources."""
    arrays = st.just({"x": np.zeros((4, 2), "float32"), "y": np.arange(4, dtype="int32")})
    usual = {"values": arrays, "batch_size": COUNTS, "seed": arguments.SEEDS, "shuffle": FLAGS}
    usual |= {"transform": st.none()}

    def right(result, given):
        batch = result.at(0)
        assert batch.keys() == given["values"].keys()
        assert all(len(value) == result.batch_size for value in batch.values())

    odd = {"batch_size": INTEGERS, "seed": INTEGERS}
    needed = ("values", "batch_size")
    fixed = ("transform",)  # what is called by its user may do anything
    yield Call(
        sv.Batches, usual, needed=needed, odd=odd, right=right, words=("Batches",), fixed=fixed
    )

    def supplies(result, given):
        assert isinstance(result, sources.Source) or given["prior"] is None

    usual = {"values": arrays, "name": NAMES}
    yield Call(sources.ArraySource, usual, needed=("values",), right=made, words=("source",))
    usual = {"function": st.just(simulated), "names": st.just(("z",)), "name": NAMES}
    yield Call(sources.FunctionSource, usual, needed=("function", "names"), right=made)
    usual = {
        "pair": st.just(New(models.fresh_gaussian)),
        "rename": st.just({"x": "z"}),
        "name": NAMES,
    }
    yield Call(sources.PairSource, usual, needed=("pair", "rename"), right=made)
    prior = st.sampled_from([np.zeros((3, 2)), {"z": np.zeros((3, 2))}, simulated, None])
    usual = {"prior": prior, "names": st.just(("z",))}
    words = ("prior", "source", "A")
    yield Call(sources.get, usual, needed=tuple(usual), right=supplies, words=words)


def of_learners():
    """Yields the `Call`s of all learners."""
    common = {
        "seed": arguments.SEEDS,
        "nonfinite": st.sampled_from(["skip", "raise"]),
        "patience": COUNTS,
        "name": NAMES,
    }
    game = {
        "weights": st.sampled_from([None, {"decoder/paired": 0.5}]),
        "draws": COUNTS,
        "wake": st.none() | SHARES,
        "resampling": st.sampled_from([None, "whole"]),
        "window": st.none(),
        "remember": SHARES,
        "near": SHARES,
    }
    critics = {"critic_steps": COUNTS}
    reconstruction = st.sampled_from([0.0, 1, {"x": 0.5}])
    rows = {
        sv.SymmetricEquilibrium: game | {"information": st.none()},
        sv.Cooperative: game | {"mixing": st.sampled_from([0.5, 1, [[0.5, 0.5], [0.0, 1.0]]])},
        sv.ELBO: {
            "draws": COUNTS,
            "estimator": st.sampled_from([None, "zgr", "gumbel_softmax:0.5"]),
            "kl_weight": POSITIVE,
            "warmup_steps": st.sampled_from([0, 3]),
            "free_bits": st.just(0.0),
            "label_weight": POSITIVE,
        },
        sv.AVB: critics
        | {
            "critic": st.none() | critic("x", "z"),
            "adaptive_contrast": FLAGS,
            "moment_draws": st.sampled_from([2, 3]),
            "kl_weight": POSITIVE,
        },
        sv.ASVAE: critics
        | {
            "critic_codes": critic("x", "z"),
            "critic_data": critic("x", "z"),
            "reconstruction": reconstruction,
        },
        sv.SVAE: critics
        | {
            "critic": critic("x", "z"),
            "game": st.sampled_from(["symmetric_kl", "ali"]),
            "reconstruction": reconstruction,
        },
        sv.WAE: critics
        | {
            "penalty": st.sampled_from(["mmd", "gan", "kl"]),
            "cost": st.sampled_from(["l1", "l2", "squared_l2"]),
            "penalty_weight": POSITIVE,
            "critic": st.none(),
            "kernel": st.sampled_from(["imq", "rbf"]),
            "scales": st.sampled_from([(1.0,), [0.5, 2]]),
            "pretraining_steps": st.sampled_from([0, 2]),
            "gradient_penalty": st.just(0.0),
            "steepness": POSITIVE,
        },
        sv.FGAN: critics
        | {
            "divergence": st.sampled_from(["jensen_shannon", "kl"]),
            "critic": critic("x"),
            "divergence_weight": POSITIVE,
            "non_saturating": FLAGS,
            "gradient_penalty": POSITIVE,
        },
    }
    for kind, usual in rows.items():
        pair = models.team() if kind is sv.Cooperative else models.gaussian()
        usual = {"pair": st.just(pair), **usual, **common}
        needed = ("pair", "mixing", "critic_codes", "critic_data")
        odd = {name: st.one_of(REALS, INTEGERS) for name in usual if name != "pair"}
        words = (*pair.families, kind.__name__)
        yield Call(kind, usual, needed=needed, odd=odd, right=trains, words=words)


def critic(*names):
    """Returns a strategy of a new critic of some variables."""
    return st.just(New(lambda: sv.Critic(names, widths=(2,))))


def of_callbacks(folder="/nowhere/backup"):
    """Yields the `Call`s of all callbacks; none of them touches a file before it is used."""
    rows = {
        "Backup": {
            "directory": st.just(folder),
            "changed": st.sampled_from([(), "allow", ["seed"]]),
        },
        "MetricsLog": {"path": st.just(folder)},
        "TensorBoard": {"directory": st.just(folder)},
        "Pictures": {
            "directory": st.just(folder),
            "values": st.just({"x": np.zeros((2, 2))}),
            "n": COUNTS,
            "seed": arguments.SEEDS,
        },
        "Information": {"values": st.just({"x": np.zeros((2, 2))}), "seed": arguments.SEEDS},
        "Accuracy": {"values": st.just({"x": np.zeros((2, 2)), "y": np.zeros(2, int)})},
        "Progress": {
            "running": st.sampled_from([("loss",), []]),
            "final": st.just(("loss",)),
            "total": COUNTS,
        },
    }
    for name, usual in rows.items():
        odd = {n: INTEGERS for n in ("n", "seed", "total") if n in usual}
        needed = ("directory", "path", "values")
        yield Call(getattr(sv.callbacks, name), usual, needed=needed, odd=odd, words=(name,))


def of_optimizers():
    """Yields the `Call`s of what `compile` takes."""
    both = st.sampled_from([{"decoder": "adam", "encoder": "sgd"}, {"decoder": "adam"}])
    usual = {"optimizers": both, "loss_scale_factor": st.none(), "name": st.none() | NAMES}
    words = ("optimizer", "optimizers", "Optimizers")
    yield Call(sv.Optimizers, usual, needed=("optimizers",), right=made, words=words)


def of_zoo():
    """Yields the `Call`s of the architectures, with small networks."""
    width = {"width": st.just(2), "name": NAMES}
    image = {"image_shape": st.sampled_from([(2, 2, 1), [3, 3, 1]])}
    likelihood = {"likelihood": st.sampled_from(["bernoulli", "normal"])}
    body, activation = {"body": st.just("mlp")}, st.sampled_from(["tanh", "relu"])
    latents = {"latents": st.sampled_from([(2,), [2, 1], (REAL,)])}
    classes = {"num_classes": st.sampled_from([2, 3])}
    ladder = {
        **latents,
        "order": st.sampled_from(["ladder", "reverse"]),
        "trunk_width": st.none() | COUNTS,
        "decoder_activation": activation,
        "depth": COUNTS,
        "skips": FLAGS,
        "prior": st.none(),
    }
    implicit = {"latent": COUNTS, "noise": COUNTS, "basis": st.none() | COUNTS}
    implicit |= {"depth": COUNTS, "activation": activation}
    filters = {"filters": st.sampled_from([(2,), (2, 2)])}
    rows = {
        zoo.Ladder: image | ladder | body | likelihood | width,
        zoo.Implicit: image | implicit | body | likelihood | width,
        zoo.SemiSupervised: image
        | classes
        | latents
        | {"body": st.sampled_from(["mlp", "patches"]), "filters": COUNTS, "patch": st.just(2)}
        | {"depth": COUNTS}
        | likelihood
        | width,
        zoo.Segmentation: {"image_shape": st.just((4, 4, 1))}
        | classes
        | {"latent": COUNTS, "classes": st.none()}
        | likelihood
        | filters
        | width,
        zoo.Table: {"columns": st.sampled_from([{"a": "real"}, {"a": ["x", "y"], "b": "count"}])}
        | {"latent": st.none() | COUNTS, "depth": COUNTS}
        | width,
    }
    needed = (
        "columns",
        "image_shape",
        "num_classes",
        "latent",
        "latents",
        "width",
        "filters",
        "patch",
    )
    for kind, usual in rows.items():
        odd = {n: st.one_of(INTEGERS, REALS) for n in usual if n != "image_shape"}
        words = (kind.__name__, "x", "z0", "network", "latents", "column", "Column")
        yield Call(kind, usual, needed=needed, odd=odd, right=made, words=words, cost=8)


def table():
    """Returns {name: Call}."""
    parts = (of_families, of_parts, of_data, of_learners, of_callbacks, of_optimizers, of_zoo)
    return {call.function.__qualname__: call for part in parts for call in part()}


CALLS = table()


@every(CALLS, share=SHARE)
def test_an_object_is_made_or_refused():
    """Plain values make the object again."""
