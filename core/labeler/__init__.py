"""Report text to finding states, by rules that a lead can read and extend.

`rules.toml` holds the rules, `docs/labeler.md` says how to read them. `label` reads a report by them.
"""

from core.labeler.labelling import label
from core.labeler.phrases import BadPhrase
from core.labeler.reading import read_rules, standard_rules
from core.labeler.rules import BadRules, Rules, rules_for

__all__ = ["BadPhrase", "BadRules", "Rules", "label", "read_rules", "rules_for", "standard_rules"]
