"""The generation family: a study's films into the words of its report."""
