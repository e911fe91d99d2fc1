"""The experiment `segmentation`."""
