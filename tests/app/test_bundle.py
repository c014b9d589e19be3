"""The browser's files joined into one module."""

from pathlib import Path

import pytest

from app.mask_editor.bundle import bundle

MAKE = "/** Said once. */\nexport function make() {\n  return 1;\n}\n"


def write(folder: Path, **sources: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in sources.items():
        (folder / f"{name}.js").write_text(source)
    return folder


def test_a_file_that_two_others_import_from_another_folder_is_there_once(tmp_path: Path) -> None:
    write(tmp_path / "shared" / "js", make=MAKE)
    shared = 'import { make } from "../../shared/js/make.js";\n'
    folder = write(
        tmp_path / "parts" / "js",
        dom=shared + "export function root() {\n  return make();\n}\n",
        bar=shared
        + 'import { root } from "./dom.js";\n\nexport default function open() {\n  return make() + root();\n}\n',
    )
    joined = bundle(folder, "bar")
    assert joined.count("function make()") == 1
    assert "import" not in joined
    assert "Said once" not in joined
    assert joined.index("make_js =") < joined.index("dom_js =") < joined.index("bar_js =")
    assert joined.endswith("export default bar_js.standard;\n")


def test_a_type_at_the_head_of_a_line_takes_nothing_along_that_stands_before_the_next_comment(tmp_path: Path) -> None:
    typed = "export function twice(\n  /** @type {number} */ value,\n) {\n  return 2 * value;\n}\n"
    folder = write(tmp_path, typed=typed + MAKE + "export default twice;\n")
    joined = bundle(folder, "typed")
    assert "return 2 * value" in joined and "Said once" not in joined


def test_a_circle_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, one='import { b } from "./two.js";\n', two='import { a } from "./one.js";\n')
    with pytest.raises(ValueError, match="one -> two -> one"):
        bundle(folder, "one")


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "other", make=MAKE)
    both = 'import { make } from "./make.js";\nimport { make } from "./other/make.js";\n'
    with pytest.raises(ValueError, match=r"called make\.js"):
        bundle(write(tmp_path, make=MAKE, main=both), "main")
