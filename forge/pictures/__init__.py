"""Pure drawing with Pillow: skeletons, poses and sheets. Nothing here reads or writes a file."""
