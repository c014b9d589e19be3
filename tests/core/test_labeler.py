from dataclasses import replace
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.findings import NO_FINDING, Finding, Kind, Side, State
from core.labeler import Rules, label, read_rules, rules_for, standard_rules
from core.labels import Source, Statement, Zone
from core.reports import Report, sentences
from tests.core import labeler_sentences as table

MEANT = {"+": State.PRESENT, "-": State.ABSENT, "?": State.UNCERTAIN}
STATED = (
    *table.POSITIVE, *table.DENIED_BEFORE, *table.DENIED_AFTER, *table.NORMAL, *table.UNCERTAIN, *table.SCOPED,
    *table.NO_DENIAL, *table.MARKED, *table.SPELLED,
)  # fmt: skip
UNRELATED = ("The patient was standing.", "Frontal and lateral views were obtained.", "Seen with Dr. XXXX at 5 p.m.")

unhurried = settings(deadline=None)
"""A machine that is busy with a training is no reason for a property to fail."""

written = st.lists(st.sampled_from([sentence for sentence, _ in STATED]), max_size=6).map(" ".join)


def said(report: Report | str, rules: Rules | None = None) -> dict[str, Statement]:
    whole = report if isinstance(report, Report) else Report(findings=report)
    return {statement.finding: statement for statement in label(whole, rules)}


def states(report: Report | str) -> dict[str, State]:
    return {finding: statement.state for finding, statement in said(report).items()}


def test_the_tables_hold_at_least_150_sentences_of_every_kind() -> None:
    assert len({sentence for sentence, _ in STATED}) >= 150


@pytest.mark.parametrize(("sentence", "expected"), STATED)
def test_a_sentence_states_each_finding_as_a_reader_would_understand_it(sentence: str, expected: str) -> None:
    told = states(sentence)
    for finding, sign in (part.split() for part in expected.split(", ")):
        assert told.get(finding) is MEANT[sign], finding


@pytest.mark.parametrize("sentence", table.NOTHING)
def test_a_sentence_that_speaks_of_no_finding_states_none(sentence: str) -> None:
    assert said(sentence) == {}


@pytest.mark.parametrize(("sentence", "finding", "side", "zone"), table.PLACED)
def test_side_and_zone_go_to_the_finding_that_they_belong_to(
    sentence: str, finding: str, side: str | None, zone: str | None
) -> None:
    statement = said(sentence)[finding]
    assert (statement.side, statement.zone) == (side, zone)


def test_every_statement_is_the_labelers_with_the_sentence_that_says_so() -> None:
    told = said(Report(findings="The lungs are clear. Small left effusion.", impression="No pneumothorax."))
    assert {statement.source for statement in told.values()} == {Source.LABELER}
    assert told["pleural_effusion"].evidence == "Small left effusion."
    assert told["pneumothorax"].evidence == "No pneumothorax."


def test_present_counts_before_uncertain_before_absent_whichever_section_says_it() -> None:
    found, denied, doubted = "Small effusion.", "No effusion.", "Possible effusion."
    for first, then, expected in (
        (found, denied, State.PRESENT),
        (found, doubted, State.PRESENT),
        (denied, doubted, State.UNCERTAIN),
    ):
        for report in (Report(findings=first, impression=then), Report(findings=then, impression=first)):
            assert states(report)["pleural_effusion"] is expected


def test_neither_indication_nor_comparison_nor_technique_is_read() -> None:
    asked = Report(indication="Pneumonia?", comparison="Film with effusion.", technique="Chest tube view.")
    assert label(asked) == ()
    assert "pneumonia" not in said(replace(asked, findings="Clear lungs."))


def test_a_report_without_sections_is_read_whole() -> None:
    assert states(Report(text="Large right effusion."))["pleural_effusion"] is State.PRESENT


def test_sides_said_in_different_sentences_are_both_and_different_zones_are_none() -> None:
    told = said("Atelectasis at the left base. Atelectasis in the right upper lobe.")["atelectasis"]
    assert (told.side, told.zone) == (Side.BOTH, None)
    told = said("Basilar atelectasis. Atelectasis in the left lower lobe.")["atelectasis"]
    assert (told.side, told.zone) == (Side.LEFT, Zone.LOWER)


