"""Paper doll: draws characters with Pillow alone, from keypoints and words. No model is involved.

`words` reads a request into a `character.description.Description`; `character` fills in what it leaves open,
from a seed and a reference; `poses` tells where the joints are; `figure`, `hair`, `clothes` and `held` make
layers of outlines; `painting` paints them. `drawing` draws one picture, `views` all views of a character.
docs/doll.md has the vocabulary.
"""
