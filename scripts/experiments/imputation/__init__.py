"""The experiment `imputation`."""
