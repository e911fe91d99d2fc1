"""Models: pairs and teams of players, and what they answer."""
