"""`validate_character_data [--json]`: each character against the rules of the model, constraint or not."""

import json

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand

from characters.models import Human
from characters.rules import rule_of


def broken_rules():
    for human in Human.objects.order_by("pk").iterator():
        try:
            human.full_clean(validate_constraints=False, exclude=["character_ptr", "owner"])
        except ValidationError as error:
            for field, errors in error.error_dict.items():
                for one in errors:
                    rule = rule_of(field, one.code)
                    key = f"characters_human {human.pk}"
                    yield {"category": rule, "key": key, "fix": "people", "message": f"{field}: {one.messages[0]}"}


class Command(BaseCommand):
    help = "Validates every character"

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, **options):
        findings = list(broken_rules())
        if options["json"]:
            self.stdout.write(json.dumps(findings))
        else:
            for finding in findings:
                self.stdout.write(f"✗ {finding['key']}: {finding['message']} ({finding['category']})")
            self.stdout.write(f"{Human.objects.count()} characters, {len(findings)} broken rules")
        if findings:
            raise SystemExit(1)
