import time
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.findings import VOCABULARY, Finding, by_key
from core.reports import (
    SHORT_REPORT,
    TEMPLATED_NORMAL,
    Cleaning,
    Report,
    clean,
    parse_sections,
    sentences,
    sentences_on,
)

MIMIC = """                                 FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)

 INDICATION:  ___ year old woman with cough  // ?pneumonia

 TECHNIQUE:  Chest PA and lateral

 COMPARISON:  ___

 FINDINGS:

 The heart is normal in size.  There is a small left
 pleural effusion.

 IMPRESSION:

 1. Small left pleural effusion.
 2. No pneumonia.
"""


def test_a_report_in_mimic_style_is_cut_at_its_headings() -> None:
    report = parse_sections(MIMIC)
    assert report.indication == "___ year old woman with cough // ?pneumonia"
    assert report.technique == "CHEST (PA AND LAT) Chest PA and lateral"
    assert report.comparison == "___"
    assert report.findings == "The heart is normal in size. There is a small left pleural effusion."
    assert report.impression == "1. Small left pleural effusion. 2. No pneumonia."
    assert report.text == "FINAL REPORT"


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("INDICATION", "indication"),
        ("Clinical History", "indication"),
        ("REASON FOR EXAMINATION", "indication"),
        ("Comparison", "comparison"),
        ("FINDINGS", "findings"),
        ("Findings and impression", "findings"),
        ("CONCLUSION", "impression"),
        ("impression", "impression"),
        ("FINDINGS/IMPRESSION", "findings"),
        ("CLINICAL INFORMATION", "indication"),
        ("REASON FOR THE EXAM", "indication"),
        ("RECOMMENDATION(S)", "impression"),
        ("NOTIFICATION", "text"),
        ("PA AND LATERAL VIEWS OF THE CHEST", "findings"),
        ("CHEST, PA AND LATERAL", "findings"),
        ("Portable AP chest radiograph", "findings"),
        ("SEMI-UPRIGHT PORTABLE VIEW OF THE CHEST", "findings"),
    ],
)
def test_headings_are_known_by_their_kin_and_without_regard_to_capitals(heading: str, section: str) -> None:
    assert parse_sections(f"{heading}: Clear lungs.") == Report(**{section: "Clear lungs."})


@pytest.mark.parametrize("heading", ["CHEST", "Chest tube", "Lungs and chest", "VIEWS", "AP"])
def test_what_only_resembles_the_name_of_the_films_is_no_heading(heading: str) -> None:
    assert parse_sections(f"{heading}: Clear.") == Report(text=f"{heading}: Clear.")


def test_a_wet_read_and_who_was_told_are_no_part_of_the_reading() -> None:
    text = """ WET READ: ___ 9:12 PM
  No pneumothorax.
 ______________________________________________________________________________
                                 FINAL REPORT
 HISTORY:  Line placement.

 PORTABLE AP CHEST:  The line ends in the superior vena cava.

 IMPRESSION:  No pneumothorax.

 NOTIFICATION:  Dr. ___ was told by phone.

 RECOMMENDATION(S):  Follow up in a week.
"""
    report = parse_sections(text)
    assert report.indication == "Line placement."
    assert report.findings == "The line ends in the superior vena cava."
    assert report.impression == "No pneumothorax. Follow up in a week."
    assert report.text.startswith("___ 9:12 PM No pneumothorax.")
    assert report.text.endswith("FINAL REPORT Dr. ___ was told by phone.")


def test_text_without_headings_is_kept_whole() -> None:
    assert parse_sections("Clear lungs.\nNormal heart.") == Report(text="Clear lungs. Normal heart.")
    assert parse_sections("") == Report()


def test_a_colon_within_a_sentence_is_no_heading() -> None:
    report = parse_sections("FINDINGS: Lines: the tube ends high.\nThere is one change: the effusion grew.")
    assert report.findings.startswith("Lines: the tube")
    assert report.findings.endswith("the effusion grew.")


def test_a_heading_that_comes_twice_gives_one_section_in_order() -> None:
    assert parse_sections("FINDINGS: One.\nIMPRESSION: Two.\nFINDINGS: Three.").findings == "One. Three."


