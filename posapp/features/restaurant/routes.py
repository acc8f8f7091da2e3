"""`/api/v1/public/restaurant`, `/api/v1/public/manifest` and `/api/v1/admin/restaurant`."""

from __future__ import annotations

from flask import Response

from posapp.features.restaurant import service
from posapp.features.restaurant.schemas import RestaurantChange, RestaurantView, WebManifest
from posapp.http.access import current_user, public, require_roles
from posapp.http.openapi import api_blueprint
from posapp.http.request_time import request_time
from posapp.http.responses import model_response
from posapp.http.transactions import transaction

api = api_blueprint("restaurant", "Restaurant")


@api.get("/public/restaurant", summary="Name, tax and rates", responses={200: RestaurantView})
@public
def get_restaurant() -> Response:
    """The house, as screens and receipts name it."""
    with transaction() as session:
        return model_response(service.view(session, request_time()))


@api.get(
    "/public/manifest",
    summary="The installed app under the house's name",
    responses={200: WebManifest},
)
@public
def get_manifest() -> Response:
    """The manifest that a browser installs the app by, named as the house is."""
    with transaction() as session:
        name = service.restaurant_settings(session).name
    return model_response(WebManifest(name=name), Cache_Control="no-cache")


@api.patch(
    "/admin/restaurant", summary="Change name, tax and rates", responses={200: RestaurantView}
)
@require_roles("admin")
def update_restaurant(body: RestaurantChange) -> Response:
    """Orders that are open keep the rates of their moment."""
    now = request_time()
    with transaction() as session:
        service.change(session, body, current_user().id, now)
        found = service.view(session, now)
    return model_response(found)
