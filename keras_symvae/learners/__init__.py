"""Learners: the games by which a pair is trained."""

from keras_symvae.learners.base import Learner, NonFiniteError
from keras_symvae.learners.elbo import ELBO
from keras_symvae.learners.symmetric import SymmetricEquilibrium

__all__ = ["ELBO", "Learner", "NonFiniteError", "SymmetricEquilibrium"]
