"""Draws skeletons, poses and sheets with Pillow. Nothing here reads or writes a file."""
