"""The experiment `camvid`."""