def test_the_evidence_is_the_first_sentence_that_names_a_side() -> None:
    told = said("There is an effusion. It is a left effusion. The left effusion is small.")
    assert told["pleural_effusion"].evidence == "It is a left effusion."


def test_places_of_what_is_denied_do_not_mix_with_those_of_what_is_found() -> None:
    told = said("No right effusion. Small left effusion.")["pleural_effusion"]
    assert (told.state, told.side) == (State.PRESENT, Side.LEFT)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ("The lungs are clear. No effusion.", State.PRESENT),
        ("Normal chest.", State.PRESENT),
        ("No acute cardiopulmonary abnormality.", State.PRESENT),
        ("A right PICC is in place. The lungs are clear.", State.PRESENT),
        ("Small effusion.", State.ABSENT),
        ("Small effusion. Possible pneumonia.", State.ABSENT),
        ("Possible pneumonia. No effusion.", State.UNCERTAIN),
        ("No acute abnormality. Old rib fracture.", State.ABSENT),
        ("Hiatal hernia.", State.ABSENT),
    ],
)
def test_no_finding_means_that_no_finding_but_devices_is_present_or_uncertain(report: str, expected: State) -> None:
    assert states(report)[NO_FINDING] is expected


def test_no_finding_shows_the_sentence_that_speaks_against_it_or_one_that_says_so() -> None:
    assert said("The lungs are clear. Left effusion.")[NO_FINDING].evidence == "Left effusion."
    assert said("No effusion. Normal chest.")[NO_FINDING].evidence == "Normal chest."


@pytest.mark.parametrize(
    ("sentence", "parent"),
    [
        ("Right PICC.", "support_devices"),
        ("Left pleural thickening.", "pleural_other"),
        ("Left lower lobe infiltrate.", "lung_opacity"),
        ("Ground-glass change of the left lung.", "lung_opacity"),
    ],
)
def test_what_follows_from_a_finding_is_said_with_its_place_and_evidence(sentence: str, parent: str) -> None:
    told = said(sentence)
    child = next(each for key, each in told.items() if parent in standard_rules().findings[key].implies)
    assert replace(child, finding=parent) == told[parent]


def test_what_follows_from_a_finding_does_not_follow_from_its_absence() -> None:
    assert "pleural_other" not in said("No pleural thickening.")
    assert states("Possible pleural thickening. No pleural plaque.")["pleural_other"] is State.UNCERTAIN


def test_anatomy_is_there_when_it_is_named_and_missing_only_when_it_was_taken_out() -> None:
    assert states("No abnormality of the left lung.")["left_lung"] is State.PRESENT
    assert states("Status post left pneumonectomy.")["left_lung"] is State.ABSENT


def test_a_report_in_another_language_gets_no_statement() -> None:
    assert label(Report(findings="Kein Nachweis eines Ergusses. Herz normal groß.")) == ()
    assert label(Report(findings="No hay neumotórax. El corazón es normal de tamaño.")) == ()


def test_findings_of_the_project_are_heard_by_name_and_prompts() -> None:
    tree_in_bud = Finding("tree_in_bud", "Tree-in-bud", prompts=("budding tree pattern",))
    rules = rules_for([tree_in_bud], standard_rules())
    assert said("Tree-in-bud opacities on the left.", rules).keys() == {"tree_in_bud"}
    told = said("No budding-tree pattern.", rules)["tree_in_bud"]
    assert told.state is State.ABSENT


def test_a_device_of_the_project_is_a_support_device_and_an_anatomy_of_its_own_is_never_denied() -> None:
    own = [Finding("balloon", "Aortic balloon", Kind.DEVICE), Finding("thymus", "Thymus", Kind.ANATOMY)]
    rules = rules_for([*own, Finding("support_devices", "Support devices")], standard_rules())
    assert {each.finding: each.state for each in label(Report(findings="Aortic balloon. No thymus."), rules)} == {
        "support_devices": State.PRESENT,
        "balloon": State.PRESENT,
        "thymus": State.PRESENT,
    }


