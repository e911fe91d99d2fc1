"""The experiment `four_points`."""
