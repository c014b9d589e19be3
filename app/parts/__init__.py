"""Small pieces of screen that Streamlit has no widget for. They show data and report what was chosen; no more."""
