"""Sign-in and staff, as they go over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from posapp.features.auth import passwords
from posapp.http.pages import Page
from posapp.http.roles import StaffRole
from posapp.http.schemas import LARGEST_ID, ApiModel, Id, Line, Name, Text

Username = Annotated[str, Line(50, min_length=1, to_lower=True)]
NewUsername = Annotated[Username, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
Password = Annotated[Text, StringConstraints(min_length=1, max_length=200)]


def _uncommon(password: str) -> str:
    if passwords.is_common(password):
        raise ValueError(passwords.IS_COMMON)
    return password


NewPassword = Annotated[
    Text, StringConstraints(min_length=10, max_length=200), AfterValidator(_uncommon)
]


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


class UserList(Page):
    users: list[UserDetails]


class NewUser(ApiModel):
    username: NewUsername
    name: Name
    role: StaffRole
    password: NewPassword

    @model_validator(mode="after")
    def _is_no_name(self) -> Self:
        if passwords.is_name(self.password, self.username):
            raise ValueError(f"password: {passwords.IS_NAME}")
        return self


class UserPath(ApiModel):
    user_id: Annotated[int, Field(ge=1, le=LARGEST_ID)]


class UserChange(ApiModel):
    """Each change ends the account's sign-ins; what is left out stays."""

    role: StaffRole | None = None
    active: Annotated[bool, Field(strict=True)] | None = None


class PasswordChange(ApiModel):
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
