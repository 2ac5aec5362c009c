from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("characters", "0007_add_age_constraints")]
    operations = [migrations.AddIndex("character", models.Index(fields=["status"], name="characters_status"))]
