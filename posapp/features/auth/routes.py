"""`/api/v1/auth` and `/api/v1/admin/users`."""

from __future__ import annotations

from flask import Response, current_app, request

from posapp.features.auth import accounts, limits, service, tokens
from posapp.features.auth.demo_logins import DEMO_LOGINS
from posapp.features.auth.models import User
from posapp.features.auth.schemas import (
    DemoLogins,
    LoginRequest,
    NewUser,
    PasswordChange,
    RefreshRequest,
    SignInResponse,
    UserChange,
    UserDetails,
    UserList,
    UserPath,
    UserView,
)
from posapp.http.access import current_user, public, require_roles
from posapp.http.errors import NotFound, Unauthorized
from posapp.http.openapi import Problem, api_blueprint
from posapp.http.pages import PageQuery, cut
from posapp.http.request_time import request_time
from posapp.http.responses import model_response
from posapp.http.roles import STAFF_ROLES
from posapp.http.transactions import transaction
from posapp.settings import Settings

api = api_blueprint("auth", "Staff")


@api.post(
    "/auth/login", summary="Sign in", responses={200: SignInResponse, 401: Problem, 429: Problem}
)
@public
def login(body: LoginRequest) -> Response:
    """After five wrong passwords for an account it is 429, and one more may be tried each minute. A
    device that has signed in before has tries of its own."""
    address, now = request.remote_addr or "", request_time()
    check = limits.check_password(body.username, body.password, now)
    with transaction() as session:
        issued = service.log_in(session, check, address, now)
    if issued is None:
        raise Unauthorized("The user name or the password is wrong.")
    response = _sign_in_response(issued)
    tokens.remember_device(response, issued.user.id, check.device)
    return response


@api.post(
    "/auth/refresh", summary="Refresh the tokens", responses={200: SignInResponse, 401: Problem}
)
@public
def refresh_tokens(body: RefreshRequest) -> Response:
    """Each refresh token works once. Asked again within a minute, because the answer got lost, it
    gives the same pair; later, or once its successor was used, it ends the whole sign-in."""
    jti = tokens.verify_refresh_token()
    with transaction() as session:
        issued = service.refresh(session, jti, request_time())
    if issued is None:
        raise Unauthorized("The sign-in has ended; sign in again.")
    return _sign_in_response(issued)


@api.post("/auth/logout", summary="Sign out", responses={204: None})
@public
def logout(body: RefreshRequest) -> Response:
    """Ends the sign-in and its access tokens. What is no token of ours has ended already."""
    family = tokens.family_of(body.refresh_token)
    if family is not None:
        with transaction() as session:
            service.log_out(session, family, request_time())
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
def list_users(query: PageQuery) -> Response:
    """In the order in which they were added, 100 a page; `next` is the cursor of the next one."""
    with transaction() as session:
        found = accounts.page(session, query.limit + 1, query.cursor)
    users, following = cut(found, query.limit)
    return model_response(UserList(users=[_member(user) for user in users], next=following))


@api.post("/admin/users", summary="Add a staff account", responses={201: UserDetails, 409: Problem})
@require_roles("admin")
def create_user(body: NewUser) -> Response:
    with transaction() as session:
        member = _member(accounts.create_user(session, body, current_user().id, request_time()))
    return model_response(member, 201)


@api.patch(
    "/admin/users/<int:user_id>",
    summary="Change a role, dismiss or take back",
    responses={200: UserDetails, 409: Problem},
)
@require_roles("admin")
def update_user(path: UserPath, body: UserChange) -> Response:
    """Ends the account's sign-ins. The last admin stays one: 409."""
    now, changed_by = request_time(), current_user().id
    with transaction() as session:
        user = accounts.get(session, path.user_id)
        if body.role is not None:
            user = accounts.set_role(session, user.id, body.role, changed_by, now)
        if body.active is not None:
            user = accounts.set_active(session, user.id, body.active, changed_by, now)
        member = _member(user)
    return model_response(member)


@api.post(
    "/admin/users/<int:user_id>/password",
    summary="Set another password",
    responses={204: None},
)
@require_roles("admin")
def set_user_password(path: UserPath, body: PasswordChange) -> Response:
    """Ends the account's sign-ins."""
    with transaction() as session:
        accounts.set_password(
            session, path.user_id, body.password, current_user().id, request_time()
        )
    return Response(status=204)


def _sign_in_response(issued: service.IssuedTokens) -> Response:
    pair = tokens.encode(issued)
    return model_response(
        SignInResponse(
            access_token=pair.access_token,
            refresh_token=pair.refresh_token,
            expires_in=pair.expires_in,
            user=_view(issued.user),
        )
    )


def _view(user: User | service.SignedInUser) -> UserView:
    return UserView.model_validate(user, from_attributes=True)


def _member(user: User) -> UserDetails:
    return UserDetails.model_validate(user, from_attributes=True)
