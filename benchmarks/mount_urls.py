"""Django's URLs for the benchmark of the mounts."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from benchmarks.health_apps import BODY
from benchmarks.mount_apps import HELLO, TYPE, Checker

_checker = Checker()


def bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse(BODY, content_type=TYPE)


def checked(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_checker.ask(), content_type=TYPE)


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse(HELLO)


urlpatterns = [path("bare", bare), path("checked", checked), path("hello", hello)]
