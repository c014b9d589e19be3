import re
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.findings import NO_FINDING, VOCABULARY, Finding, State
from core.labeler import label
from core.notes import SYNTHETIC_MARK, context_of, language_note, mode_of, synthesize, without_mark
from core.notes.phrases import DURATIONS, GENERAL, GROUP_OF, GROUPS, INDICATIONS, NO_COMPLAINT
from core.reports import Report

CLASSES = (
    "Atelectasis Cardiomegaly Effusion Infiltration Mass Nodule Pneumonia Pneumothorax Consolidation Edema Emphysema "
    "Fibrosis Pleural_Thickening Hernia"
)
"""Of ChestX-ray14, which the Indiana labels share."""

KEYS = sorted({finding.key for finding in VOCABULARY} | {name.lower() for name in CLASSES.split()})
SPOKEN = sorted(
    {word.lower() for finding in VOCABULARY for word in (finding.name, *finding.prompts)}
    | {key.replace("_", " ") for key in KEYS}
)

states = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(State), max_size=8)


def phrases() -> list[str]:
    groups = (GENERAL, *GROUPS.values())
    told = [phrase for group in groups for phrase in (*group.complaints, *group.history)]
    return [*told, *DURATIONS, *INDICATIONS]


@given(states=states, seed=st.text(max_size=12))
def test_a_symptoms_note_never_names_a_finding(states: dict[str, State], seed: str) -> None:
    note = synthesize(states, "symptoms", seed)
    assert [word for word in SPOKEN if word in note.text.lower()] == []


def heard(text: str) -> set[str]:
    """The findings of which the labeler hears, in whatever state."""
    return {statement.finding for statement in label(Report(findings=text))} - {NO_FINDING}


@pytest.mark.parametrize("phrase", sorted(set(phrases())))
def test_no_phrase_holds_a_word_for_a_finding_or_one_that_the_labeler_hears(phrase: str) -> None:
    assert [word for word in SPOKEN if word in phrase] == []
    assert heard(f"{phrase}.") == set()


def test_the_labeler_hears_nothing_in_a_symptoms_note_and_the_finding_in_a_labels_note() -> None:
    for number, key in enumerate(KEYS * 12):
        states = {key: State.PRESENT}
        assert heard(without_mark(synthesize(states, "symptoms", str(number)).text)) == set()
    assert heard(synthesize({"pneumonia": State.PRESENT}, "labels", "1").text) == {"pneumonia"}


def test_a_labels_note_names_what_is_present_and_says_that_it_tells() -> None:
    note = synthesize({"pneumonia": State.PRESENT, "edema": State.UNCERTAIN, "fracture": State.ABSENT}, "labels", "1")
    assert note.mode == "labels"
    assert "pneumonia" in note.text
    assert "possible edema" in note.text
    assert "fracture" not in note.text
    assert note.text.startswith(f"{SYNTHETIC_MARK} [tells the labels]")
    assert "no abnormality is known" in synthesize({NO_FINDING: State.PRESENT}, "labels", "1").text


@given(states=states, seed=st.text(max_size=12), mode=st.sampled_from(["labels", "symptoms"]))
def test_every_note_is_marked_and_keeps_its_mode_in_its_text(states: dict[str, State], seed: str, mode: str) -> None:
    note = synthesize(states, mode, seed)  # type: ignore[arg-type]
    assert note.text.startswith(SYNTHETIC_MARK)
    assert mode_of(note.text) == note.mode == mode
    assert without_mark(note.text).startswith("Chief complaint:")
    assert "[" not in without_mark(note.text)


def test_text_that_was_not_made_up_has_no_mode_and_stays_as_it_is() -> None:
    assert mode_of("Chest pain.") is None
    assert without_mark(" [tells the labels] Chest pain.") == " [tells the labels] Chest pain."


