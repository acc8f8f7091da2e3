"""The restaurant as it goes over the wire. Rates are basis points: 500 is 5 %."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, StrictInt

from posapp.http.schemas import ApiModel, Name

Rate = Annotated[StrictInt, Field(ge=0, le=10_000)]


class RestaurantView(ApiModel):
    name: str
    service_rate: int
    tax_name: str
    """As it stands on the bill."""
    tax_rate: int
    cash_rounding: int
    """Rupiah to which what is paid in cash is rounded."""
    business_date: date
    """Of this moment."""


class RestaurantChange(ApiModel):
    """A change of the house; what is left out stays."""

    name: Name | None = None
    tax_name: Name | None = None
    service_rate: Rate | None = None
    tax_rate: Rate | None = None


class ManifestIcon(ApiModel):
    src: str
    sizes: str
    type: str = "image/png"
    purpose: str = "any"


class WebManifest(ApiModel):
    """The installed app, as a browser asks for it (W3C's Web Application Manifest)."""

    name: str
    """The house's."""
    id: str = "/"
    start_url: str = "/"
    scope: str = "/"
    display: str = "standalone"
    lang: str = "id"
    background_color: str = "#f7f3ed"
    theme_color: str = "#231813"
    icons: tuple[ManifestIcon, ...] = (
        ManifestIcon(src="/icon-192.png", sizes="192x192"),
        ManifestIcon(src="/icon-512.png", sizes="512x512", purpose="any maskable"),
    )
