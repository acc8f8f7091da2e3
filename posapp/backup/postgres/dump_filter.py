"""Reads a dump's statements as they go by, and leaves out what its loader may not or must not do.

A dump is loaded by a role without rights of its own (`loader`), so it cannot give things away, nor
make extensions that only a superuser may: those statements are left out here, and done afterwards
from the facts in them. Meta-commands of psql are left out too, for what remains is run restricted.
Rows of COPY go through untouched and unread, as fast as they are found to end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from posapp.backup.postgres.dump_statements import (
    RIGHTS,
    SUPERUSERS,
    as_text,
    begins_rows,
    is_comment_on_extension,
    is_default_privileges,
    is_owner,
)

_QUOTE = re.compile(rb"--|'|\"|\$(?:[A-Za-z_][A-Za-z_0-9]*+)?+\$")
_END_OF_ROWS = b"\n\\.\n"
_HELD = (
    *((begin, b'"') for begin in (b"ALTER ", b"COPY ", b"CREATE SCHEMA ")),
    (b"COMMENT ON EXTENSION ", b"'"),
)
"""Beginnings of statements that are looked at as a whole, and what may be open where their first
lines end: a name, or a text, may have several lines."""
_OF_OURS = (*SUPERUSERS, *RIGHTS)
"""Beginnings of what is left for afterwards where a dump is ours."""
_LONGEST_HELD = 8192
"""Bytes."""
_LEFT_OUT = (
    re.compile(rb"\\(?:un)?restrict [A-Za-z0-9]++\n"),
    re.compile(rb"SET transaction_timeout = 0;\n"),  # servers before 17 do not know it
    re.compile(rb"SET lock_timeout = 0;\n"),  # the two sessions that load must not wait for ever
)
_SPACE = re.compile(rb'SET default_tablespace = (?P<name>[a-z0-9_]++|"(?:[^"\n]|"")++");\n')
_USUAL_SPACE = b"SET default_tablespace = '';\n"
_GRANTOR = re.compile(rb'SET SESSION AUTHORIZATION (?:"(?:[^"\n]|"")++"|\w++);\n')
_NO_GRANTOR = b"RESET SESSION AUTHORIZATION;\n"
_SETTING = re.compile(
    rb"SET ([a-z_]{1,60}) = [^;\n]{1,100};\n"
    rb"|SELECT pg_catalog\.set_config\('search_path', '', false\);\n"
)


class Piece(NamedTuple):
    """A part of a dump."""

    text: bytes
    copy: bytes = b""
    """The statement whose rows it has, the end of its line first; b"" for no rows."""


@dataclass
class DumpFilter:
    """Passes a dump on, block by block."""

    signed: bool = False
    """Whether it is ours: then rights, and what only a superuser may make, are left for afterwards
    too."""
    made: frozenset[bytes] = frozenset()
    """Lines whose work is done already."""
    spaces: frozenset[str] = frozenset()
    """The tablespaces that its loader may use."""
    afterwards: list[str] = field(default_factory=list)
    """What was left out to be run afterwards: who owns each thing; default privileges, which only
    the role itself or a superuser may alter."""
    lost_spaces: set[str] = field(default_factory=set)
    """Those that it may not, or that are not here: what was in them comes into the usual one."""
    settings: dict[bytes, bytes] = field(default_factory=dict)
    """What the dump sets for its session, by name: the statements."""
    _rest: bytes = b""
    _held: bytes = b""
    _copy: bytes = b""
    _quote: bytes | None = None
    _grantor: bytes = b""
    _granting: bool = False

    def feed(self, block: bytes) -> bytes:
        """Returns what is to be run of the dump so far and was not yet returned."""
        return b"".join(piece.text for piece in self.pieces(block))

    def pieces(self, block: bytes) -> list[Piece]:
        """Returns the same in pieces: rows of a table apart from statements."""
        data, out, at = self._rest + block, [], 0
        while at < len(data):
            if self._copy:
                end = data.find(_END_OF_ROWS, at)
                if end < 0:
                    stop = max(at, len(data) - len(_END_OF_ROWS) + 1)
                    out.append(Piece(data[at:stop], self._copy))
                    at = stop
                    break
                out.append(Piece(data[at : end + 1], self._copy))
                at, self._copy = end + len(_END_OF_ROWS), b""
                out.append(Piece(_END_OF_ROWS[1:]))
                continue
            end = data.find(b"\n", at) + 1
            if not end:
                break
            line = self._line(data[at:end])
            # The line's own end may begin the end of rows: a table can be empty.
            at = end - 1 if self._copy else end
            out.append(Piece(line[:-1] if self._copy else line))
        self._rest = data[at:]
        return out

    def finish(self) -> bytes:
        """Returns what is left when the dump has ended."""
        rest = self._grantor + self._held + self._rest
        self._rest, self._held, self._grantor = b"", b"", b""
        return rest

    def _line(self, line: bytes) -> bytes:
        line, self._held = self._held + line, b""
        if self._quote is None:
            held, self._grantor = self._grantor, b""
            if held and not line.startswith(RIGHTS):
                return held + self._line(line)
            self._granting = self._granting or bool(held)
            if self._is_begun(line):
                self._held = line
                return b""
            if self._is_grantor(line) or self._is_left_out(line):
                return b""
            if begins_rows(line):
                self._copy = line
                return line
            line = self._in_a_space_that_is_here(line)
            if match := _SETTING.fullmatch(line):
                self.settings[match[1] or b"search_path"] = line
        self._quote = _quote_after(line, self._quote)
        return line

    def _in_a_space_that_is_here(self, line: bytes) -> bytes:
        """Returns the line, or another where it names a tablespace that cannot be used."""
        match = _SPACE.fullmatch(line)
        if match is None:
            return line
        name = as_text(match["name"])
        if name.startswith('"'):
            name = name[1:-1].replace('""', '"')
        if name in self.spaces:
            return line
        self.lost_spaces.add(name)
        return _USUAL_SPACE

    def _is_grantor(self, line: bytes) -> bool:
        """Whether a line says who grants what the next one grants: whoever held the grant option.
        The owner grants it all the same."""
        if self._granting and line == _NO_GRANTOR:
            self._granting = False
            return True
        if _GRANTOR.fullmatch(line):
            self._grantor = line
            return True
        return False

    def _is_left_out(self, line: bytes) -> bool:
        later = line.startswith(b"ALTER ") and (is_owner(line) or is_default_privileges(line))
        if later or (self.signed and line.startswith(_OF_OURS) and _is_whole(line)):
            self.afterwards.append(as_text(line))
            return True
        if line in self.made:
            return True
        return is_comment_on_extension(line) or any(one.fullmatch(line) for one in _LEFT_OUT)

    def _is_begun(self, line: bytes) -> bool:
        """Whether a statement that is looked at as a whole goes on in the next line."""
        if len(line) > _LONGEST_HELD:
            return False
        if self.signed and line.startswith(_OF_OURS):
            return not _is_whole(line)
        return any(
            line.startswith(begin) and _quote_after(line, None) == quote for begin, quote in _HELD
        )


def _is_whole(statement: bytes) -> bool:
    return statement.endswith(b";\n") and _quote_after(statement, None) is None


def _quote_after(line: bytes, quote: bytes | None) -> bytes | None:
    """Returns which quotation is open at the end of a line, None where none is; a line of a
    function's body is no statement."""
    at = 0
    while True:
        if quote is not None:
            found = line.find(quote, at)
            if found < 0:
                return quote
            at, quote = found + len(quote), None
        match = _QUOTE.search(line, at)
        if match is None or match[0] == b"--":
            return None
        quote, at = match[0], match.end()