@given(states=states, seed=st.text(max_size=12))
def test_a_note_follows_from_states_and_seed_alone(states: dict[str, State], seed: str) -> None:
    other_order = dict(reversed(states.items()))
    symptoms, labels = (synthesize(states, mode, seed).text for mode in ("symptoms", "labels"))
    assert synthesize(other_order, "symptoms", seed).text == symptoms
    assert synthesize(other_order, "labels", seed).text == labels
    assert without_mark(symptoms).split(" Indication: ")[0] == without_mark(labels).split(" Indication: ")[0]


def test_studies_with_the_same_findings_have_different_notes() -> None:
    texts = {synthesize({"pneumonia": State.PRESENT}, "symptoms", f"iu/{number}").text for number in range(200)}
    assert len(texts) > 150


def test_no_complaint_and_no_history_belongs_to_one_group_alone() -> None:
    for kind in ("complaints", "history"):
        general = getattr(GENERAL, kind)
        times = Counter(phrase for group in GROUPS.values() for phrase in getattr(group, kind))
        assert [phrase for phrase, count in times.items() if count < 2 and phrase not in general] == []


def test_every_group_that_a_finding_leans_to_has_phrases() -> None:
    assert set(GROUP_OF.values()) == set(GROUPS)


def test_symptoms_lean_towards_a_finding_and_do_not_give_it_away() -> None:
    def complaints(states: dict[str, State]) -> Counter[str]:
        texts = (synthesize(states, "symptoms", str(number)).text for number in range(4000))
        return Counter(re.split(r"[,.]", text.split("complaint: ")[1])[0] for text in texts)

    ill, well = complaints({"pneumonia": State.PRESENT}), complaints({NO_FINDING: State.PRESENT})
    distance = sum(abs(ill[each] - well[each]) for each in ill | well) / 2 / 4000
    assert 0.2 < distance < 0.6
    assert well[NO_COMPLAINT] < 0.25 * 4000
    assert ill[NO_COMPLAINT] > 0.05 * 4000


def test_a_projects_own_finding_is_named_by_its_name_or_not_at_all() -> None:
    own = Finding("whistling", "Whistling sound", prompts=("cough", "smoker"))
    vocabulary = (*VOCABULARY, own)
    for number in range(300):
        said = synthesize({"whistling": State.PRESENT}, "symptoms", str(number), vocabulary).text
        assert "cough" not in said.replace("coughing", "")
        assert "smoker" not in said
    assert "whistling sound" in synthesize({"whistling": State.PRESENT}, "labels", "1", vocabulary).text
    assert "wheezing" not in " ".join(
        synthesize({"wheezing": State.PRESENT, "emphysema": State.PRESENT}, "symptoms", str(number)).text
        for number in range(300)
    )


def test_the_indication_comes_first_and_notes_where_it_says_nothing() -> None:
    report = Report(indication="Chest pain", comparison="CT of May", findings="Large effusion.", impression="Effusion.")
    assert context_of(report, "Cough for a week.") == "Chest pain"
    assert (
        context_of(Report(indication="XXXX.", findings="Large effusion."), "Cough for a week.") == "Cough for a week."
    )
    assert context_of(Report(findings="Large effusion.", text="Effusion."), None) == ""
    assert context_of(None, None) == ""
    assert context_of(None, "") == ""


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("XXXX-year-old male with chest pain.", "year-old male with chest pain."),
        ("XXXX-year-old female with XXXX.", "year-old female."),
        ("___ year old woman with cough", "year old woman with cough"),
        ("[**Known lastname 12**] fell, XXXX, and coughs", "fell, and coughs"),
        ("XXXX", ""),
        ("XXXX XXXX.", ""),
        ("pain ComparisXXXXXXXX", "pain"),
        ("Right pneumothorax.", "Right pneumothorax."),
        ("DOE, no cp -5 days", "DOE, no cp -5 days"),
    ],
)
def test_marks_are_taken_out_of_an_indication_which_else_stays(written: str, read: str) -> None:
    assert context_of(Report(indication=written), None) == read


