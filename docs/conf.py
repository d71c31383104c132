"""How the documentation is built: from Markdown and from the docstrings of the public names."""

from __future__ import annotations

import importlib.metadata
import re
from typing import Any

project = "openssh-compat"
author = "openssh-compat maintainers"
copyright = f"2026, {author}"
version = release = importlib.metadata.version("openssh-compat")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"openssh-compat {version}"

# Docstrings are written to be read in an editor: `name` is a name, in Sphinx as elsewhere.
default_role = "code"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
# The facts of an error or a result are described with the class, once.
napoleon_use_ivar = True


def plain_text(_app: Any, _what: str, _name: str, _value: Any, _options: Any, lines: list[str]) -> None:
    """Docstrings are plain text with Google's sections: outside of backticks, `*words` and `SSH_` mean themselves."""
    for number, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            pieces = re.split(r"(`[^`]*`)", line)
            lines[number] = "".join(
                piece if piece.startswith("`") else re.sub(r"\*|_(?!\w)", r"\\\g<0>", piece) for piece in pieces
            )


def joint_attributes(_app: Any, _what: str, _name: str, _value: Any, _options: Any, lines: list[str]) -> None:
    """Sphinx takes the first of two words for a type; `stdout, stderr: …` are two names."""
    for number, line in enumerate(lines):
        if line.startswith(":ivar "):
            lines[number] = re.sub(r"^:ivar [^:]+:", lambda found: ":ivar " + found[0][6:].replace(" ", ""), line)


def setup(app: Any) -> None:
    app.connect("autodoc-process-docstring", plain_text, priority=400)  # before napoleon, at 500
    app.connect("autodoc-process-docstring", joint_attributes, priority=600)
