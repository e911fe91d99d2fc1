"""The experiment `cooperation`."""
