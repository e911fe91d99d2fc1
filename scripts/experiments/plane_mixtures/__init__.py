"""The experiment `plane_mixtures`."""
