from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from characters import views

urlpatterns = [
    path("characters/", csrf_exempt(views.characters)),
    path("characters/<int:pk>/", csrf_exempt(views.character)),
    path("characters/<int:pk>/spend-xp/", csrf_exempt(views.spend_xp)),
    path("characters/<int:pk>/status/", csrf_exempt(views.change_status)),
    path("xp-spends/<int:pk>/approve/", csrf_exempt(views.approve)),
]
