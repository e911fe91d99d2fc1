"""Measuring a pair: likelihood, information, consistency, and distances between sets of images."""

from keras_symvae.evaluation.agreement import agreement, overlaps
from keras_symvae.evaluation.annealing import annealed_log_likelihood
from keras_symvae.evaluation.classifier import ClassifierFeatures
from keras_symvae.evaluation.consistency import consistency
from keras_symvae.evaluation.distances import distance_report, frechet_distance, kernel_distance
from keras_symvae.evaluation.extractor import FeatureExtractor
from keras_symvae.evaluation.features import feature_extractor
from keras_symvae.evaluation.inception import InceptionFeatures
from keras_symvae.evaluation.information import information
from keras_symvae.evaluation.likelihood import log_likelihood

__all__ = [
    "ClassifierFeatures",
    "FeatureExtractor",
    "InceptionFeatures",
    "agreement",
    "annealed_log_likelihood",
    "consistency",
    "distance_report",
    "feature_extractor",
    "frechet_distance",
    "information",
    "kernel_distance",
    "log_likelihood",
    "overlaps",
]
