"""The experiment `primal_dual`."""
