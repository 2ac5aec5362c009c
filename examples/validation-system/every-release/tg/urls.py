from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.static import serve

from tg import deadlock, pages

handler404 = "tg.answers.not_found"

urlpatterns = [
    path("", pages.home),
    path("health", pages.health),
    path("admin/", admin.site.urls),
    path("api/", include("characters.urls")),
    path("api/", include("game.urls")),
    path("api/deadlock/<str:order>/", csrf_exempt(deadlock.lock_two)),
    re_path(r"^static/(?P<path>.+)$", serve, {"document_root": settings.STATIC_ROOT}),
]
