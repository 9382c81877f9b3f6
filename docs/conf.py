"""How `make docs` turns these pages into a site: Sphinx reads them as they are."""

from pathlib import Path

from sphinx.application import Sphinx

project = "tenure"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "tenure"
html_copy_source = False
myst_heading_anchors = 3
suppress_warnings = [
    "misc.highlighting_failure",  # litmus tests and mermaid are shown as they are written
    "myst.xref_missing",  # a link may lead out of docs/ into the repository; tests/test_docs.py follows every link
]

#: The folders in the order in which the sidebar shows them, and what it calls them.
SIDEBAR = {
    "start": "Start here",
    "how-to": "How to",
    "explain": "Explained",
    "reference": "Reference",
    "rules": "Rules",
}


TREE = """

```{{toctree}}
:hidden:
:glob:
:caption: {caption}

{folder}/*
```
"""


def _add_sidebar(app: Sphinx, page: str, source: list[str]) -> None:
    """Give the index the trees that Sphinx makes the sidebar from; who reads the plain file has its links."""
    if page == "index":
        source[0] += "".join(TREE.format(folder=folder, caption=caption) for folder, caption in SIDEBAR.items())


def setup(app: Sphinx) -> None:
    """What Sphinx calls first."""
    folders = {path.name for path in Path(__file__).parent.iterdir() if path.is_dir()}
    assert folders <= set(SIDEBAR), f"no place in the sidebar for {folders - set(SIDEBAR)}"
    app.connect("source-read", _add_sidebar)
