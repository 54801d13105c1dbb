"""The developer's lab: a ComfyUI, synthetic models for it, the pack inside it, and the checks.

Everything that ``dev.py`` imports from here needs nothing but Python's standard library.
"""
