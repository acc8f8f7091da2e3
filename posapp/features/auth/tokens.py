"""Access and refresh tokens: JWT by Flask-JWT-Extended, HS256 and nothing else.

An access token carries the sign-in that it belongs to and the user's `token_epoch`, so it ends at
the next request after a log-out, a dismissal, another password or role, or a stolen token. Both
tokens of a pair are functions of the stored `RefreshToken`: asked for again, they are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID, uuid5

from flask import Flask, Response, current_app, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    decode_token,
    get_current_user,
    get_jwt,
    verify_jwt_in_request,
)
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt import PyJWTError

from posapp.features.auth import devices, service
from posapp.features.auth.service import IssuedTokens, SignedInUser
from posapp.http.access import API_PREFIX
from posapp.http.errors import Unauthorized
from posapp.http.problems import api_error_response
from posapp.http.transactions import db

ISSUER = "posapp"
LEEWAY = 30
"""Seconds that the clocks of two servers may differ."""

_FAMILY, _EPOCH = "family", "epoch"
_SIGN_IN_FIRST = "Sign in first: this needs an access token."
_INVALID = "The access token is not valid; sign in again."


@dataclass(frozen=True, slots=True)
class TokenPair:
    """The two tokens of a response; `expires_in` is the life of the access token in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


def install(app: Flask, secret: str, lifetime: timedelta) -> None:
    """Configures the tokens of `app`; access tokens hold for `lifetime`."""
    app.config.update(
        JWT_SECRET_KEY=secret,
        JWT_ALGORITHM="HS256",
        JWT_ENCODE_ISSUER=ISSUER,
        JWT_DECODE_ISSUER=ISSUER,
        JWT_DECODE_LEEWAY=LEEWAY,
        JWT_ENCODE_NBF=False,
        JWT_ACCESS_TOKEN_EXPIRES=lifetime,
        JWT_TOKEN_LOCATION=["headers"],
        JWT_COOKIE_CSRF_PROTECT=False,  # no cookies; and a random claim would differ when repeated
    )
    manager = JWTManager(app)
    manager.user_lookup_loader(_load_user)
    manager.token_verification_loader(_has_our_claims)
    for loader, detail in (
        (manager.unauthorized_loader, _SIGN_IN_FIRST),
        (manager.invalid_token_loader, _INVALID),
        (manager.token_verification_failed_loader, _INVALID),
        (manager.expired_token_loader, "The access token has expired; refresh it."),
        (manager.user_lookup_error_loader, "The sign-in has ended; sign in again."),
        (manager.revoked_token_loader, "The sign-in has ended; sign in again."),
        (manager.needs_fresh_token_loader, "Sign in again to do this."),
    ):
        loader(_refuse_with(detail))


def _refuse_with(detail: str) -> Any:
    """A callback of Flask-JWT-Extended: whatever is wrong with a token is 401 and a problem."""

    def refuse(*_: object) -> Response:
        return api_error_response(Unauthorized(detail))

    return refuse


def authenticate() -> SignedInUser:
    """The user of the request's access token.

    Raises Unauthorized, or an error of Flask-JWT-Extended that `install` turns into 401.
    """
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized(_SIGN_IN_FIRST)
    if len(token.split()) != 1 or "," in token:
        raise Unauthorized(_INVALID)
    # The library compares the scheme to the letter; RFC 9110, 11.1: it is case-insensitive.
    request.environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    _verify(refresh=False, location="headers")
    user: SignedInUser = get_current_user()
    return user


def verify_refresh_token() -> UUID:
    """The id of the refresh token in the request's body. Raises as `authenticate` does."""
    _verify(refresh=True, location="json")
    return UUID(get_jwt()["jti"])


def family_of(refresh_token: str) -> UUID | None:
    """The sign-in of a refresh token, expired or not; None for what is no token of ours."""
    try:
        claims = decode_token(refresh_token, allow_expired=True)
    except (PyJWTError, JWTExtendedException, RecursionError):
        return None
    return UUID(claims[_FAMILY]) if _has_our_claims({}, claims) else None


def encode(issued: IssuedTokens) -> TokenPair:
    """The pair of tokens that belongs to a stored refresh token: always the same."""
    user, token = issued.user, issued.token
    jti = cast(UUID, token.jti)  # NULL only in rows of the version before
    lifetime: timedelta = current_app.config["JWT_ACCESS_TOKEN_EXPIRES"]
    common = {
        _FAMILY: str(token.family),
        _EPOCH: user.token_epoch,
        "iat": token.created_at,
    }
    access = {
        **common,
        "role": user.role,
        "jti": str(uuid5(jti, "access")),
        "exp": token.created_at + lifetime,
    }
    refresh = {**common, "jti": str(jti), "exp": token.expires_at}
    return TokenPair(
        create_access_token(str(user.id), additional_claims=access),
        create_refresh_token(str(user.id), additional_claims=refresh),
        int(lifetime.total_seconds()),
    )


def _verify(refresh: bool, location: str) -> None:
    try:
        verified = verify_jwt_in_request(refresh=refresh, locations=[location])
    except RecursionError:  # JSON that is nested a thousand deep, in an unsigned part
        raise Unauthorized(_INVALID) from None
    if verified is None:  # the library lets OPTIONS pass unseen
        raise Unauthorized(_SIGN_IN_FIRST)


def _has_our_claims(header: Mapping[str, Any], claims: Mapping[str, Any]) -> bool:
    """Whether a token has what the library does not ask for."""
    try:
        UUID(claims[_FAMILY])
        UUID(claims["jti"])
    except (KeyError, ValueError, TypeError, AttributeError):
        return False
    return isinstance(claims.get(_EPOCH), int) and "exp" in claims and claims["sub"].isdecimal()


def _load_user(header: Mapping[str, Any], claims: Mapping[str, Any]) -> SignedInUser | None:
    """The user whose sign-in goes on; rights are those of now, not of when it was issued."""
    return service.user_of_sign_in(
        db.session(), int(claims["sub"]), UUID(claims[_FAMILY]), claims[_EPOCH]
    )


def device_of_request(user_id: int) -> str | None:
    """Returns the device of the request where this account has signed in before, or None."""
    value = request.cookies.get(devices.cookie_name(user_id))
    return devices.known_device(value, user_id, current_app.config["JWT_SECRET_KEY"])


def remember_device(response: Response, user_id: int, device: str | None) -> None:
    """Has the browser send who it is when this account signs in again."""
    value = devices.sign(
        device or devices.new_device(), user_id, current_app.config["JWT_SECRET_KEY"]
    )
    response.set_cookie(
        devices.cookie_name(user_id),
        value,
        max_age=devices.LIFETIME,
        path=API_PREFIX,
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )
