"""The scripts: train, sample, evaluate and export from the command line."""

import keras_symvae as keras_symvae  # first, so that TensorFlow starts without its notices