def test_what_is_not_in_the_vocabulary_or_retired_is_not_named_but_counts() -> None:
    rules = rules_for(
        [Finding(NO_FINDING, "No finding"), Finding("pneumothorax", "Pneumothorax", retired=True)], standard_rules()
    )
    told = said("Left pneumothorax.", rules)
    assert told.keys() == {NO_FINDING}
    assert told[NO_FINDING].state is State.ABSENT


@unhurried
@given(name=st.text(max_size=30), prompt=st.text(max_size=30))
def test_no_name_of_a_finding_is_beyond_the_labeler(name: str, prompt: str) -> None:
    rules = rules_for([Finding("own", name, prompts=(prompt,))], standard_rules())
    label(Report(findings=f"{name}. No {prompt}."), rules)


@unhurried
@given(findings=st.text(max_size=300), impression=st.text(max_size=100), text=st.text(max_size=100))
def test_any_text_is_read_without_complaint(findings: str, impression: str, text: str) -> None:
    label(Report(findings=findings, impression=impression, text=text))


@unhurried
@given(text=st.text(alphabet="no ,.;?|*x\nefusion", max_size=200))
def test_marks_and_fragments_are_read_without_complaint(text: str) -> None:
    label(Report(findings=text))


@unhurried
@given(findings=written, impression=written)
def test_the_evidence_of_every_statement_is_a_sentence_of_the_report(findings: str, impression: str) -> None:
    report = Report(findings=findings, impression=impression)
    texts = {sentence.text for sentence in sentences(report)}
    assert all(statement.evidence in texts for statement in label(report))


@unhurried
@given(findings=written, unrelated=st.sampled_from(UNRELATED))
def test_a_sentence_that_has_nothing_to_do_with_it_changes_nothing(findings: str, unrelated: str) -> None:
    assert label(Report(findings=f"{findings} {unrelated}")) == label(Report(findings=findings))
    assert label(Report(findings=f"{unrelated} {findings}")) == label(Report(findings=findings))


@unhurried
@given(written=st.lists(st.sampled_from([sentence for sentence, _ in STATED]), min_size=1, max_size=6))
def test_the_order_of_the_sentences_changes_no_state(written: list[str]) -> None:
    assert states(" ".join(written)) == states(" ".join(reversed(written)))


@unhurried
@given(findings=written)
def test_letter_case_and_space_change_no_state(findings: str) -> None:
    assert states(findings.upper()) == states(findings)
    assert states(findings.replace(" ", "  ")) == states(findings)


@unhurried
@given(findings=written)
def test_a_finding_is_stated_once(findings: str) -> None:
    named = [statement.finding for statement in label(Report(findings=findings))]
    assert len(named) == len(set(named))


@unhurried
@given(findings=written, more=written)
def test_more_sentences_never_make_a_finding_less_sure(findings: str, more: str) -> None:
    strength = [State.ABSENT, State.UNCERTAIN, State.PRESENT]
    longer = states(f"{findings} {more}")
    for finding, state in states(findings).items():
        assert finding == NO_FINDING or strength.index(longer[finding]) >= strength.index(state)


@pytest.mark.parametrize("words", ["no effusion ", "effusion ", "heart ", "possible left ", "effusion, "])
def test_a_sentence_of_50_000_words_is_read_in_seconds(words: str) -> None:
    report = Report(findings=words * (50_000 // len(words.split())))
    began = process_time()
    label(report)
    assert process_time() - began < 10


def test_rules_that_say_nothing_hear_nothing() -> None:
    assert label(Report(findings="Left effusion."), Rules()) == ()


def test_rules_may_be_without_no_finding_and_without_support_devices() -> None:
    rules = read_rules('[findings.balloon]\nkind = "device"\nmentions = ["balloon"]', "own.toml", Rules())
    own = rules_for([Finding("balloon", "Balloon", Kind.DEVICE), Finding("coil", "Coil", Kind.DEVICE)], rules)
    assert said("Balloon and coil.", own).keys() == {"balloon", "coil"}
