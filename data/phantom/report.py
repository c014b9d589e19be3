"""The phantom's reports: what a radiologist would dictate of a case, in varied words, naming finding, side and zone.

Every report speaks of every finding, present or absent, and of devices, so that its states are fully known. The
indication gives a symptom or a question and never the finding itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.findings import State
from core.reports import Report
from core.studies import View
from data.phantom.pathology import (
    CARDIOMEGALY,
    CONSOLIDATION,
    EFFUSION,
    NODULE,
    PNEUMOTHORAX,
    Amount,
    Case,
    CentralLine,
    Consolidation,
    Effusion,
    EndotrachealTube,
    Nodule,
    Pacemaker,
    Pneumothorax,
    Zone,
)

_INDICATIONS = (
    "{who} with cough and fever.",
    "{who} with shortness of breath.",
    "{who}, chest pain.",
    "Dyspnea on exertion.",
    "Preoperative evaluation.",
    "{who} with weight loss and fatigue.",
    "Routine examination.",
    "Positive tuberculin test.",
    "{who} with pleuritic chest pain.",
    "Fall, chest wall tenderness.",
)
_WARD = (
    "Intensive care patient, daily film.",
    "{who} with respiratory failure.",
    "Hypoxia, bedside film.",
    "{who} after surgery, check of position.",
)
_LATER = ("Follow-up.", "{who}, follow-up after treatment.", "Interval follow-up examination.")


@dataclass
class _Words:
    """Picks among synonyms with one generator, so that a report is a function of its seed."""

    rng: np.random.Generator

    def one(self, *choices: str) -> str:
        return choices[int(self.rng.integers(len(choices)))]


def states(case: Case) -> dict[str, State]:
    """Per finding and device: present or absent, as the report says."""
    return {name: State.PRESENT if there else State.ABSENT for name, there in case.present.items()}


def write_report(
    case: Case, views: Sequence[View], age: int, sex: str, before: Case | None, rng: np.random.Generator
) -> Report:
    """The report of a case seen on `views`; `before` is the earlier study's case, when there is one."""
    words = _Words(rng)
    who = f"{age} year old {'woman' if sex == 'F' else 'man'}"
    portable = View.AP in views
    reasons = _LATER if before is not None and rng.random() < 0.7 else _WARD if portable else _INDICATIONS
    indication = words.one(*reasons).format(who=who)
    findings = [
        *_lungs(case, before, words),
        *_pleura(case, before, words),
        _heart(case, before, words),
        *_devices(case, words),
    ]
    if rng.random() < 0.55:
        findings.append(_bones(age, words))
    if rng.random() < 0.35:
        findings.insert(0, _technique(portable, words))
    comparison = _comparison(before, words)
    return Report(
        indication=indication,
        comparison=comparison,
        findings=" ".join(findings),
        impression=_impression(case, before, words),
    )


def _comparison(before: Case | None, words: _Words) -> str:
    if before is None:
        return words.one("None.", "None available.", "No prior studies.")
    return words.one("Prior chest radiograph.", "Chest radiograph of the earlier visit.", "Previous examination.")


def _technique(portable: bool, words: _Words) -> str:
    if portable:
        return words.one("Portable AP view of the chest.", "Single AP bedside film.")
    return words.one("PA and lateral views of the chest.", "Frontal and lateral views were obtained.")


def _zone(zone: Zone, words: _Words) -> str:
    if zone is Zone.MIDDLE:
        return words.one("mid zone", "middle zone", "mid lung zone")
    return words.one(f"{zone.value} zone", f"{zone.value} lung zone")


def _place(found: Nodule | Consolidation, words: _Words) -> str:
    return f"{found.side.value} {_zone(found.zone, words)}"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _lungs(case: Case, before: Case | None, words: _Words) -> list[str]:
    said = []
    for patch in case.consolidations:
        said.append(_consolidation(patch, before, words))
    for lump in case.nodules:
        said.append(_nodule(lump, before, words))
    clear: list[str] = []
    if not case.consolidations and not case.nodules:
        clear.append(
            words.one(
                "The lungs are clear, with no focal consolidation and no nodule.",
                "Lungs are well expanded. No consolidation. No pulmonary nodule.",
                "No focal airspace consolidation. No suspicious pulmonary nodule is seen.",
                "Both lungs are clear. There is no consolidation or nodule.",
            )
        )
    elif not case.consolidations:
        clear.append(
            words.one("No focal consolidation.", "There is no airspace consolidation.", "No consolidation is seen.")
        )
    elif not case.nodules:
        clear.append(words.one("No pulmonary nodule.", "No discrete nodule is identified.", "There is no nodule."))
    return said + clear


