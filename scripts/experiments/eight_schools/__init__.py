"""The experiment `eight_schools`."""
