"""The experiment `gaussian_fits`."""
