"""A step: one update of all players, from costs to weights."""
