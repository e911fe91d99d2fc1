"""Recipes of the plane: one network body and one budget, and what each game has of its own."""

from typing import Any

from keras_symvae import ASVAE, AVB, ELBO, FGAN, SVAE, WAE, SymmetricEquilibrium

COMMON: dict[str, Any] = {"steps": 3000, "batch_size": 128, "warm": 100}
COMMON |= {"width": 64, "critic_width": 128, "activation": "relu", "frequencies": [2.0, 4.0, 8.0]}
COMMON |= {"latent": 2, "scale": 0.1, "beta_1": 0.5}
COMMON |= {"rate": 3e-3, "critic_rate": 3e-3, "critic_steps": 1, "critic_decays": True}
# Critics of one joint against the other, who see sharply, leave two modes of eight.
BLUNT = {"rate": 2e-3, "critic_rate": 2e-3, "frequencies": [1.0]}
SPARING = {"x": 0.1, "z": 1.0}
# The best of four to six of each game, in half of the steps, on a seed that is in no table; the
# variants with -r are those of their games.
METHODS: dict[str, dict[str, Any]] = {
    "symmetric": {"learner": "symmetric", "rate": 8e-3, "options": {}},
    "elbo": {"learner": "elbo", "rate": 4e-3, "options": {}},
    "avb": {
        "learner": "avb",
        "rate": 4e-3,
        "critic_rate": 2e-3,
        "critic_steps": 2,
        "critic_decays": False,
        "frequencies": [1.0],
        "options": {},
    },
    "as_vae": {"learner": "as_vae", "options": {"reconstruction": SPARING}},
    "as_vae-r": {"learner": "as_vae", "options": {"reconstruction": 1.0}},
    "svae": {"learner": "svae", **BLUNT, "options": {}},
    "svae-r": {"learner": "svae", "options": {"reconstruction": SPARING}},
    "ali": {"learner": "svae", **BLUNT, "options": {"game": "ali"}},
    "wae-mmd": {"learner": "wae", "rate": 8e-3, "options": {"penalty_weight": 5.0}},
    "wae-gan": {
        "learner": "wae-gan",
        "rate": 4e-3,
        "critic_rate": 4e-3,
        "critic_steps": 3,
        "critic_decays": False,
        "options": {"penalty": "gan", "penalty_weight": 1.0},
    },
    "fgan": {
        "learner": "fgan",
        "rate": 2e-3,
        "critic_rate": 2e-3,
        "critic_decays": False,
        "options": {"non_saturating": True, "gradient_penalty": 0.1},
    },
}
BOTH = ("x", "z")
LEARNERS: dict[str, Any] = {  # and what their critics read
    "symmetric": (SymmetricEquilibrium, {}),
    "elbo": (ELBO, {}),
    "avb": (AVB, {"critic": BOTH}),
    "as_vae": (ASVAE, {"critic_codes": BOTH, "critic_data": BOTH}),
    "svae": (SVAE, {"critic": BOTH}),
    "wae": (WAE, {}),
    "wae-gan": (WAE, {"critic": ("z",)}),
    "fgan": (FGAN, {"critic": ("x",)}),
}
