"""The insights screen: what readers say of the reports that models write, for the lead."""

from collections.abc import Sequence

import streamlit as st

from app.screens import frame, session
from app.screens.pages import pages
from app.screens.tables import estimated, html_table
from app.services import insights as service
from app.services import vocabulary
from app.services.insights import Insight, Owed
from core.findings import by_key
from core.ratings import ErrorKind, Rate
from core.verdicts import Standing


def show() -> None:
    found = service.of_reports(session.house())
    if not found.standings:
        frame.empty("No report was judged yet.", "Readers judge what models write on the Reports screen.")
        with st.container(horizontal_alignment="center"):
            if st.button("To the reports", type="primary"):
                st.switch_page(pages().reports)
        return
    _show_standings(found.standings)
    _show_errors(found.standings)
    if found.owed is not None:
        _show_debt(found.owed)
    _show_readers(found)


def _show_standings(standings: Sequence[Standing]) -> None:
    _title(
        "Reports by model", "Shares with their 95 % interval (Wilson). Preferred: of the blind pairs that were decided."
    )
    headings = [
        "",
        "judged",
        "readers",
        "overall",
        "would sign",
        "no significant error",
        "preferred",
        "equivalent",
        "neither",
    ]
    rows = [
        [
            each.model,
            f"{each.judgements:,} of {each.reports:,} reports",
            f"{each.readers}",
            f"{each.overall:.2f}" if each.judgements else "",
            _rate(each.signable),
            _rate(each.clean),
            _rate(each.preferred),
            f"{each.equivalent}",
            f"{each.neither}",
        ]
        for each in standings
    ]
    st.html(f'<div class="rr-wide">{html_table(headings, rows, numbers=range(1, len(headings)))}</div>')


def _show_errors(standings: Sequence[Standing]) -> None:
    _title(
        "Errors by category", "Significant, and in brackets the others; the rate is significant errors per judgement."
    )
    headings = ["", *(str(kind) for kind in ErrorKind), "significant per report"]
    rows = []
    for each in standings:
        grave = sum(significant for significant, _ in each.errors.values())
        told = [f"{significant} ({other})" for significant, other in (each.errors[kind] for kind in ErrorKind)]
        rows.append([each.model, *told, f"{grave / each.judgements:.2f}" if each.judgements else ""])
    st.html(f'<div class="rr-wide">{html_table(headings, rows, numbers=range(1, len(headings)))}</div>')


def _show_debt(owed: Owed) -> None:
    """Corrected errors that the model in use makes again: most of all those are what retraining should have undone."""
    told = f"{len(owed.debts)} of {owed.corrected} corrected errors are still made by {owed.model}"
    waiting = f"; it has not written about {owed.waiting} corrected studies yet" if owed.waiting else ""
    _title(
        "Correction debt", f"{told}{waiting}. An error is a finding that the labeler hears in one and not in the other."
    )
    names = {
        key: each.name for key, each in by_key(vocabulary.vocabulary(session.house(), include_retired=True)).items()
    }
    for debt in owed.debts:
        words = f"{names.get(debt.finding, debt.finding)}: {'still said' if debt.invented else 'still missed'}"
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if st.button(f"Study {debt.study}", type="tertiary", key=f"debt-{debt.study}-{debt.finding}"):
                st.switch_page(pages().reports, query_params={"study": str(debt.study)})
            st.html(f'<div class="rr-quiet">{frame.escaped(words)}</div>')


def _show_readers(found: Insight) -> None:
    _title("Do readers agree?", "Cohen's kappa of would sign (4 or 5) or not, on reports that both judged.")
    if found.agreements:
        rows = [
            [f"{each.readers[0]} and {each.readers[1]}", estimated(each.kappa, 2), f"{each.reports}"]
            for each in found.agreements
        ]
        st.html(f'<div class="rr-wide">{html_table(["", "kappa", "N"], rows, numbers=(1, 2))}</div>')
    else:
        st.html('<div class="rr-quiet">No report was judged by two readers yet.</div>')
    _title(
        "Which score goes with the readers?", "Spearman's rank correlation with the mean overall rating, over reports."
    )
    rows = [[each.score, estimated(each.correlation, 2), f"{each.reports}"] for each in found.companions]
    st.html(f'<div class="rr-wide">{html_table(["", "correlation", "N"], rows, numbers=(1, 2))}</div>')


def _title(words: str, note: str) -> None:
    st.html(f'<div class="rr-title">{words}</div><div class="rr-quiet">{frame.escaped(note)}</div>')


def _rate(rate: Rate) -> str:
    if rate.value is None or rate.low is None or rate.high is None:
        return "none yet"
    return f"{rate.value:.0%} ({rate.low:.0%} to {rate.high:.0%}), N {rate.n}"