@pytest.mark.parametrize(
    "notes",
    [
        "Cough. Chest x-ray shows patchy opacities.",
        "Cough. No pneumothorax is evident.",
        "Cough. ETT and a central venous line are in place.",
        "Cough. The left lung is clear.",
        "Cough. FINDINGS: Dense shadow at the base. IMPRESSION: As before.",
        "INDICATION: Cough.\nFINDINGS: A shadow.\nCOMPARISON: None.",
        "Cough.\nImpression: the shadow grew",
    ],
)
def test_what_notes_tell_of_the_film_is_left_out(notes: str) -> None:
    assert context_of(None, notes) == "Cough."


def test_findings_written_under_an_indication_do_not_leak() -> None:
    assert context_of(Report(indication="Cough. FINDINGS: Large effusion."), None) == "Cough."


def test_a_synthetic_note_keeps_its_mark_as_context() -> None:
    note = synthesize({"pneumonia": State.PRESENT}, "labels", "1").text
    assert context_of(Report(findings="Pneumonia."), note) == note
    assert context_of(Report(indication="Cough"), note) == "Cough"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Husten und Fieber seit drei Tagen", "German"),
        ("Verdacht auf Pneumonie", "German"),
        ("Toux et fièvre depuis trois jours", "French"),
        ("Dolor torácico", "Spanish"),
        ("Varón de 54 años con tos y disnea", "Spanish"),
        ("Tosse e febre há três dias", "Portuguese"),
        ("Tosse e febbre da tre giorni", "Italian"),
        ("Hoesten en koorts sinds drie dagen", "Dutch"),
        ("Kaszel i gorączka od trzech dni", "Polish"),
        ("Feber og hoste siden i går", "Norwegian"),
        ("Öksürük ve ateş", "Turkish"),
        ("Кашель и лихорадка третий день", "script"),
        ("Πυρετός και βήχας", "script"),
        ("咳嗽发热三天", "script"),
        ("سعال وحمى منذ ثلاثة أيام", "script"),
    ],
)
def test_another_language_than_english_is_flagged(text: str, language: str) -> None:
    note = language_note(text)
    assert note is not None
    assert language in note


@pytest.mark.parametrize(
    "text",
    [
        "", "...", "Chest pain", "cp", "SOB", "R/O TB", "h/o sarcoma", "BMT W/U LAB;", "pa/lat cxr,786.2",
        "Positive PPD", "angina pectoris", "in situ", "Increased O2 requirement", "COPD", "65M, fever", "year-old male",
        "Ménière disease", "status post CABG", "Dr. de la Cruz asks to rule out pneumonia", "tumor", "Pneumonia",
    ],
)  # fmt: skip
def test_short_english_phrases_are_not_flagged(text: str) -> None:
    assert language_note(text) is None


def test_every_synthetic_note_is_english() -> None:
    for number, key in enumerate(KEYS * 4):
        assert language_note(synthesize({key: State.PRESENT}, "labels", str(number)).text) is None


@pytest.mark.parametrize("word", ["pain ", "Pain. ", "XXXX ", "[** ", "Findings: ", "a, "])
def test_fifty_thousand_words_are_read_in_seconds(word: str) -> None:
    text = word * 50_000
    began = time.monotonic()
    context_of(Report(indication=text), None)
    context_of(None, text)
    language_note(text)
    assert time.monotonic() - began < 30


@pytest.mark.realdata
def test_indications_of_the_real_collection_are_english_and_tell_no_finding_section(cxr: Path) -> None:
    from data.tables import Row, open_table

    rows = [row for row in open_table(cxr / "iu-xray" / "indiana_reports.csv").rows() if isinstance(row, Row)]
    contexts = [context_of(Report(indication=row["indication"], findings=row["findings"]), None) for row in rows]
    assert sum(map(bool, contexts)) > 3100
    assert [text for text in contexts if language_note(text)] == []
    assert not any("XXX" in text for text in contexts)
