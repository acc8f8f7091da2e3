"""Sign-in and staff, as they go over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import StringConstraints

from posapp.http.roles import StaffRole
from posapp.http.schemas import ApiModel, Id, Name, Text

Username = Annotated[
    Text, StringConstraints(min_length=1, max_length=50, strip_whitespace=True, to_lower=True)
]
NewUsername = Annotated[Username, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
Password = Annotated[Text, StringConstraints(min_length=1, max_length=200)]
NewPassword = Annotated[Text, StringConstraints(min_length=10, max_length=200)]


class LoginRequest(ApiModel):
    username: Username
    password: Password


class RefreshRequest(ApiModel):
    refresh_token: Annotated[Text, StringConstraints(min_length=1, max_length=2000)]


class UserView(ApiModel):
    id: Id
    username: str
    name: str
    role: StaffRole


class UserDetails(UserView):
    active: bool
    created_at: datetime


class UserList(ApiModel):
    users: list[UserDetails]


class NewUser(ApiModel):
    username: NewUsername
    name: Name
    role: StaffRole
    password: NewPassword


class SignInResponse(ApiModel):
    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  a scheme, no secret
    expires_in: int
    """Seconds that the access token holds."""
    user: UserView


class DemoLogin(ApiModel):
    username: str
    password: str
    role: StaffRole
    name: str


class DemoLogins(ApiModel):
    logins: list[DemoLogin]
