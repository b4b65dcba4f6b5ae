"""The one exception of this room."""


class EmbeddedFailure(Exception):
    """The embedded server cannot run here; the message says why and what to do, in one sentence."""
