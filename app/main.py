"""The router: which screen is asked for, inside the frame that all share."""

import streamlit as st

from app import theme
from app.screens import data, frame, insights, models, reports, review, searching, train, trying, worklist
from app.screens.pages import Pages, keep, page

st.set_page_config(page_title="Reading Room", layout="wide", initial_sidebar_state="collapsed")
theme.apply()

pages = Pages(
    worklist=page(worklist.show, "Worklist", default=True),
    review=page(review.show, "Review"),
    reports=page(reports.show, "Reports"),
    searching=page(searching.show, "Search"),
    train=page(train.show, "Train"),
    models=page(models.show, "Models"),
    trying=page(trying.show, "Try"),
    insights=page(insights.show, "Insights"),
    data=page(data.show, "Data"),
)
keep(pages)
chosen = st.navigation(pages.all(), position="hidden")
with frame.told():
    frame.top(pages, chosen)
    chosen.run()