@given(parts=st.lists(st.sampled_from(["FINDINGS:", "IMPRESSION:", "Notes:", "clear", "lungs.", "\n"]), max_size=20))
def test_no_word_of_a_report_is_dropped_but_the_headings(parts: list[str]) -> None:
    text = "\n".join(parts)
    report = parse_sections(text)
    kept = " ".join(getattr(report, field.name) for field in fields(report)).split()
    known = ("FINDINGS:", "IMPRESSION:")
    assert sorted(kept) == sorted(word for word in text.split() if word not in known)


def test_narrative_and_priority_fall_back_in_order() -> None:
    both = Report(findings="F.", impression="I.", text="T.")
    assert (both.narrative, both.priority) == ("F. I.", "F.")
    assert (Report(impression="I.", text="T.").narrative, Report(impression="I.", text="T.").priority) == ("I.", "I.")
    assert (Report(text="T.").narrative, Report(text="T.").priority) == ("T.", "T.")
    assert Report(indication="Cough").priority == ""


def test_short_and_empty_reports_are_told_apart() -> None:
    assert Report().is_empty
    assert not Report(indication="Cough").is_empty
    assert Report(findings="x" * (SHORT_REPORT - 1)).is_short
    assert not Report(findings="x" * SHORT_REPORT).is_short
    assert Report(indication="a long history of cough and fever").is_short


openi = Report(
    indication="XXXX-year-old XXXX with chest pain.",
    findings="The lungs are clear. Heart size is normal. There is XXXX opacity in the left base, XXXX pneumonia.",
    impression="Left basilar opacity.",
)


def test_sentences_come_from_findings_and_impression_with_their_places() -> None:
    found = sentences(openi)
    assert [sentence.text for sentence in found] == [
        "The lungs are clear.",
        "Heart size is normal.",
        "There is XXXX opacity in the left base, XXXX pneumonia.",
        "Left basilar opacity.",
    ]
    assert [sentence.section for sentence in found] == ["findings"] * 3 + ["impression"]


def test_sentences_of_a_report_without_sections_come_from_its_text() -> None:
    assert [(s.section, s.text) for s in sentences(Report(text="Clear. Normal."))] == [
        ("text", "Clear."),
        ("text", "Normal."),
    ]
    assert sentences(Report()) == ()


prose = st.text(st.sampled_from("abc XXXX. ?!\n1.5 cm dr."), max_size=60)


@given(findings=prose, impression=prose)
def test_a_sentence_stands_where_it_says_and_none_overlap(findings: str, impression: str) -> None:
    report = Report(findings=findings, impression=impression)
    end_of = dict.fromkeys(("findings", "impression", "text"), 0)
    for sentence in sentences(report):
        section = getattr(report, sentence.section)
        assert section[sentence.start : sentence.end] == sentence.text
        assert sentence.text.strip() == sentence.text != ""
        assert sentence.start >= end_of[sentence.section]
        end_of[sentence.section] = sentence.end


@given(findings=prose)
def test_every_word_character_is_in_some_sentence(findings: str) -> None:
    report = Report(findings=findings)
    covered = "".join(sentence.text for sentence in sentences(report)) if findings else ""
    assert sorted(c for c in covered if c.isalnum()) == sorted(c for c in findings if c.isalnum())


def test_numbers_and_abbreviations_do_not_end_a_sentence() -> None:
    report = Report(findings="A 1.5 cm nodule is seen. Seen by Dr. Smith vs. the prior film. Heart is normal.")
    assert [sentence.text for sentence in sentences(report)] == [
        "A 1.5 cm nodule is seen.",
        "Seen by Dr. Smith vs. the prior film.",
        "Heart is normal.",
    ]


def test_the_number_of_a_list_belongs_to_its_sentence() -> None:
    report = Report(impression="1. Small left pleural effusion. 2. No pneumonia.")
    assert [sentence.text for sentence in sentences(report)] == ["1. Small left pleural effusion.", "2. No pneumonia."]


def test_cleaning_does_nothing_unless_asked() -> None:
    assert clean(openi, Cleaning()) == openi


