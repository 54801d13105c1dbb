"""Things in the hands, as layers of outlines."""
