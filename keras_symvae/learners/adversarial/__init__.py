"""Adversarial learners: games in which critics play beside the pair."""