def test_marks_of_de_identification_are_taken_out_without_leaving_holes() -> None:
    cleaned = clean(openi, Cleaning(drop_marks=True))
    assert cleaned.findings.endswith("There is opacity in the left base, pneumonia.")
    assert cleaned.indication == "-year-old with chest pain."
    assert clean(Report(findings="Normal chest x-XXXX."), Cleaning(drop_marks=True)).findings == "Normal chest."
    mimic = Report(findings="Seen by Dr. ___ on [**2100-1-1**].")
    assert clean(mimic, Cleaning(drop_marks=True)).findings == "Seen by Dr. on."


def test_templated_normal_sentences_are_taken_out_whole() -> None:
    cleaned = clean(openi, Cleaning(drop_templated_normals=True))
    assert cleaned.findings == "There is XXXX opacity in the left base, XXXX pneumonia."
    assert cleaned.impression == "Left basilar opacity."
    for sentence in TEMPLATED_NORMAL:
        assert clean(Report(findings=f"{sentence.capitalize()}."), Cleaning(drop_templated_normals=True)).is_empty


def test_a_sentence_that_only_begins_like_a_template_stays() -> None:
    report = Report(findings="The lungs are clear except for a nodule.")
    assert clean(report, Cleaning(drop_templated_normals=True)) == report


@given(findings=prose, impression=prose, drop_marks=st.booleans(), drop_normals=st.booleans())
def test_cleaning_twice_is_cleaning_once(findings: str, impression: str, drop_marks: bool, drop_normals: bool) -> None:
    cleaning = Cleaning(drop_marks, drop_normals)
    once = clean(Report(findings=findings, impression=impression), cleaning)
    assert clean(once, cleaning) == once


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("nodule", "Two nodules are seen."),
        ("nodule", "NODULE in the left upper zone."),
        ("pleural_effusion", "Small bilateral effusions."),
        ("pleural_effusion", "There is no pleural effusion."),
        ("heart", "The cardiac silhouette is enlarged."),
        ("cardiomegaly", "Enlarged cardiac silhouette."),
        ("left_lung", "The left lung field is clear."),
        ("central_venous_line", "A central line ends in the superior vena cava."),
    ],
)
def test_a_finding_is_mentioned_by_its_name_another_word_for_it_and_their_plurals(key: str, sentence: str) -> None:
    report = Report(findings=f"Unremarkable bones. {sentence}")
    assert [found.text for found in sentences_on(report, by_key()[key])] == [sentence]


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("heart", "History of heartburn."),
        ("nodule", "Nodular pattern."),
        ("left_lung", "The right lung field is clear."),
        ("pneumothorax", "Hydropneumothoraces."),
        ("edema", "Oedematous."),
    ],
)
def test_a_word_that_only_holds_a_findings_name_is_no_mention(key: str, sentence: str) -> None:
    assert sentences_on(Report(findings=sentence), by_key()[key]) == ()


def test_mentions_come_from_both_sections_with_their_places_and_never_from_the_indication() -> None:
    report = Report(indication="Nodule?", findings="Heart normal. A nodule.", impression="Pulmonary nodule.")
    found = sentences_on(report, by_key()["nodule"])
    assert [(s.section, s.text) for s in found] == [("findings", "A nodule."), ("impression", "Pulmonary nodule.")]
    assert report.findings[found[0].start : found[0].end] == found[0].text


@given(findings=prose, finding=st.sampled_from(VOCABULARY))
def test_the_sentences_on_a_finding_are_sentences_of_the_report(findings: str, finding: Finding) -> None:
    report = Report(findings=f"{findings} {finding.name}. Clear.")
    found = sentences_on(report, finding)
    assert found and set(found) <= set(sentences(report))


@pytest.mark.parametrize("word", ["clear. ", "Dr. ", "1. ", "XXXX ", "[** ", "2 cm. x "])
def test_fifty_thousand_words_are_cut_and_cleaned_in_seconds(word: str) -> None:
    report = Report(text=word * 50_000)
    began = time.monotonic()
    found = sentences(report)
    clean(report, Cleaning(drop_marks=True, drop_templated_normals=True))
    assert time.monotonic() - began < 30
    assert all(each.text == report.text[each.start : each.end] for each in found)
