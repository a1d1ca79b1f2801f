"""Carry a verification out on Spark: for `verify`, for `run --verify` and for the demo."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from pyspark.sql import SparkSession

from masking.commands.prepare import TYPES
from masking.commands.quiet import QuietStart
from masking.commands.screen import Screen, duration
from masking.commands.sparkfailed import failed
from masking.fhir.elements import resource_types
from masking.policy.deciding import deciding, ways_back
from masking.policy.specs import Policy
from masking.policy.stays import stays, unwritten
from masking.risk.settings import RiskSettings
from masking.session import open_session
from masking.spark.begin import tell_of_open_disks
from masking.spark.measure import RuleFacts
from masking.spark.verify import Verified, verify
from masking.spark.verify_run import PolicyFacts


def facts_of(policy: Policy) -> PolicyFacts:
    """What the verification is told of a policy."""
    return PolicyFacts(
        name=policy.name,
        sha256=policy.sha256,
        vouched=policy.code_systems,
        unwritten=unwritten(policy, resource_types()),
        stays=lambda paths: stays(policy, paths),
        rules=RuleFacts(
            policy.name.partition(TYPES)[0],
            tuple(ways_back(policy)),
            lambda paths: deciding(policy, paths),
        ),
    )


def verify_run(
    sources: Sequence[str],
    destination: str,
    phi_area: str,
    policy: Policy,
    screen: Screen,
    *,
    run_id: str | None = None,
    master: str | None = None,
    conf: Mapping[str, str] | None = None,
    risk: RiskSettings | None = None,
) -> Verified:
    """Verify on Spark. Raises `SparkFailed` where Spark itself fails."""
    was_active = SparkSession.getActiveSession() is not None
    started = time.monotonic()
    try:
        with QuietStart():
            spark = open_session(master, conf or {})
        tell_of_open_disks(spark, screen.say)
        screen.say("Verifying: reading the source for what identifies people, then all that was written")
        try:
            facts = facts_of(policy)
            done = verify(
                spark, sources, destination, phi_area, policy=facts, run_id=run_id, risk=risk or RiskSettings()
            )
        finally:
            if not was_active:
                spark.stop()
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("py4j", "pyspark"):
            raise
        raise failed(error, "the run is as it was, and not verified") from None
    screen.say(f"Verified after {duration(time.monotonic() - started)}", "dim")
    return done
