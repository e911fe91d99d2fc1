"""The experiment `image_learners`."""
