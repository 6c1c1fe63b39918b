"""The opening: what was found in a few sentences, and a picture of how."""
