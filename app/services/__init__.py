"""Use cases: one function is one thing a person does, in one transaction. Screens, routes and commands only translate."""
