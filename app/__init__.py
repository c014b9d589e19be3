"""What a person sees: the browser workstation and the command line. Nothing imports this package."""
