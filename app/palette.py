"""The colours of the house, for whatever draws."""

INK = "#C9D1DB"
FAINT = "#7D8794"
GROUND = "#0E1116"
RAISED = "#161B22"
LINE = "#232A34"
ACCENT = "#7FA6C9"
DULL = "#4A5868"

CURVES = ("#7FA6C9", "#D5A34A", "#6FAE8A", "#B48EAD", "#C97B7B", "#8FBCBB")
"""Line colours of charts, in order of use; the colours of findings are kept for findings."""
