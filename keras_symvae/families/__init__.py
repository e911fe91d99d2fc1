"""Exponential families, the heads of every factor."""

from keras_symvae.families.base import Family
from keras_symvae.families.continuous import Beta, Gamma, Normal, VonMises
from keras_symvae.families.discrete import Bernoulli, Categorical, Poisson

__all__ = [
    "Bernoulli",
    "Beta",
    "Categorical",
    "Family",
    "Gamma",
    "Normal",
    "Poisson",
    "VonMises",
]
