"""Measuring: distances, likelihoods, information and consistency."""
