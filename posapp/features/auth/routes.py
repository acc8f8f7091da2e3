"""`/api/v1/auth` and `/api/v1/admin/users`."""

from __future__ import annotations

from flask import Response, current_app, request
from flask_openapi3 import APIBlueprint, Tag

from posapp.database.engine import utc_now
from posapp.features.auth import service
from posapp.features.auth.demo_logins import DEMO_LOGINS
from posapp.features.auth.models import User
from posapp.features.auth.schemas import (
    DemoLogins,
    Login,
    NewUser,
    Refresh,
    Session,
    Staff,
    StaffMember,
    UserView,
)
from posapp.features.auth.tokens import TokenError, Tokens
from posapp.http.access import current_user, public, roles
from posapp.http.errors import NotFound, Unauthorized
from posapp.http.openapi import Problem
from posapp.http.responses import answer
from posapp.http.schemas import ROLES
from posapp.http.transactions import transaction
from posapp.settings import Settings

TOKENS = "posapp.tokens"
api = APIBlueprint("auth", __name__, abp_tags=[Tag(name="Staff")])


def authenticate(token: str) -> User:
    """The user of an access token. Raises Unauthorized."""
    tokens: Tokens = current_app.extensions[TOKENS]
    try:
        bearer = tokens.user_id(token)
    except TokenError as error:
        raise Unauthorized(str(error)) from None
    with transaction() as session:
        return service.authenticate(session, bearer)


@api.post("/auth/login", summary="Sign in", responses={200: Session, 401: Problem, 429: Problem})
@public
def log_in(body: Login) -> Response:
    """Five wrong passwords for one name within five minutes, and it is 429 for a while."""
    with transaction() as session:
        address = request.remote_addr or ""
        grant = service.log_in(session, body.username, body.password, address, utc_now())
    if grant is None:
        raise Unauthorized("The user name or the password is wrong.")
    return _session(grant)


@api.post("/auth/refresh", summary="Renew a session", responses={200: Session, 401: Problem})
@public
def refresh(body: Refresh) -> Response:
    """Each refresh token works once; a second use ends the whole session."""
    with transaction() as session:
        grant = service.refresh(session, body.refresh_token, utc_now())
    if grant is None:
        raise Unauthorized("The session has ended; sign in again.")
    return _session(grant)


@api.post("/auth/logout", summary="Sign out", responses={204: None})
@public
def log_out(body: Refresh) -> Response:
    with transaction() as session:
        service.log_out(session, body.refresh_token, utc_now())
    return Response(status=204)


@api.get("/auth/me", summary="Who am I", responses={200: UserView})
@roles(*ROLES)
def me() -> Response:
    return answer(_view(current_user()))


@api.get(
    "/auth/demo-logins", summary="The demo's accounts", responses={200: DemoLogins, 404: Problem}
)
@public
def demo_logins() -> Response:
    """Only outside production; 404 there."""
    settings: Settings = current_app.extensions["posapp.settings"]
    if settings.production:
        raise NotFound("There are no demo accounts in production.")
    return answer(DemoLogins(logins=list(DEMO_LOGINS)))


@api.get("/admin/users", summary="All staff accounts", responses={200: Staff})
@roles("admin")
def staff() -> Response:
    with transaction() as session:
        users = [_member(user) for user in service.staff(session)]
    return answer(Staff(users=users))


@api.post("/admin/users", summary="Add a staff account", responses={201: StaffMember, 409: Problem})
@roles("admin")
def hire(body: NewUser) -> Response:
    with transaction() as session:
        member = _member(service.hire(session, body, current_user().id, utc_now()))
    return answer(member, 201)


def _session(grant: service.Grant) -> Response:
    tokens: Tokens = current_app.extensions[TOKENS]
    return answer(
        Session(
            access_token=tokens.issue(grant.user.id, grant.user.role, utc_now()),
            refresh_token=grant.refresh_token,
            expires_in=int(tokens.lifetime.total_seconds()),
            user=_view(grant.user),
        )
    )


def _view(user: User) -> UserView:
    return UserView.model_validate(user, from_attributes=True)


def _member(user: User) -> StaffMember:
    return StaffMember.model_validate(user, from_attributes=True)
