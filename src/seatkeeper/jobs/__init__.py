"""The room of what happens by itself."""
