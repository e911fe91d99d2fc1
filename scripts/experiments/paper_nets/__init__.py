"""The experiment `paper_nets`."""
