"""In work."""


def show() -> None: ...