def _consolidation(patch: Consolidation, before: Case | None, words: _Words) -> str:
    place = _place(patch, words)
    if before is not None and any(np.array_equal(p.centre, patch.centre) for p in before.consolidations):
        return words.one(
            f"The consolidation in the {place} has partly cleared.",
            f"Consolidation in the {place}, less extensive than before.",
            f"Improving {place} consolidation.",
        )
    edge = " bounded below by the minor fissure" if patch.fissure is not None else ""
    return _sentence(
        words.one(
            f"there is consolidation in the {place}{edge}.",
            f"airspace consolidation is present in the {place}{edge}.",
            f"{place} consolidation with air bronchograms{edge}.",
            f"confluent opacity in the {place}{edge}, in keeping with consolidation.",
        )
    )


def _nodule(lump: Nodule, before: Case | None, words: _Words) -> str:
    place, size = _place(lump, words), f"{round(2 * lump.radius)} mm"
    if before is not None and before.nodules:
        old = next((n for n in before.nodules if np.array_equal(n.centre, lump.centre)), None)
        if old is not None:
            grown = lump.radius > 1.12 * old.radius
            change = (
                words.one("has grown", "is larger than before") if grown else words.one("is unchanged", "is stable")
            )
            return f"The {size} nodule in the {place} {change}."
    return _sentence(
        words.one(
            f"there is a {size} nodule in the {place}.",
            f"a rounded {size} nodule projects over the {place}.",
            f"{place} nodule measuring {size} across.",
            f"a well defined nodule of {size} lies in the {place}.",
        )
    )


def _pleura(case: Case, before: Case | None, words: _Words) -> list[str]:
    said = [_effusion(fluid, before, words) for fluid in case.effusions]
    if len(case.effusions) == 2 and before is None and case.effusions[0].amount is case.effusions[1].amount:
        amount = case.effusions[0].amount.value
        said = [
            words.one(
                f"There are {amount} bilateral pleural effusions, blunting the right and left costophrenic angles.",
                f"{_sentence(amount)} pleural effusions are present on the right and on the left.",
            )
        ]
    if case.pneumothorax is not None:
        said.append(_pneumothorax(case.pneumothorax, before, words))
    if not case.effusions and case.pneumothorax is None:
        said.append(
            words.one(
                "No pleural effusion or pneumothorax.",
                "There is no pneumothorax or pleural effusion.",
                "The costophrenic angles are sharp, without pleural effusion. No pneumothorax.",
                "No pleural effusion is seen. No pneumothorax.",
            )
        )
    elif not case.effusions:
        said.append(words.one("No pleural effusion.", "There is no pleural effusion."))
    elif case.pneumothorax is None:
        said.append(words.one("No pneumothorax.", "There is no pneumothorax.", "No pneumothorax is seen."))
    return said


def _effusion(fluid: Effusion, before: Case | None, words: _Words) -> str:
    side, amount = fluid.side.value, fluid.amount.value
    old = next((e for e in before.effusions if e.side is fluid.side), None) if before is not None else None
    if old is not None:
        order = list(Amount)
        step = order.index(fluid.amount) - order.index(old.amount)
        change = ("decreased", "not changed", "increased")[int(np.sign(step)) + 1]
        return words.one(
            f"The {side} pleural effusion, now {amount}, has {change}.",
            f"{_sentence(amount)} {side} pleural effusion, which has {change} since the prior study.",
        )
    if fluid.amount is Amount.SMALL:
        return _sentence(
            words.one(
                f"blunting of the {side} costophrenic angle by a small pleural effusion.",
                f"there is a small {side} pleural effusion in the lower zone.",
                f"small {side} pleural effusion.",
            )
        )
    reach = "lower zone" if fluid.amount is Amount.MODERATE else "mid and lower zones"
    return _sentence(
        words.one(
            f"there is a {amount} {side} pleural effusion with a meniscus, obscuring the {side} {reach}.",
            f"{amount} {side} pleural effusion occupying the {side} {reach}.",
            f"a {amount} pleural effusion is present on the {side}, hiding the hemidiaphragm.",
        )
    )


def _pneumothorax(found: Pneumothorax, before: Case | None, words: _Words) -> str:
    side, amount = found.side.value, found.amount.value
    if before is not None and before.pneumothorax is not None:
        return words.one(
            f"The {side} pneumothorax has become smaller.", f"Residual {amount} {side} apical pneumothorax, decreased."
        )
    return _sentence(
        words.one(
            f"there is a {amount} {side} apical pneumothorax.",
            f"{amount} {side} pneumothorax with a visible pleural line in the upper zone.",
            f"a {side} pneumothorax of {amount} size, widest in the {side} upper zone.",
        )
    )


