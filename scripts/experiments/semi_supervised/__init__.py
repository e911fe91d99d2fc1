"""The experiment `semi_supervised`."""
