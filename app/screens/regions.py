import streamlit as st


@st.dialog("x")
def dialog(*a) -> None: ...
