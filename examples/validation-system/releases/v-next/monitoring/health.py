"""The health score: 100, less 15 for each metric that misses its target and 30 for each that is out of its band."""

# metric: (target, alert, operations below which it says nothing); a negative sign turns "at least" into "at most".
RATES = {
    ("xp_spend", "success_rate"): (0.95, 0.90, 20),
    ("xp_spend", "latency_ms"): (-200, -500, 20),
    ("scene_xp", "success_rate"): (1.0, 0.99, 5),
    ("rollback_rate",): (-0.01, -0.05, 100),
}
COUNTS = {"constraint_violations": (0, 10), "deadlocks": (0, 1)}
MISSED, OUT = 15, 30


def health_score(facts):
    return max(
        0, 100 - sum(_rate(facts, *rule) for rule in RATES.items()) - sum(_count(facts, *r) for r in COUNTS.items())
    )


def _rate(facts, path, rule):
    target, alert, least = rule
    found = facts
    for name in path:
        found = found[name]
    if found["value"] is None or found["samples"] < least:
        return 0
    value = found["value"] if target > 0 else -found["value"]
    return 0 if value >= target else MISSED if value >= alert else OUT


def _count(facts, name, rule):
    target, alert = rule
    return 0 if facts[name] <= target else MISSED if facts[name] <= alert else OUT
