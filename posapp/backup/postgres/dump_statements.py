"""Knows the statements of a dump that are not for its loader, to the last letter.

They are run afterwards by whoever may, perhaps a superuser, and their text is the dump's: what
begins like one of them could be any statement. So each is taken apart, and a name is a name.
"""

from __future__ import annotations

import re

SUPERUSERS = tuple(
    f"{verb} {kind} ".encode()
    for verb in ("CREATE", "ALTER", "COMMENT ON")
    for kind in ("PUBLICATION", "SUBSCRIPTION", "EVENT TRIGGER")
)
"""Beginnings of what only a superuser may make, and nothing else in a dump needs."""
RIGHTS = (b"GRANT ", b"REVOKE ")
"""Beginnings of what the owner of a thing may do, or a superuser: to anybody else PostgreSQL says
so in a warning, and goes on. The server's own things and those of extensions stay the server's."""
_TOKEN = re.compile(
    rb'(?P<N>"(?:[^"]|"")++"|[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*+)|(?P<D>[0-9]++)'
    rb"|(?P<O>[-+*/<>=~!@#%^&|`?]++)|(?P<P>[.,()\[\];])|(?P<S>[ \n]++)"
)
_PATH = r"N(?:\.N){0,2}+"
_ARGUMENTS = r"\([ND.,\[\]]*+\)"
_ANY_ARGUMENTS = r"\(O\)"
"""Of an aggregate that counts rows: `(*)`."""
_NAMED = re.compile(_PATH)
_CALLED = re.compile(rf"{_PATH}{_ARGUMENTS}")
_OF_METHOD = re.compile(rf"{_PATH}NN")
_SIGN = re.compile(rf"(?:N\.)?+O{_ARGUMENTS}")
_NUMBER = re.compile(r"D")
_SHAPES = {
    **dict.fromkeys(
        (
            *("TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE", "SCHEMA", "TYPE"),
            *("DOMAIN", "COLLATION", "CONVERSION", "STATISTICS", "TEXT SEARCH DICTIONARY"),
            *("TEXT SEARCH CONFIGURATION", "SERVER", "FOREIGN DATA WRAPPER", "PUBLICATION"),
            *("SUBSCRIPTION", "EVENT TRIGGER", "PROCEDURAL LANGUAGE", "LANGUAGE"),
        ),
        _NAMED,
    ),
    **dict.fromkeys(("FUNCTION", "PROCEDURE"), _CALLED),
    "AGGREGATE": re.compile(rf"{_PATH}(?:{_ARGUMENTS}|{_ANY_ARGUMENTS})"),
    **dict.fromkeys(("OPERATOR CLASS", "OPERATOR FAMILY"), _OF_METHOD),
    "OPERATOR": _SIGN,
    "LARGE OBJECT": _NUMBER,
}
"""What has an owner, and the shape of its name: N a name, D digits, O an operator."""
_LONGEST_KIND = 3
"""Words."""
_ROWS = re.compile(rf"N{_PATH}(?:\(N(?:,N)*+\))?+NN;")
_DEFAULTS = re.compile(r"[N,]++;")
_COMMENT = re.compile(
    rb"COMMENT ON EXTENSION (?:\"(?:[^\"]|\"\")++\"|\w++) IS (?:NULL|'(?:[^']|'')*+');\n"
)


def is_owner(statement: bytes) -> bool:
    """Whether it is `ALTER KIND NAME OWNER TO ROLE;`."""
    what, to, role = statement.removesuffix(b";\n").rpartition(b" OWNER TO ")
    if not (to and what.startswith(b"ALTER ") and statement.endswith(b";\n")):
        return False
    words = what.removeprefix(b"ALTER ").split(b" ")
    for count in range(_LONGEST_KIND, 0, -1):
        kind, name = b" ".join(words[:count]), b" ".join(words[count:])
        expected = _SHAPES.get(kind.decode(errors="replace"))
        if expected is not None and expected.fullmatch(_shape(name) or ""):
            return _shape(role) == "N"
    return False


def is_default_privileges(statement: bytes) -> bool:
    """Whether it is `ALTER DEFAULT PRIVILEGES FOR ROLE …`."""
    begins = statement.startswith(b"ALTER DEFAULT PRIVILEGES FOR ROLE ")
    return begins and _DEFAULTS.fullmatch(_shape(statement) or "") is not None


def is_comment_on_extension(statement: bytes) -> bool:
    return _COMMENT.fullmatch(statement) is not None


def begins_rows(statement: bytes) -> bool:
    """Whether rows come after it: `COPY NAME (COLUMNS) FROM stdin;`."""
    copies = statement.startswith(b"COPY ") and statement.endswith(b" FROM stdin;\n")
    return copies and _ROWS.fullmatch(_shape(statement) or "") is not None


def as_text(statement: bytes) -> str:
    """Returns a statement as text; `as_sent` gives it back in the dump's own encoding."""
    return statement.decode(errors="surrogateescape")


def as_sent(statement: str) -> bytes:
    return statement.encode(errors="surrogateescape")


def _shape(text: bytes) -> str | None:
    """Returns a letter for each token, and signs as they are; None where there is anything else: a
    text in quotes, a comment."""
    found, at = [], 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or b"--" in (sign := token["O"] or b"") or b"/*" in sign:
            return None
        kind, at = str(token.lastgroup), token.end()
        found.append({"S": "", "P": token[0].decode(errors="replace")}.get(kind, kind))
    return "".join(found)
