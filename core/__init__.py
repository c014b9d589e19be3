"""What a study, a mask, a report, a review and a job are, and the rules they keep. Standard library and NumPy only."""
