"""Secrets, and what they stand in, for tests to draw."""

import string

from hypothesis import strategies as st

SECRET = "s3cr3t-V4lue"


names = st.sampled_from(
    [
        *("password", "Password", "new_password", "access_token", "refreshToken", "api_key"),
        *("X-Api-Key", "client_secret", "Authorization", "JWT_SECRET", "session_id", "SENTRY_DSN"),
        *("pin", "cvv"),
    ]
)


secrets = st.text(string.ascii_letters + string.digits + "-_.~!*", min_size=12, max_size=60).map(
    lambda text: f"zq{text}qz"
)


texts = st.text(st.characters(codec="utf-8"), max_size=80)
