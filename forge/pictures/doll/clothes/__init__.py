"""Clothes, as layers of outlines."""
