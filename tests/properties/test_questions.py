"""Every question of every model: it is answered rightly, or refused in words."""

import dataclasses

import numpy as np
import pytest
from hypothesis import strategies as st

from keras_symvae import evaluation
from tests.properties import arguments, models, values
from tests.properties.call import Call
from tests.properties.profile import every

SHARE = 0.4  # of all tries
OUTPUTS = st.sampled_from(["sample", "mean", "mode"])
COUNTS = st.sampled_from([1, 2, 3])
FEW = st.sampled_from([1, 2])
TABLE = ("table", "Column", "column", "Columns")
NUMBERS = ("seed", "n", "steps", "samples", "batch_size", "num_samples", "chunk", "num_chains")


def asked(model, function, usual, **options):
    """Returns the `Call` of a question, with all that these have in common."""
    usual = {"seed": arguments.SEEDS, **usual}
    odd = dict.fromkeys(NUMBERS, arguments.INTEGERS)
    odd |= dict.fromkeys(("data", "latents", "start", "x", "values"), values.data(model))
    odd |= {name: values.variable(model.families[name]) for name in model.families}
    odd |= options.pop("odd", {})
    return Call(
        function,
        usual,
        odd={name: strategy for name, strategy in odd.items() if name in usual},
        words=(*model.families, function.__name__, "data", *options.pop("words", ())),
        weights=models.weights(model),
        **options,
    )


def known(model, *names):
    """Returns a strategy of values of some variables."""
    return COUNTS.map(
        lambda n: {name: values.usual(model.families[name], n, seed=n) for name in names}
    )


def two(family):
    """Returns a strategy of two values of one variable."""
    return st.sampled_from([0, 1]).map(lambda seed: values.usual(family, 2, seed=seed))


def of_pair(model, owner):
    """Yields the `Call`s of what every pair answers, asked of the pair or of its learner."""
    drawn, families = models.values_of, model.families
    observed = known(model, *model.observed, *model.context)
    latents = known(model, *model.latent, *model.context)
    output, context = {"output": OUTPUTS}, {name: two(families[name]) for name in model.context}
    n = {"n": st.just(2) if context else COUNTS}
    needed = ("n", *context)
    data, everything = {"data": observed}, drawn(model, families, rows="n")
    seen = drawn(model, model.observed)
    yield asked(model, owner.generate, n | output | context, needed=needed, right=everything)
    yield asked(model, owner.encode, data, needed=("data",), right=drawn(model, model.latent))
    yield asked(model, owner.decode, {"latents": latents} | output, needed=("latents",), right=seen)
    yield asked(model, owner.reconstruct, data | output, needed=("data",), right=seen)
    chain = n | {"steps": FEW, "start": st.none()} | output | context
    yield asked(model, owner.limiting, chain, needed=("steps", *needed), right=everything)
    start = {"steps": FEW, "start": observed} | output
    yield asked(model, owner.limiting, start, needed=("steps", "start"), right=everything)


def predictions(model, owner, data, right):
    """Yields the `Call`s of Keras's questions."""
    usual = {"x": data, "batch_size": COUNTS | st.none(), "steps": FEW | st.none()}
    usual |= {"verbose": st.just(0), "callbacks": st.none()}
    call = asked(model, owner.predict, usual, needed=("x",), right=right)
    del call.usual["seed"]
    yield call
    call = asked(model, owner.predict_on_batch, {"x": data}, needed=("x",), right=right)
    del call.usual["seed"]
    yield call


def measured(low=-np.inf, high=np.inf):
    """Returns a check of numbers [N]."""

    def right(result, given):
        assert result.ndim == 1 and result.dtype == np.float64
        assert np.all((result >= low) & (result <= high))

    return right


def ask_ladder():
    pair = models.ladder()
    yield from of_pair(pair, pair)
    data = known(pair, "x")
    yield from predictions(pair, pair, data, models.values_of(pair, pair.families))
    likelihood = {"data": data, "num_samples": COUNTS, "chunk": COUNTS}
    yield asked(
        pair,
        evaluation.log_likelihood,
        {"pair": st.just(pair)} | likelihood,
        needed=("pair", "data", "num_samples"),
        right=measured(high=0),
    )
    information = {"pair": st.just(pair), "values": data, "chunk": COUNTS}
    yield asked(
        pair, evaluation.information, information, needed=("pair", "values"), right=informed
    )
    chain = {
        "pair": st.just(pair),
        "steps": st.sampled_from([(0, 1), [1], (0,)]),
        "n": COUNTS,
        "start": st.none() | data,
        "distance": st.none() | st.just(np.mean),
        "output": OUTPUTS,
    }
    yield asked(
        pair, evaluation.consistency, chain, needed=("pair", "steps", "n"), right=consistent
    )


def informed(result, given):
    for found in result.values():
        assert np.all((found >= 0) & (found <= np.log(2) + 1e-6))


def consistent(result, given):
    assert result
    for row in result:
        assert np.isfinite([value for key, value in row.items() if key != "state"]).all()


def ask_conditional():
    pair = models.conditional()
    yield from of_pair(pair, pair)
    annealed = {
        "pair": st.just(pair),
        "data": known(pair, "x", "y"),
        "num_chains": FEW,
        "num_steps": FEW,
        "start": st.sampled_from(["prior", "encoder"]),
        "step_size": st.just(0.1),
        "chunk": COUNTS,
    }
    yield asked(
        pair,
        evaluation.annealed_log_likelihood,
        annealed,
        odd={"num_steps": arguments.INTEGERS, "step_size": arguments.REALS},
        needed=("pair", "data", "num_chains", "num_steps"),
        cost=10,
        right=measured(),
    )


