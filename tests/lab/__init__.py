"""The tools behind ``dev.py``: they install and run ComfyUI with the pack, make models, and run the checks.

Modules that ``dev.py`` imports need only Python's standard library.
"""
