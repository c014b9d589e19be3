"""The editor's JavaScript as one module.

Streamlit takes a component's code as a single string and sends it with every change, and we have no build step.
"""

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([a-z]+)\.js";$', re.MULTILINE)
_DOCUMENTATION = re.compile(r"^ *(?:/\*\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
_EXPORT = re.compile(r"^export (default )?((?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def bundle(folder: Path, entry: str) -> str:
    """Joins `entry`.js in `folder` and all it imports into one ES module with the entry's default export.

    Every file keeps a scope of its own, so two files may use one name. Comments stay behind. Raises ValueError on a
    circular import.
    """
    parts: list[str] = []
    finished: set[str] = set()
    opened: list[str] = []

    def add(name: str) -> None:
        if name in finished:
            return
        if name in opened:
            raise ValueError(f"The editor's files import each other in a circle: {' -> '.join([*opened, name])}.")
        opened.append(name)
        source = (folder / f"{name}.js").read_text(encoding="utf-8")
        for match in _IMPORT.finditer(source):
            add(match[2])
        parts.append(_scoped(name, source))
        opened.pop()
        finished.add(name)

    add(entry)
    return "\n".join([*parts, f"export default {entry}_js.standard;", ""])


def _scoped(name: str, source: str) -> str:
    source = _DOCUMENTATION.sub("", source)
    exported = [f"standard: {match[3]}" if match[1] else match[3] for match in _EXPORT.finditer(source)]
    body = _EXPORT.sub(lambda match: match[2], _IMPORT.sub(r"const {\1} = \2_js;", source))
    return f"const {name}_js = (() => {{\n{body}\nreturn {{ {', '.join(exported)} }};\n}})();"