def ask_learner():
    learner = models.learner()
    pair, data = learner.pair, known(learner.pair, "x")
    yield from of_pair(pair, learner)
    yield from predictions(pair, learner, data, models.values_of(pair, pair.families))
    likelihood = {"data": data, "num_samples": COUNTS, "chunk": COUNTS}
    yield asked(
        pair,
        learner.log_likelihood,
        likelihood,
        needed=("data", "num_samples"),
        right=measured(high=0),
    )


def ask_semi():
    pair = models.semi()
    images = COUNTS.map(lambda n: values.usual(pair.families["x"], n))

    def right(result, given):
        assert result.shape[1:] == (3,) and np.allclose(result.sum(1), 1, atol=1e-5)

    usual = {"images": images, "steps": st.sampled_from([0, 1, 2])}
    odd = {"images": values.variable(pair.families["x"])}
    yield asked(pair, pair.classify, usual, odd=odd, needed=("images",), right=right)
    yield from of_pair(pair, pair)
    reader = models.patches()
    patch = st.just(np.zeros((2, 2, 1, 2), "float32"))
    usual = {"filters": patch, "images": images, "bias": st.sampled_from([-0.5, np.zeros(2)])}
    adopt = Call(reader.adopt, usual, needed=("filters", "images"), odd=odd, words=("x", "body"))
    yield adopt


def ask_segmentation():
    team = models.segmentation()
    image, maps = team.families["x"], team.families["s"]
    images, labels = two(image), two(maps)

    def segmented(result, given):
        assert result["s"].shape == (*result["s"].shape[:1], 4, 4)
        assert np.allclose(result["probabilities"].sum(-1), 1, atol=1e-5)
        assert result["samples"].shape[1] == given.get("samples", 16)
        assert np.all(result["uncertainty"] >= 0)

    def painted(result, given):
        assert result.shape[-3:] == image.shape and np.isfinite(result).all()

    odd = {"images": values.variable(image), "donor_images": values.variable(image)}
    odd |= {"label_maps": values.variable(maps), "donor_maps": values.variable(maps)}
    odd |= {"z2": values.variable(team.families["z2"])}
    usual = {"images": images, "samples": FEW}
    yield asked(team, team.segment, usual, odd=odd, needed=("images",), right=segmented)
    usual = {"label_maps": labels, "z2": st.none() | two(team.families["z2"]), "output": OUTPUTS}
    yield asked(team, team.render, usual, odd=odd, needed=("label_maps",), right=painted)
    usual = {"donor_images": images, "donor_maps": labels, "label_maps": labels, "output": OUTPUTS}
    needed = ("donor_images", "donor_maps", "label_maps")
    yield asked(team, team.transfer, usual, odd=odd, needed=needed, right=painted)
    usual = {"n": COUNTS, "steps": FEW, "start": st.none(), "output": OUTPUTS}
    right = models.values_of(team, ["x", "s", "z1", "z2"], rows="n")
    yield asked(team, team.limiting_pairs, usual, needed=("n", "steps"), right=right)
    usual = {"steps": FEW, "start": known(team, "x", "s"), "output": OUTPUTS}
    right = models.values_of(team, ["x", "s", "z1", "z2"])
    yield asked(team, team.limiting_pairs, usual, needed=("start", "steps"), right=right)


def ask_table():
    table = models.table()
    row, cells = table.families["row"], {"a": [0.5, None], "n": [None, 3], "c": ["yes", ""]}
    rows, data = two(row), st.sampled_from([cells, {"n": [1, 2]}, {"c": [None, "no"]}])

    def filled(result, given):
        assert result.keys() == set(table.columns)
        assert {each.shape for each in result.values()} == {(2, given.get("samples", 20))}

    usual = {"data": data, "samples": FEW, "steps": FEW}
    yield asked(table, table.impute, usual, needed=("data",), right=filled, words=TABLE)
    call = asked(table, table.rows, {"data": data}, needed=("data",), words=TABLE)
    del call.usual["seed"]
    yield call
    call = asked(table, table.cells, {"rows": rows}, odd={"rows": values.variable(row)})
    del call.usual["seed"]
    yield dataclasses.replace(call, needed=("rows",))


def ask_team():
    team = models.team()

    def right(result, given):
        assert result.keys() == team.members.keys()
        for member, found in result.items():
            models.values_of(team[member], team[member].families)(found, given)

    yield from predictions(team, team, known(team, "x", "y"), right)
    for question in ("generate", "encode", "decode", "reconstruct", "limiting"):
        first = {"generate": "n", "limiting": "n", "decode": "latents"}.get(question, "data")
        yield asked(team, getattr(team, question), {first: COUNTS}, needed=(first,), right=never)


def never(result, given):
    raise AssertionError("a team has no answer of its own")


def table():
    """Returns {name: Call}."""
    found = {}
    for ask in (
        ask_ladder,
        ask_conditional,
        ask_learner,
        ask_semi,
        ask_segmentation,
        ask_table,
        ask_team,
    ):
        for call in ask():
            owner = ask.__name__.removeprefix("ask_")
            name = f"{owner}.{call.function.__name__}"
            found[f"{name} from start" if name in found else name] = call
    return found


CALLS = table()
EAGER = True


@pytest.mark.usefixtures("eagerly")
@every(CALLS, share=SHARE)
def test_a_question_is_answered_or_refused():
    """Answers have the names, shapes, types and ranges of their variables."""