def _heart(case: Case, before: Case | None, words: _Words) -> str:
    if case.present[CARDIOMEGALY]:
        if before is not None and before.present[CARDIOMEGALY]:
            return words.one(
                "Cardiomegaly is unchanged.", "The heart remains enlarged.", "Stable enlargement of the heart."
            )
        return words.one(
            "The heart is enlarged.",
            "Cardiomegaly.",
            "There is cardiomegaly.",
            "The cardiac silhouette is enlarged.",
            "Enlarged cardiac silhouette, with a cardiothoracic ratio above one half.",
        )
    return words.one(
        "The heart is normal in size.",
        "Heart size is normal.",
        "The cardiac silhouette is normal in size and contour.",
        "Heart and mediastinum are within normal limits.",
    )


def _devices(case: Case, words: _Words) -> list[str]:
    said = []
    if case.tube is not None:
        said.append(_tube(case.tube, words))
    if case.line is not None:
        said.append(_line(case.line, words))
    if case.pacemaker is not None:
        said.append(_pacemaker(case.pacemaker, words))
    if not said:
        return [
            words.one("No lines, tubes or implanted devices.", "No tubes, lines or pacemaker.", "No support devices.")
        ]
    return said


def _tube(tube: EndotrachealTube, words: _Words) -> str:
    distance = f"{tube.above_carina / 10:.1f} cm"
    if tube.above_carina < 20:
        return f"The endotracheal tube is low, its tip {distance} above the carina."
    return words.one(
        f"Endotracheal tube with its tip {distance} above the carina.",
        f"The tip of the endotracheal tube lies {distance} above the carina.",
    )


def _line(line: CentralLine, words: _Words) -> str:
    vein = "internal jugular" if line.jugular else "subclavian"
    return words.one(
        f"{_sentence(line.side.value)} {vein} central venous line with its tip in the superior vena cava.",
        f"A {line.side.value} {vein} central venous line ends in the superior vena cava.",
    )


def _pacemaker(device: Pacemaker, words: _Words) -> str:
    leads = (
        "two leads, to the right atrium and the right ventricle" if device.leads == 2 else "one right ventricular lead"
    )
    return words.one(
        f"{_sentence(device.side.value)} chest wall pacemaker with {leads}.",
        f"A pacemaker lies over the {device.side.value} upper chest, with {leads}.",
    )


def _bones(age: int, words: _Words) -> str:
    if age > 65:
        return words.one("Degenerative change of the thoracic spine.", "Mild spondylosis.", "Bones are osteopenic.")
    return words.one("No acute bony abnormality.", "The bones are unremarkable.", "Osseous structures are intact.")


def _impression(case: Case, before: Case | None, words: _Words) -> str:
    points: list[str] = []
    for patch in case.consolidations:
        cause = words.one("", ", likely pneumonia", ", compatible with pneumonia")
        points.append(f"{_sentence(_place(patch, words))} consolidation{cause}.")
    for fluid in case.effusions:
        points.append(f"{_sentence(fluid.amount.value)} {fluid.side.value} pleural effusion.")
    if case.pneumothorax is not None:
        points.append(f"{_sentence(case.pneumothorax.amount.value)} {case.pneumothorax.side.value} pneumothorax.")
    for lump in case.nodules:
        advice = words.one("", " CT is advised.", " Follow-up is recommended.") if lump.radius > 5 else ""
        points.append(f"{_sentence(_place(lump, words))} nodule.{advice}")
    if case.present[CARDIOMEGALY]:
        points.append(words.one("Cardiomegaly.", "Enlarged heart."))
    if case.tube is not None and case.tube.above_carina < 20:
        points.append("Low endotracheal tube; withdrawing it by 2 cm is suggested.")
    if not points:
        gone = before is not None and any(
            before.present[name] for name in (CONSOLIDATION, EFFUSION, PNEUMOTHORAX, NODULE)
        )
        if gone:
            return words.one("Findings of the prior study have resolved.", "Interval resolution. No acute disease.")
        return words.one(
            "No acute cardiopulmonary abnormality.",
            "Normal chest." if case.is_normal else "No acute finding.",
            "No acute cardiopulmonary disease.",
        )
    if len(points) == 1:
        return points[0]
    return " ".join(f"{number}. {point}" for number, point in enumerate(points, 1))
