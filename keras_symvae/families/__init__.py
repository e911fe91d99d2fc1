"""Families of distributions, the heads of every factor."""

from keras_symvae.families.base import Family
from keras_symvae.families.continuous import (
    Beta,
    Continuous,
    Gamma,
    Normal,
    Reparametrised,
    VonMises,
)
from keras_symvae.families.discrete import Bernoulli, Categorical, Discrete, Finite, Poisson
from keras_symvae.families.logistic import DiscretizedLogistic
from keras_symvae.families.record import Record

__all__ = [
    "Bernoulli",
    "Beta",
    "Categorical",
    "Continuous",
    "Discrete",
    "DiscretizedLogistic",
    "Family",
    "Finite",
    "Gamma",
    "Normal",
    "Poisson",
    "Record",
    "Reparametrised",
    "VonMises",
]
