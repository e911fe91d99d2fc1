"""Every question of every model: it is answered rightly, or refused in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties import arguments, models, values
from tests.properties.call import Call
from tests.properties.profile import tries

OUTPUTS = st.sampled_from(["sample", "mean", "mode"])
COUNTS = st.sampled_from([1, 2, 3])


def asked(model, question, usual, **options):
    """Returns the `Call` of a question, with all that these have in common."""
    usual = {"seed": arguments.SEEDS, **usual}
    odd = {"seed": arguments.INTEGERS, "n": arguments.INTEGERS, "steps": arguments.INTEGERS}
    odd |= {"data": values.data(model), "latents": values.data(model), "start": values.data(model)}
    return Call(
        getattr(model, question),
        usual,
        odd={name: strategy for name, strategy in odd.items() if name in usual},
        words=(*model.families, question, "data"),
        weights=models.weights(model),
        **options,
    )


def known(model, *names):
    """Returns a strategy of values of some variables."""
    return COUNTS.map(
        lambda n: {name: values.usual(model.families[name], n, seed=n) for name in names}
    )


def of_pair(pair):
    """Yields (question, `Call`) of what every pair answers."""
    observed = known(pair, *pair.observed, *pair.context)
    latents = known(pair, *pair.latent, *pair.context)
    given = {"output": OUTPUTS}
    context = {name: st.builds(values.usual, st.just(pair.families[name]), st.just(2))
               for name in pair.context}
    n = {"n": st.just(2) if context else COUNTS}
    everything = models.values_of(pair, pair.families, rows="n")
    yield "generate", asked(pair, "generate", n | given | context, needed=("n", *context),
                            right=everything)
    yield "encode", asked(pair, "encode", {"data": observed}, needed=("data",),
                          right=models.values_of(pair, pair.latent))
    yield "decode", asked(pair, "decode", {"latents": latents} | given, needed=("latents",),
                          right=models.values_of(pair, pair.observed))
    yield "reconstruct", asked(pair, "reconstruct", {"data": observed} | given, needed=("data",),
                               right=models.values_of(pair, pair.observed))
    start = {"start": st.none() if context else st.none() | known(pair, *pair.observed)}
    yield "limiting", asked(pair, "limiting",
                            n | {"steps": st.sampled_from([1, 2])} | start | given | context,
                            needed=("n", "steps", *context), right=everything)


def table():
    """Returns {name: Call}."""
    found = {}
    for name in ("ladder", "conditional"):
        model = getattr(models, name)()
        found |= {f"{name}.{question}": call for question, call in of_pair(model)}
    return found


CALLS = table()


@pytest.mark.parametrize("name", CALLS)
@tries(0.3 / len(CALLS))
@given(st.data())
def test_a_question_is_answered_or_refused(name, data):
    CALLS[name].hold(data.draw(CALLS[name].given(), label=name))
