"""The screens. Each asks a service and draws; no rule is made here."""
