from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from game import views

urlpatterns = [
    path("scenes/", csrf_exempt(views.create_scene)),
    path("scenes/<int:pk>/award-xp/", csrf_exempt(views.award_xp)),
]
