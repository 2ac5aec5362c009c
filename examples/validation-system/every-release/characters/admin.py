from django.contrib import admin

from characters.models import Human, XPSpend


@admin.register(Human)
class HumanAdmin(admin.ModelAdmin):
    list_display = ("name", "status", "xp")
    list_filter = ("status",)
    search_fields = ("name",)


@admin.register(XPSpend)
class XPSpendAdmin(admin.ModelAdmin):
    list_display = ("character", "trait", "cost", "status")
    list_filter = ("status",)
    raw_id_fields = ("character",)
