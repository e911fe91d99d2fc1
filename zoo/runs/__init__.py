"""Runs: what a training run is."""
