"""Whether a clinical context is written in English, which is all that the text encoders here have learned."""


def language_note(text: str) -> str | None:
    """A sentence for the screen when the text seems to be in another language than English; None when it may be."""
    return None
