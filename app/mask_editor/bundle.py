"""The editor's JavaScript as one module.

Streamlit takes a component's code as a single string and sends it with every change, and we have no build step.
"""

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.\.?/(?:[\w.]+/)*([a-z]+)\.js)";$', re.MULTILINE)
_DOCUMENTATION = re.compile(r"^ *(?:/\*\*(?:(?!\*/).)*\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
_EXPORT = re.compile(r"^export (default )?((?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def bundle(folder: Path, entry: str) -> str:
    """Joins `entry`.js in `folder` and all it imports into one ES module with the entry's default export.

    Every file keeps a scope of its own, so two files may use one name inside. Comments stay behind. Raises ValueError
    on a circular import, and when two files are called the same.
    """
    parts: list[str] = []
    finished: dict[str, Path] = {}
    opened: list[Path] = []

    def add(file: Path) -> None:
        if finished.get(file.stem) == file:
            return
        if file in opened:
            circle = " -> ".join(each.stem for each in [*opened, file])
            raise ValueError(f"The editor's files import each other in a circle: {circle}.")
        if file.stem in finished or file.stem in {each.stem for each in opened}:
            raise ValueError(f"Two of the editor's files are called {file.name}; one is {file}.")
        opened.append(file)
        source = file.read_text(encoding="utf-8")
        for match in _IMPORT.finditer(source):
            add((file.parent / match[2]).resolve())
        parts.append(_scoped(file.stem, source))
        opened.pop()
        finished[file.stem] = file

    add((folder / f"{entry}.js").resolve())
    return "\n".join([*parts, f"export default {entry}_js.standard;", ""])


def _scoped(name: str, source: str) -> str:
    source = _DOCUMENTATION.sub("", source)
    exported = [f"standard: {match[3]}" if match[1] else match[3] for match in _EXPORT.finditer(source)]
    body = _EXPORT.sub(lambda match: match[2], _IMPORT.sub(r"const {\1} = \3_js;", source))
    return f"const {name}_js = (() => {{\n{body}\nreturn {{ {', '.join(exported)} }};\n}})();"
