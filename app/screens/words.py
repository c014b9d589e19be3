"""The findings vocabulary: what can be drawn and said, what a project adds, and what it retires."""

import streamlit as st

from app.screens import frame, session
from app.services import vocabulary
from core.findings import Finding, Kind


def show_vocabulary() -> None:
    house = session.house()
    known = vocabulary.vocabulary(house, include_retired=True)
    left, right = st.columns([0.62, 0.38], gap="large")
    with left:
        st.html(_table(known))
    with right:
        with st.form("add-finding", clear_on_submit=True):
            st.html('<div class="rr-title">Add a finding</div>')
            name = st.text_input("Name", placeholder="such as Hiatus hernia")
            kind = st.selectbox("Kind", list(Kind), format_func=str.capitalize)
            prompts = st.text_input("Also said as", placeholder="other words, separated by commas")
            colour = st.color_picker("Colour", "#F2B84B")
            if st.form_submit_button("Add", type="primary") and kind is not None:
                with frame.told():
                    vocabulary.add(house, name, kind, colour, prompts.split(","), session.reader())
                    st.rerun()
        current = [finding for finding in known if not finding.retired]
        retired = [finding for finding in known if finding.retired]
        _move("Retire", current, "Take it out of the lists; what was marked with it stays")
        if retired:
            _move("Bring back", retired, "Put it in the lists again")


def _move(deed: str, findings: list[Finding], tip: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.selectbox(deed, findings, index=None, placeholder="Finding", format_func=lambda each: each.name)
        if st.button(deed, help=tip, disabled=chosen is None, key=f"finding-{deed}") and chosen is not None:
            house, reader = session.house(), session.reader()
            if deed == "Retire":
                vocabulary.retire(house, chosen.key, reader)
            else:
                vocabulary.add(house, chosen.name, chosen.kind, chosen.colour, chosen.prompts, reader)
            st.rerun()


def _table(known: tuple[Finding, ...]) -> str:
    rows = "".join(
        f'<tr><td><i class="rr-dot" style="background:{frame.quoted(each.colour)}"></i>{frame.escaped(each.name)}</td>'
        f"<td>{each.kind}</td><td>{frame.escaped(', '.join(each.prompts))}</td>"
        f"<td>{'retired' if each.retired else ''}</td></tr>"
        for each in known
    )
    return (
        '<table class="rr-table"><thead><tr><th>Finding</th><th>Kind</th><th>Also said as</th><th></th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
