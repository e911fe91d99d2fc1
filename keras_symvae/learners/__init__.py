"""Learners: the games by which a pair is trained."""

from keras_symvae.learners.adversarial.as_vae import ASVAE
from keras_symvae.learners.adversarial.avb import AVB
from keras_symvae.learners.adversarial.fgan import FGAN
from keras_symvae.learners.adversarial.svae import SVAE
from keras_symvae.learners.adversarial.wae import WAE
from keras_symvae.learners.cooperative import Cooperative
from keras_symvae.learners.elbo import ELBO
from keras_symvae.learners.learner import Learner, NonFiniteError
from keras_symvae.learners.step.cost import Outcome
from keras_symvae.learners.symmetric import SymmetricEquilibrium

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
