"""Learners: the games by which a pair is trained."""

from keras_symvae.learners.as_vae import ASVAE
from keras_symvae.learners.avb import AVB
from keras_symvae.learners.base import Learner, NonFiniteError
from keras_symvae.learners.cooperative import Cooperative
from keras_symvae.learners.elbo import ELBO
from keras_symvae.learners.fgan import FGAN
from keras_symvae.learners.svae import SVAE
from keras_symvae.learners.symmetric import SymmetricEquilibrium
from keras_symvae.learners.terms import Outcome
from keras_symvae.learners.wae import WAE

__all__ = [
    "ASVAE",
    "AVB",
    "ELBO",
    "FGAN",
    "SVAE",
    "WAE",
    "Cooperative",
    "Learner",
    "NonFiniteError",
    "Outcome",
    "SymmetricEquilibrium",
]
