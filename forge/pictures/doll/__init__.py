"""Paper doll: draws characters with Pillow alone, from keypoints and words. No model is involved.

`words` reads a request into a `description.Description`; `character` fills in what it leaves open, from a
seed and a reference; `drawing.draw_doll` draws the character in a pose. docs/doll.md has the vocabulary.
"""
