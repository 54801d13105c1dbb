"""The pose library: people in three dimensions, and their projections from any side."""
