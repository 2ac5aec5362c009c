"""Between the listener and the views: errors to answers, maintenance, page times, the failure switch."""

import time

from django.conf import settings
from django.http import JsonResponse

from monitoring import page_times
from tg import faults
from tg.answers import explain


class answer_errors:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.started = time.monotonic()
        return self.get_response(request)

    def process_exception(self, request, exception):
        return None if request.path.startswith("/admin/") else explain(exception)


def close_for_maintenance(get_response):
    """While the flag file exists the outside answers 503 to all but /health; the inside listener stays open."""

    def middleware(request):
        flag, inside = settings.MAINTENANCE_FLAG, request.META["SERVER_PORT"] == settings.INSIDE_PORT
        if flag and not inside and request.path != "/health" and flag.exists():
            return JsonResponse({"status": "maintenance", "build": settings.BUILD_ID}, status=503)
        return get_response(request)

    return middleware


def time_pages(get_response):
    def middleware(request):
        response = get_response(request)
        if request.method == "GET":
            page_times.note((time.monotonic() - request.started) * 1000)
        return response

    return middleware


def strike(get_response):
    """Operations are struck where they are recorded (monitoring.record), so that the monitor sees it."""

    def middleware(request):
        faults.slow()
        if request.method in ("GET", "HEAD") and faults.strikes():
            return JsonResponse({"error": "fault switch"}, status=500)
        return get_response(request)

    return middleware
