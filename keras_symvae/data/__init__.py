"""Data: from whatever `fit` takes to the batch of one step."""
