"""keras_symvae: variational autoencoders learned as games of two players."""

# ruff: noqa: E402
from keras_symvae import quiet

quiet.import_tensorflow()

from keras_symvae import callbacks, estimators, families, pictures, seeds
from keras_symvae.batches import Batches
from keras_symvae.callbacks import Backup
from keras_symvae.factors import Factor, ImplicitFactor
from keras_symvae.learners import (
    ELBO,
    Cooperative,
    Learner,
    NonFiniteError,
    SymmetricEquilibrium,
)
from keras_symvae.pair import Pair
from keras_symvae.players import Player
from keras_symvae.team import Team
from keras_symvae.trunks import Trunk

__version__ = "0.1.0"

__all__ = [
    "ELBO",
    "Backup",
    "Batches",
    "Cooperative",
    "Factor",
    "ImplicitFactor",
    "Learner",
    "NonFiniteError",
    "Pair",
    "Player",
    "SymmetricEquilibrium",
    "Team",
    "Trunk",
    "callbacks",
    "estimators",
    "families",
    "pictures",
    "seeds",
]
