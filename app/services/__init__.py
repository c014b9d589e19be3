"""Use cases: one function is one thing a person does. Screens, routes and commands only translate."""
