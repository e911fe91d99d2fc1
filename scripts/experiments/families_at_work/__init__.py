"""The experiment `families_at_work`."""
