"""Access tokens: JWT, HS256 and nothing else, short-lived."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt

ALGORITHM = "HS256"
ISSUER = "posapp"


class TokenError(Exception):
    """The token is not one of ours, or not any more; the text is for its bearer."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Makes and reads access tokens. `secret` has 32 characters or more."""

    secret: str
    lifetime: timedelta

    def issue(self, user_id: int, role: str, now: datetime) -> str:
        claims = {
            "iss": ISSUER,
            "sub": str(user_id),
            "role": role,
            "iat": now,
            "exp": now + self.lifetime,
        }
        return jwt.encode(claims, self.secret, ALGORITHM)

    def user_id(self, token: str) -> int:
        """Whose token it is. Raises TokenError for one that is expired, forged or foreign."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self.secret,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                options={"require": ["exp", "iat", "sub", "iss"]},
            )
            return int(claims["sub"])
        except jwt.ExpiredSignatureError:
            raise TokenError("The access token has expired; refresh it.") from None
        except (jwt.InvalidTokenError, ValueError):
            raise TokenError("The access token is not valid; sign in again.") from None
