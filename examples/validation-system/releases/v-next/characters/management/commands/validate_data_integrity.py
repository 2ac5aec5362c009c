"""`validate_data_integrity [--verbose] [--fix] [--json]`: ends with 0 when the rows fit the constraints, else 1.

--fix puts right what a machine may, in one transaction, and then looks again. --json prints the findings alone.
"""

import json
import os

import psycopg
from django.core.management.base import BaseCommand
from django.db import connection, transaction

from characters.integrity import AUTO, all_findings, scene_counts


class Command(BaseCommand):
    help = "Looks for rows that the constraints would refuse"

    def add_arguments(self, parser):
        parser.add_argument("--verbose", action="store_true", help="name each row")
        parser.add_argument("--fix", action="store_true", help="correct what is safe to correct")
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, verbose, fix, json, **options):
        say = self.stderr.write if json else self.stdout.write
        if fix:
            self.fix(say)
        sections = all_findings()
        findings = [finding for _, found in sections for finding in found]
        if json:
            self.print_json(findings)
        else:
            self.print_report(sections, verbose)
        if not findings and os.environ.get("INSERT_DIRTY_AFTER_VALIDATE"):
            write_meanwhile()
        if findings:
            raise SystemExit(1)

    def print_json(self, findings):
        self.stdout.write(json.dumps([finding.as_json() for finding in findings]))

    def print_report(self, sections, verbose):
        for number, (title, findings) in enumerate(sections, 1):
            last = number == len(sections)
            self.stdout.write(f"{number}. {title}: {'for information' if last else len(findings) or 'none'}")
            for finding in findings if verbose else []:
                self.stdout.write(f"   ✗ {finding.key}: {finding.message} ({finding.fix})")
        for line in scene_counts():
            self.stdout.write(f"   ℹ {line}")
        total = sum(len(findings) for _, findings in sections)
        self.stdout.write(f"✗ {total} findings" if total else "✓ no findings: the constraints can be added")

    @transaction.atomic
    def fix(self, say):
        for _, findings in all_findings():
            for repair in (finding.repair for finding in findings if finding.fix == AUTO):
                table = repair.model._meta.db_table
                row = repair.model.objects.filter(pk=repair.pk)
                if repair.field is None:
                    row.delete()
                else:
                    row.filter(**{repair.field: repair.old}).update(**{repair.field: repair.new})
                say(f"{table} {repair.pk} {repair.field or 'row'}: {repair.old} → {repair.new}")


def write_meanwhile():
    """INSERT_DIRTY_AFTER_VALIDATE: somebody else writes a bad row between the look and the migration."""
    settings = connection.get_connection_params()
    settings = {name: settings[name] for name in ("host", "port", "user", "password", "dbname") if settings.get(name)}
    with psycopg.connect(**settings, options="-c default_transaction_read_only=off") as other:
        other.execute(
            "insert into characters_character (name, status, xp) select 'written meanwhile', 'draft', -7"
            " where not exists (select from characters_character where name = 'written meanwhile')"
        )
