"""Recipes of the plane: one network body and one budget, and what each game has of its own."""

import dataclasses
from collections.abc import Mapping
from typing import Any

BOTH = ("x", "z")
CRITICS: dict[str, dict[str, tuple[str, ...]]] = {  # of a game, and what they read
    "symmetric": {},
    "elbo": {},
    "avb": {"critic": BOTH},
    "as_vae": {"critic_codes": BOTH, "critic_data": BOTH},
    "svae": {"critic": BOTH},
    "wae": {},
    "wae-gan": {"critic": ("z",)},
    "fgan": {"critic": ("x",)},
}


@dataclasses.dataclass(frozen=True)
class Method:
    """A game, its networks and its budget.

    Args:
        learner: key of `CRITICS`; "wae-gan" is the learner "wae" with a critic.
        steps, batch_size: of the training.
        width, critic_width: of two hidden layers.
        activation: of the hidden layers.
        frequencies: of the waves that a critic of x reads, see `Waves`.
        latent: number of codes.
        scale: standard deviation of p(x | z).
        beta_1: of Adam.
        rate, critic_rate: peak rates of Adam.
        critic_steps: updates of the critics per step.
        critic_decays: whether the critics' rate falls along a cosine, as that of the players does.
        options: further arguments of the learner.
    """

    learner: str
    steps: int = 3000
    batch_size: int = 128
    width: int = 64
    critic_width: int = 128
    activation: str = "relu"
    frequencies: tuple[float, ...] = (2.0, 4.0, 8.0)
    latent: int = 2
    scale: float = 0.1
    beta_1: float = 0.5
    rate: float = 3e-3
    critic_rate: float = 3e-3
    critic_steps: int = 1
    critic_decays: bool = True
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def methods() -> dict[str, Method]:
    """Returns the recipes of the published table.

    Each is the best of four to six of its game, in half of the steps, on a seed that is in no
    table; the variants with -r are those of their games.
    """
    sparing = {"reconstruction": {"x": 0.1, "z": 1.0}}
    as_vae = Method("as_vae", options=sparing)
    # Critics of one joint against the other that see sharply keep only two modes of eight.
    svae = Method("svae", rate=2e-3, critic_rate=2e-3, frequencies=(1.0,))
    avb = Method("avb", rate=4e-3, critic_rate=2e-3, critic_steps=2, critic_decays=False)
    gan = Method("wae-gan", rate=4e-3, critic_rate=4e-3, critic_steps=3, critic_decays=False)
    fgan = Method("fgan", rate=2e-3, critic_rate=2e-3, critic_decays=False)
    gentle = {"non_saturating": True, "gradient_penalty": 0.1}
    return {
        "symmetric": Method("symmetric", rate=8e-3),
        "symmetric-4": Method("symmetric", rate=1.2e-2, options={"draws": 4}),
        "symmetric-16": Method("symmetric", rate=1.2e-2, options={"draws": 16}),
        "elbo": Method("elbo", rate=4e-3),
        "avb": dataclasses.replace(avb, frequencies=(1.0,)),
        "as_vae": as_vae,
        "as_vae-r": dataclasses.replace(as_vae, options={"reconstruction": 1.0}),
        "svae": svae,
        "svae-r": Method("svae", options=sparing),
        "ali": dataclasses.replace(svae, options={"game": "ali"}),
        "wae-mmd": Method("wae", rate=8e-3, options={"penalty_weight": 5.0}),
        "wae-gan": dataclasses.replace(gan, options={"penalty": "gan", "penalty_weight": 1.0}),
        "fgan": dataclasses.replace(fgan, options=gentle),
    }
