"""``dev.py bench``: what the pack costs on a real ComfyUI, beside ComfyUI's own routes and the machine.

Everything is measured in one run and compared within it: on a shared machine only ratios count. A missed
target is a row in the table, not a failure.
"""
