"""The pose library as a service: built-in poses, and those that users save."""
