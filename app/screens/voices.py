"""Who says what of a finding: the lines of the findings panel, and the words that the editor keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.mask_editor import EditorLabel
from app.parts.findings import FindingLine, ModelWord, Offer, ReportWord, Voice
from app.screens import times
from app.services.labelling import FindingLine as Said
from app.services.labelling import OpenLabels
from app.services.reviewing import OpenStudy
from core.annotations import Prediction
from core.disagreements import Disagreement, disagreements
from core.disagreements import ModelWord as Judgement
from core.findings import NO_FINDING, VOCABULARY, Finding, Kind, State, by_key
from core.labels import LabelDraft, LabelVersion

WITHOUT_SIDE = ("cardiomegaly", "enlarged_cardiomediastinum", "edema", "support_devices")
"""Findings of which a side says nothing."""

IN_THE_LUNG = (
    *("lung_opacity", "lung_lesion", "consolidation", "pneumonia", "atelectasis"),
    *("nodule", "ground_glass_opacities"),
)
"""Findings of ours that a zone of the lung says more of. Those that a project adds may have a side and a zone."""


def is_assessed(finding: Finding) -> bool:
    """Whether it can be present or absent: anatomy is only drawn, and No finding follows from the others."""
    return finding.kind is not Kind.ANATOMY and finding.key != NO_FINDING


def has_side(finding: Finding) -> bool:
    return finding.kind is Kind.FINDING and finding.key not in WITHOUT_SIDE


def has_zone(finding: Finding) -> bool:
    return finding.kind is Kind.FINDING and (finding.key in IN_THE_LUNG or finding.key not in by_key(VOCABULARY))


def disputes(opened: OpenStudy, said: OpenLabels) -> dict[str, Disagreement]:
    """The findings on which somebody contradicts somebody, as things stand; those that readers differ on first."""
    judged = {
        each.finding: Judgement(State(each.payload["says"]), each.confidence)
        for each in reversed(said.probabilities)
        if each.payload.get("says") in set(State) and each.confidence is not None
    }
    found = disagreements(opened.study.id, tuple(reversed(said.history)), judged)
    return {each.finding: each for each in sorted(found, key=lambda each: not each.readers_differ)}


def own_words(said: OpenLabels, findings: Sequence[Finding]) -> tuple[EditorLabel, ...]:
    """What the reader says of each finding that can be assessed, and what the next word goes on from."""
    lines = {finding.key: said.line(finding.key) for finding in findings if is_assessed(finding)}
    return tuple(
        _label(finding, line.draft or line.mine, line.parent, line.base)
        for finding in findings
        if (line := lines.get(finding.key)) is not None
    )


def settling_words(said: OpenLabels, findings: Sequence[Finding]) -> tuple[EditorLabel, ...]:
    """The words that settle what others disagree on."""
    lines = [(finding, said.line(finding.key)) for finding in findings if is_assessed(finding)]
    return tuple(
        _label(finding, line.adjudicated, None, line.adjudicated.id if line.adjudicated else None)
        for finding, line in lines
    )


def lines(
    opened: OpenStudy, said: OpenLabels, findings: Sequence[Finding], disputed: Mapping[str, Disagreement]
) -> list[FindingLine]:
    """What the model, the report and readers say of each finding."""
    offers = {each.finding: each for each in opened.suggestions}
    drawn: dict[str, str] = {}
    for version in (v for history in opened.history.values() for v in history if v.is_current and v.stats.area):
        if drawn.get(version.finding) != said.reader:
            drawn[version.finding] = version.author
    told = []
    for finding in findings:
        line, dispute, offer = said.line(finding.key), disputed.get(finding.key), offers.get(finding.key)
        author = drawn.get(finding.key, "")
        told.append(
            FindingLine(
                finding.key,
                finding.name,
                finding.colour,
                assessed=is_assessed(finding),
                has_side=has_side(finding),
                has_zone=has_zone(finding),
                model=_model(line.model, offer),
                report=_report(line) if is_assessed(finding) else None,
                drawn=bool(author),
                by="" if author == said.reader else author,
                suggestion=Offer(offer.id, _offered(offer)) if offer else None,
                voices=_voices(line) if is_assessed(finding) else (),
                torn=dispute is not None and dispute.readers_differ,
                disputed=dispute is not None,
                settled_by=_signed(line.adjudicated) if line.adjudicated else "",
            )
        )
    return told


def probability(value: float) -> str:
    """A probability in short: ".91"."""
    return f"{value:.2f}".removeprefix("0")


def _label(
    finding: Finding, word: LabelVersion | LabelDraft | None, draft: int | None, base: int | None
) -> EditorLabel:
    unsaid = EditorLabel(
        finding.key,
        finding.name,
        draft_id=draft,
        base_version_id=base,
        has_side=has_side(finding),
        has_zone=has_zone(finding),
    )
    return replace(unsaid, state=word.state, side=word.side, zone=word.zone) if word else unsaid


def _model(judged: Prediction | None, offer: Prediction | None) -> ModelWord | None:
    if judged is not None and judged.confidence is not None:
        payload = judged.payload
        parts = [f"{judged.model}: {probability(judged.confidence)}"]
        if isinstance(threshold := payload.get("threshold"), float):
            parts.append(f"present from {probability(threshold)}")
        if payload.get("context") == "real" and isinstance(without := payload.get("without_context"), float):
            parts.append(f"without the context {probability(without)}")
        says = payload.get("says")
        words = ", ".join(parts)
        return ModelWord(
            probability(judged.confidence),
            says if says in set(State) else "",
            f"{words}.",
            bool(payload.get("map")),
        )
    if offer is not None:
        sure = probability(offer.confidence) if offer.confidence is not None else "yes"
        return ModelWord(sure, "", f"{_offered(offer)}.")
    return None


def _offered(offer: Prediction) -> str:
    return f"Suggested by {offer.model}" + (f", {offer.confidence:.2f}" if offer.confidence is not None else "")


def _report(line: Said) -> ReportWord | None:
    """The labeler's word on the report; where it has none, what was imported."""
    if (told := line.report) is not None:
        evidence = f': "{told.evidence}"' if told.evidence else ""
        return ReportWord(told.state, f"The report says {_words(told)}{evidence}", told.evidence)
    if line.imported:
        states = {version.state for version in line.imported}
        words = " and ".join(dict.fromkeys(_words(version) for version in line.imported))
        return ReportWord(states.pop() if len(states) == 1 else State.UNCERTAIN, f"Imported as {words}")
    return None


def _voices(line: Said) -> tuple[Voice, ...]:
    """Everyone but the reader, a model only where it takes a stand."""
    told: list[Voice] = []
    if line.model is not None and line.model.payload.get("says") in set(State):
        sure = probability(line.model.confidence) if line.model.confidence is not None else ""
        told.append(Voice("Model", str(line.model.payload["says"]), more=f"{sure}, {line.model.model}"))
    if line.report is not None:
        told.append(_voice("Report", line.report, line.report.evidence))
    told.extend(_voice("Imported", version, "") for version in line.imported)
    told.extend(
        _voice(version.reader or "", version, times.moment(version.created_at), True) for version in line.others
    )
    return tuple(told)


def _voice(who: str, version: LabelVersion, more: str, is_reader: bool = False) -> Voice:
    return Voice(who, version.state, version.side, version.zone, more, is_reader)


def _signed(version: LabelVersion) -> str:
    return f"{version.reader}, {times.moment(version.created_at)}"


def _words(version: LabelVersion) -> str:
    return ", ".join(word for word in (version.state, version.side, version.zone) if word)
