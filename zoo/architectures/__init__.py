"""Architectures: pairs and teams without a loss."""
