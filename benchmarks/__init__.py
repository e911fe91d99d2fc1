"""Measurements of speed."""

import keras_symvae as keras_symvae  # first, so that TensorFlow starts without its notices
