"""`/api/v1/auth` and `/api/v1/admin/users`."""

from __future__ import annotations

from flask import Response, current_app, request

from posapp.database.engine import utc_now
from posapp.features.auth import service
from posapp.features.auth.demo_logins import DEMO_LOGINS
from posapp.features.auth.models import User
from posapp.features.auth.schemas import (
    DemoLogins,
    LoginRequest,
    NewUser,
    RefreshRequest,
    SignInResponse,
    UserDetails,
    UserList,
    UserView,
)
from posapp.features.auth.tokens import TokenError, Tokens
from posapp.http.access import current_user, public, require_roles
from posapp.http.errors import NotFound, Unauthorized
from posapp.http.openapi import Problem, api_blueprint
from posapp.http.responses import model_response
from posapp.http.roles import STAFF_ROLES
from posapp.http.transactions import transaction
from posapp.settings import Settings

TOKENS = "posapp.tokens"
api = api_blueprint("auth", "Staff")


def authenticate(token: str) -> User:
    """The user of an access token. Raises Unauthorized."""
    tokens: Tokens = current_app.extensions[TOKENS]
    try:
        bearer = tokens.user_id(token)
    except TokenError as error:
        raise Unauthorized(str(error)) from None
    with transaction() as session:
        return service.authenticate(session, bearer)


@api.post(
    "/auth/login", summary="Sign in", responses={200: SignInResponse, 401: Problem, 429: Problem}
)
@public
def login(body: LoginRequest) -> Response:
    """Five wrong passwords for one name within five minutes, and it is 429 for a while."""
    with transaction() as session:
        address = request.remote_addr or ""
        grant = service.log_in(session, body.username, body.password, address, utc_now())
    if grant is None:
        raise Unauthorized("The user name or the password is wrong.")
    return _session(grant)


@api.post("/auth/refresh", summary="Renew a session", responses={200: SignInResponse, 401: Problem})
@public
def refresh_tokens(body: RefreshRequest) -> Response:
    """Each refresh token works once; a second use ends the whole session."""
    with transaction() as session:
        grant = service.refresh(session, body.refresh_token, utc_now())
    if grant is None:
        raise Unauthorized("The session has ended; sign in again.")
    return _session(grant)


@api.post("/auth/logout", summary="Sign out", responses={204: None})
@public
def logout(body: RefreshRequest) -> Response:
    with transaction() as session:
        service.log_out(session, body.refresh_token, utc_now())
    return Response(status=204)


@api.get("/auth/me", summary="Who am I", responses={200: UserView})
@require_roles(*STAFF_ROLES)
def get_current_user() -> Response:
    return model_response(_view(current_user()))


@api.get(
    "/auth/demo-logins", summary="The demo's accounts", responses={200: DemoLogins, 404: Problem}
)
@public
def list_demo_logins() -> Response:
    """Only outside production; 404 there."""
    settings: Settings = current_app.extensions["posapp.settings"]
    if settings.production:
        raise NotFound("There are no demo accounts in production.")
    return model_response(DemoLogins(logins=list(DEMO_LOGINS)))


@api.get("/admin/users", summary="All staff accounts", responses={200: UserList})
@require_roles("admin")
def list_users() -> Response:
    with transaction() as session:
        users = [_member(user) for user in service.list_users(session)]
    return model_response(UserList(users=users))


@api.post("/admin/users", summary="Add a staff account", responses={201: UserDetails, 409: Problem})
@require_roles("admin")
def create_user(body: NewUser) -> Response:
    with transaction() as session:
        member = _member(service.create_user(session, body, current_user().id, utc_now()))
    return model_response(member, 201)


def _session(grant: service.IssuedTokens) -> Response:
    tokens: Tokens = current_app.extensions[TOKENS]
    return model_response(
        SignInResponse(
            access_token=tokens.issue(grant.user.id, grant.user.role, utc_now()),
            refresh_token=grant.refresh_token,
            expires_in=int(tokens.lifetime.total_seconds()),
            user=_view(grant.user),
        )
    )


def _view(user: User) -> UserView:
    return UserView.model_validate(user, from_attributes=True)


def _member(user: User) -> UserDetails:
    return UserDetails.model_validate(user, from_attributes=True)
