"""The experiment `celeb_a_mask_hq`."""
