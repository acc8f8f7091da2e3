"""How the site is built: `make docs`. Nothing of it is loaded from elsewhere, neither while it is
built nor while it is read."""

from importlib.metadata import version as version_of

from pydantic import BaseModel

project = "healthkit"
author = "healthkit"
version = release = version_of("healthkit-core")
html_title = f"healthkit {release}"
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
default_role = "code"  # our docstrings write `names` as Markdown has them
suppress_warnings = ["autosectionlabel.*"]

html_theme = "furo"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}


def setup(app):  # noqa: ANN001, ANN201  Sphinx's name and form
    app.connect("autodoc-process-signature", _leave_out_fields)


def _leave_out_fields(app, what, name, what_it_is, options, signature, returns):  # noqa: ANN001, ANN202
    """Of a pydantic model: each field stands below it, with its type and its meaning."""
    if what == "class" and issubclass(what_it_is, BaseModel):
        return "", None
    return signature, returns
