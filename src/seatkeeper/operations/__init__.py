"""The room of verbs: what happens first, then, and together or not at all."""
