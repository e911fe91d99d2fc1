"""Trained models as files: their cards, those that are shipped, and where others are found."""

from zoo.trained.card import Card

__all__ = ["Card"]
