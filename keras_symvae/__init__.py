"""keras_symvae: variational autoencoders learned as games of two players."""

# ruff: noqa: E402
from keras_symvae import environment, former, quiet

environment.check_backend()
quiet.import_tensorflow()
former.install()

from keras_symvae import callbacks, families, learners, pictures, seeds
from keras_symvae.callbacks import Backup
from keras_symvae.data.batches import Batches
from keras_symvae.families import estimators
from keras_symvae.learners import (
    ASVAE,
    AVB,
    ELBO,
    FGAN,
    SVAE,
    WAE,
    Cooperative,
    Learner,
    NonFiniteError,
    SymmetricEquilibrium,
)
from keras_symvae.learners.adversarial import divergences
from keras_symvae.learners.adversarial.critic import Critic
from keras_symvae.learners.step.optimizers import Optimizers
from keras_symvae.model.factors import Factor, ImplicitFactor
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import Player
from keras_symvae.model.team import Team
from keras_symvae.model.trunks import Trunk
from keras_symvae.saved import load
from keras_symvae.version import __version__ as __version__

__all__ = [
    "ASVAE",
    "AVB",
    "ELBO",
    "FGAN",
    "SVAE",
    "WAE",
    "Backup",
    "Batches",
    "Cooperative",
    "Critic",
    "Factor",
    "ImplicitFactor",
    "Learner",
    "NonFiniteError",
    "Optimizers",
    "Pair",
    "Player",
    "SymmetricEquilibrium",
    "Team",
    "Trunk",
    "callbacks",
    "divergences",
    "estimators",
    "families",
    "learners",
    "load",
    "pictures",
    "seeds",
]
