"""The experiment `sampled_priors`."""
