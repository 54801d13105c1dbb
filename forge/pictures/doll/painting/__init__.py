"""Paints layers of outlines into a picture, in every style, and into masks."""
