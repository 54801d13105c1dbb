"""What a character looks like: what the words say, and what seed and reference decide."""
