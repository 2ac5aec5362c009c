from django.contrib import admin

from game.models import Chronicle, Scene, STRelationship

admin.site.register(Chronicle)


@admin.register(Scene)
class SceneAdmin(admin.ModelAdmin):
    list_display = ("name", "chronicle", "finished", "xp_given")
    raw_id_fields = ("participants",)


@admin.register(STRelationship)
class STRelationshipAdmin(admin.ModelAdmin):
    list_display = ("user", "chronicle", "gameline")
