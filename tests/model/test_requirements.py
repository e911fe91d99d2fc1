"""Tests of requirements: each has a pair that meets it, and one that is refused with a remedy."""

import keras
import numpy as np
import pytest

from keras_symvae import Factor, ImplicitFactor, Pair, Player, families
from keras_symvae.learners.adversarial.joints import Reconstructed
from keras_symvae.model.requirements import (
    Densities,
    FixedPrior,
    Gradients,
    IsPair,
    IsTeam,
    Means,
    NoContext,
    PriorDensity,
    RealCodes,
    Requirement,
    check,
    refusal,
)
from tests import cases

REAL = families.Normal(2)
POINTS = np.zeros((5, 2), "float32")


def pair(*, x=REAL, z=REAL, decoder=Factor, encoder=Factor, learned=False, prior=None):
    """Returns a pair p(z) p(x | z), q(z | x) over these families."""
    known = {"x": x, "z": z}

    def conditional(kind, name, given):
        shape = known[name].raw_shape if kind is Factor else known[name].shape
        options = {} if kind is Factor else {"noise_shape": None}
        return kind(name, given=given, network=keras.layers.Dense(int(np.prod(shape))), **options)

    roots = [Factor("z", learned=learned)] if prior is None else []
    return Pair(
        Player([*roots, conditional(decoder, "x", "z")], families=known, name="decoder"),
        Player([conditional(encoder, "z", "x")], families=known, name="encoder"),
        prior=prior,
    )


BITS, CLASSES = families.Bernoulli(2), families.Categorical((), num_classes=3)
ROWS = [  # (requirement, a pair that meets it, one that does not, what the refusal says)
    (IsPair(), pair, cases.team, r"trains a Pair; received Team; use Cooperative, or one of its"),
    (IsPair(), pair, lambda: "a pair", r"trains a Pair; received str\."),
    (IsTeam(), cases.team, pair, r"trains a Team of pairs; received Pair"),
    (
        Densities(),
        pair,
        lambda: pair(encoder=ImplicitFactor),
        r"needs a log-density of every factor, but encoder factor 'z' is implicit; use AVB or WAE",
    ),
    (
        Densities("decoder", why="with reconstruction "),
        lambda: pair(encoder=ImplicitFactor),
        lambda: pair(decoder=ImplicitFactor),
        r"with reconstruction needs .* but decoder factor 'x' is implicit; use WAE or FGAN",
    ),
    (
        PriorDensity(),
        pair,
        lambda: pair(prior={"z": POINTS}),
        r"needs log p\(z\), but the prior .* known only by samples; use SymmetricEquilibrium\.",
    ),
    (
        Gradients(),
        lambda: pair(x=BITS),
        lambda: pair(z=BITS),
        r"through draws of 'z', which Bernoulli.* does not give; use SymmetricEquilibrium, or a N",
    ),
    (
        Gradients("decoded"),
        pair,
        lambda: pair(x=BITS),
        r"through draws of 'x', which Bernoulli.* does not give; use SymmetricEquilibrium, or a N",
    ),
    (Gradients("all"), pair, lambda: pair(x=BITS, z=BITS), r"through draws of '[xz]'.*; use Sym"),
    (
        Gradients(estimated=True),
        lambda: pair(z=BITS),
        lambda: pair(z=families.Poisson(2)),
        r"through draws of 'z', which Poisson.* does not give; use SymmetricEquilibrium\.",
    ),
    (
        FixedPrior(),
        pair,
        lambda: pair(learned=True),
        r"cannot teach it, but p\(z \| \.\.\.\) has weights; take a prior without weights\.",
    ),
    (
        NoContext(),
        pair,
        cases.conditional,
        r"\('y',\) is context\. Give the decoder factors for it, or leave it out\.",
    ),
    (
        RealCodes(),
        pair,
        lambda: pair(prior={"z": POINTS}),
        r"known only by samples; leave out adaptive_contrast\.",
    ),
    (RealCodes(), pair, lambda: pair(z=BITS), r"'z' is Bernoulli.*; leave out adaptive_contrast\."),
    (
        Means(),
        lambda: pair(z=CLASSES),
        lambda: pair(x=CLASSES),
        r"moves the mean of 'x', and Categorical.* has none; use SymmetricEquilibrium\.",
    ),
    (
        Reconstructed({"z": 1.0}),
        lambda: pair(decoder=ImplicitFactor),
        lambda: pair(encoder=ImplicitFactor),
        r"with reconstruction=.* needs .* but encoder factor 'z' is implicit; use AVB or WAE",
    ),
]


def test_every_requirement_has_its_row():
    kinds = {
        kind for kind in Requirement.__subclasses__() if kind.__module__.startswith("keras_symvae.")
    }
    assert {type(requirement) for requirement, *_ in ROWS} == kinds


@pytest.mark.parametrize(("requirement", "meets", "fails", "message"), ROWS)
def test_a_pair_meets_it_or_is_refused_in_the_name_of_who_asks(requirement, meets, fails, message):
    assert refusal(meets(), [requirement], asker="Asker") is None
    check(meets(), [requirement], asker="Asker")
    with pytest.raises(ValueError, match=f"^Asker .*{message}") as told:
        check(fails(), [requirement], asker="Asker")
    assert str(told.value) == refusal(fails(), [requirement], asker="Asker")
    assert str(told.value).endswith(".")


@pytest.mark.parametrize("kind", [PriorDensity, FixedPrior])
def test_who_asks_may_name_a_remedy_of_its_own(kind):
    model = pair(prior={"z": POINTS}) if kind is PriorDensity else pair(learned=True)
    reason = refusal(model, [kind(remedy="do this")], asker="Asker")
    assert reason.endswith("; do this.")


def test_the_first_requirement_that_is_not_met_is_told():
    asked = [NoContext(), Densities(), PriorDensity()]
    with pytest.raises(ValueError, match=r"^Asker needs log p\(z\)"):
        check(pair(prior={"z": POINTS}), asked, asker="Asker")
    with pytest.raises(ValueError, match=r"^Asker needs a log-density"):
        check(pair(prior={"z": POINTS}, encoder=ImplicitFactor), asked, asker="Asker")
    check(pair(), asked, asker="Asker")
