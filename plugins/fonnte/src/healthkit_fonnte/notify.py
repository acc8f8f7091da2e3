"""The Apprise plugin.

The interface is Fonnte's "API Send Message" (docs.fonnte.com/api-send-message): a form with
`target` and `message`, the token in the header `Authorization`. A refusal comes with HTTP 200 and
`{"status": false, "reason": "…"}`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

import requests
from apprise import NotifyType
from apprise.plugins import NotifyBase
from apprise.utils.parse import parse_list

_NUMBER = re.compile(r"\+?[1-9]\d{7,14}")


class NotifyFonnte(NotifyBase):  # type: ignore[misc]
    """Sends one request for all its numbers: all of them get the message, or none."""

    service_name = "Fonnte"
    service_url = "https://fonnte.com/"
    setup_url = "https://docs.fonnte.com/token-api-key/"
    secure_protocol = "fonnte"
    notify_url = "https://api.fonnte.com/send"
    request_rate_per_sec = 0
    title_maxlen = 0
    body_maxlen = 4096
    templates = ("{schema}://{token}/{targets}",)
    template_tokens: ClassVar[dict[str, Any]] = {
        **NotifyBase.template_tokens,
        "token": {"name": "Token", "type": "string", "private": True, "required": True},
        "target_phone": {
            "name": "Number",
            "type": "string",
            "prefix": "+",
            "regex": (r"^[0-9 +()-]+$", "i"),
            "map_to": "targets",
        },
        "targets": {"name": "Targets", "type": "list:string", "required": True},
    }
    template_args: ClassVar[dict[str, Any]] = {
        **NotifyBase.template_args,
        "to": {"alias_of": "targets"},
    }

    def __init__(self, token: str, targets: Sequence[str], **kwargs: Any) -> None:
        """Raises TypeError for a missing token or number, or one that is no number in
        international form."""
        super().__init__(**kwargs)
        self.token = (token or "").strip()
        self.targets = [number.lstrip("+") for number in targets]
        wrong = [number for number in targets if not _NUMBER.fullmatch(number)]
        if not self.token or not self.targets or wrong:
            raise TypeError("Fonnte needs a token and numbers like 628123456789")

    def send(
        self, body: str, title: str = "", notify_type: NotifyType = NotifyType.INFO, **kwargs: Any
    ) -> bool:
        """Whether Fonnte has taken the message."""
        self.throttle()
        try:
            answer = requests.post(
                self.notify_url,
                data={"target": ",".join(self.targets), "message": body},
                headers={"Authorization": self.token, "User-Agent": self.app_id},
                timeout=self.request_timeout,
                verify=self.verify_certificate,
            )
        except requests.RequestException as error:
            self.logger.warning("Fonnte was not reached (%s).", type(error).__name__)
            self.logger.debug("Socket Exception: %s", error)
            return False
        if refusal := _refusal(answer):
            self.logger.warning("%s", refusal)
        return not refusal

    def url(self, privacy: bool = False, *args: Any, **kwargs: Any) -> str:
        """The address again; with `privacy` its token is not readable."""
        token = self.pprint(self.token, privacy, safe="")
        numbers = "/".join(self.targets)
        params = self.urlencode(self.url_parameters(*args, privacy=privacy, **kwargs))
        return f"{self.secure_protocol}://{token}/{numbers}/?{params}"

    @property
    def url_identifier(self) -> tuple[str, str]:
        return (self.secure_protocol, self.token)

    def __len__(self) -> int:
        return len(self.targets)

    @staticmethod
    def parse_url(url: str) -> dict[str, Any] | None:
        """The parts of `fonnte://TOKEN/NUMBER/NUMBER`; further numbers may stand in `?to=`."""
        results: dict[str, Any] | None = NotifyBase.parse_url(url, verify_host=False)
        if results:
            results["token"] = NotifyBase.unquote(results["host"] or "")
            further = parse_list(NotifyBase.unquote(results["qsd"].get("to", "")))
            results["targets"] = [*NotifyBase.split_path(results["fullpath"]), *further]
        return results


def _refusal(answer: requests.Response) -> str | None:
    """Returns Fonnte's own reason for refusing the message, or None."""
    try:
        said = answer.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return f"HTTP {answer.status_code}: no answer that Fonnte would give"
    if answer.ok and said.get("status") is True:
        return None
    reason = said.get("reason") or said.get("Reason") or "refused without a reason"
    return f"HTTP {answer.status_code}: {reason}"
