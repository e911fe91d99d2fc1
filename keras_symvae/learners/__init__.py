"""Learners: the games by which a pair is trained."""

import importlib
import pkgutil

from keras_symvae.learners.adversarial.as_vae import ASVAE
from keras_symvae.learners.adversarial.avb import AVB
from keras_symvae.learners.adversarial.fgan import FGAN
from keras_symvae.learners.adversarial.svae import SVAE
from keras_symvae.learners.adversarial.wae import WAE
from keras_symvae.learners.cooperative import Cooperative
from keras_symvae.learners.elbo import ELBO
from keras_symvae.learners.learner import Learner, NonFiniteError
from keras_symvae.learners.registry import LEARNERS, get, refusals, register, table
from keras_symvae.learners.step.cost import Outcome
from keras_symvae.learners.symmetric import SymmetricEquilibrium

__all__ = [
    "ASVAE",
    "AVB",
    "ELBO",
    "FGAN",
    "LEARNERS",
    "SVAE",
    "WAE",
    "Cooperative",
    "Learner",
    "NonFiniteError",
    "Outcome",
    "SymmetricEquilibrium",
    "get",
    "refusals",
    "register",
    "table",
]

# A game enters the registry when its file is imported, so every file of this folder is: a new game
# is one file.
for _module in pkgutil.walk_packages(__path__, f"{__name__}."):
    importlib.import_module(_module.name)
