"""Where the joints of the people are, and which way they face."""
