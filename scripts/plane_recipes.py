"""Recipes of the plane: one network body and one budget, and what each game has of its own."""

from typing import Any

from keras_symvae import ASVAE, AVB, ELBO, FGAN, SVAE, WAE, SymmetricEquilibrium

COMMON: dict[str, Any] = {"steps": 3000, "batch_size": 128, "warm": 100}
COMMON |= {"width": 64, "critic_width": 128, "activation": "relu", "frequencies": [2.0, 4.0, 8.0]}
COMMON |= {"latent": 2, "scale": 0.1, "beta_1": 0.5}
COMMON |= {"rate": 1e-3, "critic_rate": 2e-3, "critic_steps": 1, "critic_decays": False}
METHODS: dict[str, dict[str, Any]] = {
    "symmetric": {"learner": "symmetric", "options": {}},
    "elbo": {"learner": "elbo", "options": {}},
    "avb": {"learner": "avb", "options": {}},
    "as_vae": {"learner": "as_vae", "options": {"reconstruction": {"x": 0.1, "z": 1.0}}},
    "as_vae-g": {"learner": "as_vae", "options": {"reconstruction": {"x": 0.02, "z": 1.0}}},
    "as_vae-r": {"learner": "as_vae", "options": {"reconstruction": 1.0}},
    "svae": {"learner": "svae", "options": {}},
    "svae-r": {"learner": "svae", "options": {"reconstruction": {"x": 0.1, "z": 1.0}}},
    "ali": {"learner": "svae", "options": {"game": "ali"}},
    "wae-mmd": {"learner": "wae", "options": {}},
    "wae-gan": {"learner": "wae-gan", "options": {"penalty": "gan"}},
    "fgan": {"learner": "fgan", "options": {"non_saturating": True}},
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
