"""Hair, as layers of outlines."""
