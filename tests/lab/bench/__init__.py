"""``dev.py bench``: compares the pack on a real ComfyUI with ComfyUI's own routes and the machine.

All measurements are compared within one run, because only ratios are meaningful on a shared machine. A missed
target is a row in the table, not a failure.
"""
