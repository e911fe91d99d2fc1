"""Networks: Keras layers that know nothing of probability."""
