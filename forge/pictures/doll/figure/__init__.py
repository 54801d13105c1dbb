"""The body and the face as layers of outlines, and the order of all layers."""
