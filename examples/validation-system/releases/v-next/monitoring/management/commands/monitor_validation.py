"""`manage.py monitor_validation [--period HOURS] [--since RFC3339] [--json]`: how the operations went in that time.

Rates and latencies reach back to the newest operations of the last day, because a rate of three says nothing;
each says for how many operations it speaks. Refusals that the app foresees are no failures.
"""

import json
from datetime import datetime, timedelta, timezone

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from monitoring import page_times
from monitoring.health import health_score

NEWEST = {"xp_spend": 20, "scene_xp": 5}
RECENT = """
    with recent as (
        select outcome, latency_ms, at, row_number() over (order by at desc) as newest
        from monitoring_operation
        where operation = %(operation)s and outcome <> 'refused' and at > least(%(since)s, %(day)s)
    )
    select count(*), count(*) filter (where outcome = 'done'),
        percentile_disc(0.95) within group (order by latency_ms)
    from recent where at > %(since)s or newest <= %(newest)s"""
TOTALS = """
    select count(*) filter (where violation <> ''), count(*) filter (where error = '40P01'),
        count(*) filter (where outcome = 'failed'), count(*)
    from monitoring_operation where at > %(since)s"""


def ask(sql, **values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()


def measure(since, now):
    def recent(operation):
        day = now - timedelta(days=1)
        count, done, p95 = ask(RECENT, operation=operation, since=since, day=day, newest=NEWEST[operation])
        rate = {"value": done / count if count else None, "samples": count}
        return {"success_rate": rate, "latency_ms": {"value": p95 and round(p95, 1), "samples": count}}

    violations, deadlocks, failed, total = ask(TOTALS, since=since)
    facts = {
        "since": since.isoformat(),
        "xp_spend": recent("xp_spend"),
        "scene_xp": recent("scene_xp"),
        "constraint_violations": violations,
        "rollback_rate": {"value": failed / total if total else None, "samples": total},
        "deadlocks": deadlocks,
        "page_ms": page_times.read(since),
    }
    return {"health_score": health_score(facts), **facts}


class Command(BaseCommand):
    help = "Says how the operations went"

    def add_arguments(self, parser):
        parser.add_argument("--period", type=float, default=24, metavar="HOURS")
        parser.add_argument("--since", metavar="RFC3339", help="wins over --period")
        parser.add_argument("--json", action="store_true")

    def handle(self, period, since, **options):
        now = datetime.now(timezone.utc)
        facts = measure(read_time(since) if since else now - timedelta(hours=period), now)
        if options["json"]:
            self.stdout.write(json.dumps(facts))
            return
        for name, value in facts.items():
            self.stdout.write(f"{name}: {json.dumps(value) if isinstance(value, dict) else value}")


def read_time(text):
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--since is not a time: {text}") from None
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)
