"""Learners: the games by which a pair is trained."""

from keras_symvae.learners.base import Learner, NonFiniteError
from keras_symvae.learners.cooperative import Cooperative
from keras_symvae.learners.elbo import ELBO
from keras_symvae.learners.symmetric import SymmetricEquilibrium
from keras_symvae.learners.terms import Outcome

__all__ = ["ELBO", "Cooperative", "Learner", "NonFiniteError", "Outcome", "SymmetricEquilibrium"]
