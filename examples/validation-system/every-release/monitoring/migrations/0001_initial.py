from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Operation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("operation", models.CharField(max_length=30)),
                ("outcome", models.CharField(max_length=10)),
                ("latency_ms", models.FloatField()),
                ("violation", models.CharField(blank=True, max_length=100)),
                ("error", models.CharField(blank=True, max_length=100)),
                ("at", models.DateTimeField(db_default=Now())),
            ],
            options={"indexes": [models.Index(fields=["at"], name="monitoring_operation_at")]},
        )
    ]
