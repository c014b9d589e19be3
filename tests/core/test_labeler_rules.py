"""The rules as data: reading them, laying a project's own over them, and saying what is wrong with them."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ReadingRoomError
from core.findings import CHEXPERT, DEVICES, NO_FINDING, VOCABULARY, Kind
from core.labeler import BadPhrase, BadRules, Rules, label, read_rules, standard_rules
from core.labeler.lexicon import Entry, Lexicon
from core.labeler.phrases import read_phrase
from core.labeler.rules import Cue
from core.labeler.words import Pause, Spelling, read_words
from core.reports import Report
from data.importers.classes import finding_of

DOCUMENT = (Path(__file__).resolve().parent.parent.parent / "docs" / "labeler.md").read_text()
NAMES = {"heart": ("heart", "cardiac silhouette")}
PLAIN = Spelling({})


def places(phrase: str, sentence: str) -> list[tuple[int, int]]:
    lexicon = Lexicon([Entry(read_phrase(phrase, NAMES), Cue.NEUTRAL)])
    return [(hit.place.start, hit.place.end) for hit in lexicon.hits(read_words(sentence, PLAIN))]


def states(sentence: str, rules: Rules) -> dict[str, str]:
    return {each.finding: each.state.value for each in label(Report(findings=sentence), rules)}


@pytest.mark.parametrize(
    ("phrase", "sentence", "expected"),
    [
        ("effusion", "Effusion and effusions.", [(0, 1), (2, 3)]),
        ("opacity", "Many opacities.", [(1, 2)]),
        ("mass", "Masses.", [(0, 1)]),
        ("effusion", "Effusional.", []),
        ("atelecta*", "Atelectatic.", [(0, 1)]),
        ("heart|cardiac size", "Cardiac size, heart size.", [(0, 2), (2, 4)]),
        ("pleural? effusion", "Pleural effusion.", [(0, 2), (1, 2)]),
        ("pleural effusion", "Pleural, effusion.", []),
        ("heart ... enlarged", "The heart is mildly enlarged.", [(1, 5)]),
        ("heart ... enlarged", "Heart enlarged.", [(0, 2)]),
        ("heart ... enlarged", "Heart one two three four five six enlarged.", [(0, 8)]),
        ("heart ... enlarged", "Heart one two three four five six seven enlarged.", []),
        ("heart ... enlarged", "Heart, enlarged.", []),
        ("heart ..., enlarged", "Heart, aorta, enlarged.", [(0, 3)]),
        ("heart ..., enlarged", "Heart; enlarged.", []),
        ("{heart} large", "Cardiac silhouette large.", [(0, 3)]),
        ("{heart}|aorta large", "Aorta large.", [(0, 2)]),
        ("a ... b ... c", "A x b y c.", [(0, 5)]),
        ("a ... b", "A b b.", [(0, 2)]),
        ("1.5 cm", "A 1.5 cm nodule.", [(1, 3)]),
    ],
)
def test_a_phrase_is_found_where_its_words_stand_in_their_order(
    phrase: str, sentence: str, expected: list[tuple[int, int]]
) -> None:
    assert places(phrase, sentence) == expected


@pytest.mark.parametrize(
    "phrase", ["", "  ", "... effusion", "effusion ...", "a ... ... b", "pleural?", "a? ... b", "{lungs} clear",
               "effusion!", "ple*ural", "*", "at*", "heart||cardiac", "{heart", "?"]
)  # fmt: skip
def test_a_phrase_that_cannot_be_read_is_named_with_the_reason(phrase: str) -> None:
    with pytest.raises(BadPhrase, match="is no phrase that the labeler can read"):
        read_phrase(phrase, NAMES)


def test_words_are_lower_case_and_remember_the_pauses_between_them() -> None:
    told = read_words("Heart-size, normal.No effusion; 1.5 cm (old) ?mass", PLAIN)
    assert told.words == ("heart", "size", "normal", "no", "effusion", "1.5", "cm", "old", "question", "mass")
    pauses = {word: pause for word, pause in zip(told.words, told.pauses, strict=True) if pause is not Pause.NONE}
    assert pauses == {"normal": Pause.COMMA, "no": Pause.STOP, "1.5": Pause.STOP, "old": Pause.COMMA,
                      "question": Pause.COMMA}  # fmt: skip


def test_a_spelling_counts_for_phrases_too() -> None:
    rules = read_rules('[findings.own]\nmentions = ["oedematous oesophagus"]', "own.toml")
    for sentence in ("Oedematous oesophagus.", "Edematous esophagus."):
        assert states(sentence, rules)["own"] == "present"


def test_the_rules_that_come_along_know_every_finding_and_device_and_what_other_datasets_name() -> None:
    known = standard_rules().findings
    assert {finding.key for finding in VOCABULARY} <= known.keys()
    named = ("Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia", "Pneumothorax",
             "Consolidation", "Edema", "Emphysema", "Fibrosis", "Pleural_Thickening", "Hernia", "normal")  # fmt: skip
    assert {finding_of(name) for name in named} <= known.keys()


@pytest.mark.parametrize("finding", [f for f in (*CHEXPERT, *DEVICES) if f.key not in (NO_FINDING, "pleural_other")])
def test_every_finding_is_heard_by_its_own_name(finding: object) -> None:
    key, name = finding.key, finding.name  # type: ignore[attr-defined]
    assert states(f"{name}.", standard_rules())[key] == "present"
    assert states(f"No {name.lower()}.", standard_rules())[key] == "absent"


def test_every_device_is_a_support_device() -> None:
    for finding in DEVICES:
        assert "support_devices" in standard_rules().implied_by(finding.key)
        assert standard_rules().findings[finding.key].kind is Kind.DEVICE


def test_lists_are_added_to_those_that_are_there() -> None:
    rules = read_rules('[findings.hernia]\nmentions = ["rupture"]', "own.toml")
    assert states("Hernia.", rules)["hernia"] == states("Rupture.", rules)["hernia"] == "present"
    assert rules.findings["hernia"].ignored == standard_rules().findings["hernia"].ignored


def test_lists_named_anew_take_the_place_of_those_that_are_there() -> None:
    rules = read_rules('[findings.hernia]\nanew = ["mentions"]\nmentions = ["rupture"]', "own.toml")
    assert "hernia" not in states("Hernia.", rules)
    rules = read_rules('[context]\nanew = ["denies_before"]\ndenies_before = ["nary a"]', "own.toml")
    assert states("No effusion.", rules)["pleural_effusion"] == "present"
    assert states("Nary a effusion.", rules)["pleural_effusion"] == "absent"


def test_a_finding_can_be_silenced() -> None:
    rules = read_rules('[findings.hernia]\nanew = ["mentions"]\nmentions = []', "own.toml")
    assert "hernia" not in states("Hernia.", rules)


def test_kind_and_place_of_a_finding_are_said_in_its_table() -> None:
    rules = read_rules('[findings.coil]\nkind = "device"\nhas_place = false\nmentions = ["coil"]', "own.toml")
    (coil,) = (each for each in label(Report(findings="Left coil."), rules) if each.finding == "coil")
    assert coil.side is None
    assert states("Left coil.", rules)[NO_FINDING] == "present"


def test_an_empty_file_changes_nothing() -> None:
    assert read_rules("", "own.toml").findings == standard_rules().findings


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[findings", "it is no TOML"),
        ('[finding.x]\nmentions = ["x"]', '"finding" is no table that means something'),
        ("findings = 3", '"findings" has to be a table'),
        ("[findings]\nhernia = 3", "findings.hernia: it has to be a table"),
        ('[findings.Hernia]\nmentions = ["x"]', 'such as "hernia"'),
        ('[findings.hernia]\nmention = ["x"]', '"mention" means nothing; there are mentions'),
        ('[findings.hernia]\nmentions = "x"', "mentions: it has to be a list of texts"),
        ("[findings.hernia]\nmentions = [3]", "mentions: it has to be a list of texts"),
        ('[findings.hernia]\nkind = "organ"', '"organ" is no kind'),
        ("[findings.hernia]\nkind = [1]", "is no kind"),
        ("[findings.hernia]\nhas_place = 1", "has_place is true or false"),
        ('[findings.hernia]\nanew = ["absent"]', "anew names absent, which is not in the table"),
        ('[findings.hernia]\nimplies = ["rupture"]', "it implies rupture, for which there are no rules"),
        ('[findings.hernia]\nimplies = ["hernia"]', "what it implies comes round to itself"),
        ('[findings.lung_opacity]\nimplies = ["infiltration"]', "what it implies comes round to itself"),
        ('[context]\ndenies = ["no"]', '"denies" means nothing; there are denies_before'),
        ('[places]\nmiddle = ["middle"]', '"middle" means nothing; there are left'),
        ("[names]\nheart = 3", "heart: it has to be a list of texts"),
        ('[names]\nheart = ["  "]', "heart: one of its texts is empty"),
        ("[spelling]\noedema = 3", '"oedema" needs a spelling'),
        ('[spelling]\noedema = ""', '"oedema" needs a spelling'),
        ('[spelling]\n"" = "edema"', '"" needs a spelling'),
    ],
)
def test_rules_that_cannot_be_followed_are_refused_with_the_place_and_the_reason(text: str, reason: str) -> None:
    with pytest.raises(BadRules, match=re.escape(reason)) as refused:
        read_rules(text, "own.toml")
    assert reason.startswith(("it implies", "what it implies")) or "own.toml" in str(refused.value)


def test_a_phrase_that_cannot_be_read_refuses_the_rules() -> None:
    with pytest.raises(BadPhrase, match="hernia!"):
        read_rules('[findings.hernia]\nmentions = ["hernia!"]', "own.toml")
    with pytest.raises(BadPhrase, match="ruptured"):
        read_rules('[findings.hernia]\nmentions = ["{ruptured} hernia"]', "own.toml")


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_gives_rules_or_a_sentence_that_says_why_not(text: str) -> None:
    try:
        read_rules(text, "own.toml", Rules())
    except ReadingRoomError as refused:
        assert str(refused)


def test_the_rules_of_the_document_do_what_it_says() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    rules = read_rules(text, "labeler.toml")
    rows = re.findall(r"^\| ([A-Z].*?\.) \| (.+?) \|$", DOCUMENT, flags=re.MULTILINE)
    assert len(rows) >= 9
    for sentence, says in rows:
        told = states(sentence, rules)
        if says.startswith("nothing of "):
            assert says.removeprefix("nothing of ") not in told, sentence
        else:
            finding, state = says.split()
            assert told.get(finding) == state, sentence
            assert states(sentence, standard_rules()).get(finding) != state or finding in ("hernia", "lung_opacity")


def test_the_document_names_every_list_of_the_context() -> None:
    assert {str(cue) for cue in Cue} <= set(re.findall(r"`(\w+)`", DOCUMENT))
