"""Reads the words of a request into a description of the character."""
