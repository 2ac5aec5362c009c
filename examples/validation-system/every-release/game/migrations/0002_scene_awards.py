from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("game", "0001_initial")]
    operations = [migrations.AddField("scene", "xp_given", models.BooleanField(default=False))]
