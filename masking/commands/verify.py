"""Verify a finished run: look for every known identifier in all that was written, and hold the rest against the source.

SOURCE and the PHI area are those of the run; DESTINATION is what is verified. Findings are told by place; what was found as
it stands goes to the PHI area. The verdict lies beside the run's manifest, and `fhir-mask status` shows it.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace

from pyspark.sql import SparkSession

from masking import storage
from masking.commands.carry import failed
from masking.commands.job import conf_of
from masking.commands.prepare import only
from masking.commands.quiet import QuietStart
from masking.commands.screen import Screen, duration
from masking.commands.verdict import show_verdict
from masking.errors import InputError, UsageError
from masking.fhir.elements import resource_types
from masking.policy.read import read_policy
from masking.policy.specs import Policy
from masking.policy.stays import stays, unwritten
from masking.report.manifest import read_manifest
from masking.report.verdict import Verdict
from masking.session import open_session
from masking.spark.verify import PolicyFacts, Verified, verify

USAGE = "fhir-mask verify SOURCE … DESTINATION --phi-area DIR [options]"
ON_PLATFORMS = True
LEAK = 4
UNVERIFIED = 10


def add_arguments(parser: ArgumentParser) -> None:
    """What `verify` takes."""
    parser.add_argument("paths", metavar="SOURCE … DESTINATION", nargs="*")
    parser.add_argument("--phi-area", metavar="DIR", help="the PHI area of the run; findings with values go there")
    parser.add_argument("--policy", metavar="NAME|FILE", help="the policy of the run (default: by its name)")
    parser.add_argument("--types", metavar="T,…", help="as the run was told")
    parser.add_argument("--run", metavar="ID", help="a run other than the latest")
    parser.add_argument("--master", metavar="URL", help="Spark master (default: spark-submit's, else this machine)")
    parser.add_argument("--conf", metavar="K=V", action="append", help="a setting of Spark; may be given again")


def run(arguments: Namespace, screen: Screen) -> int:
    """Verify, tell."""
    *sources, destination = arguments.paths or [""]
    if not sources:
        raise UsageError("what is verified needs a SOURCE and a DESTINATION: fhir-mask verify SOURCE … DESTINATION")
    if not arguments.phi_area:
        raise UsageError("--phi-area DIR is needed: name the one that the run was given")
    destination = storage.normalize(destination)
    manifest = read_manifest(destination, arguments.run)
    if manifest is None:
        raise InputError(f"there is no finished run at {destination}")
    types = tuple(part.strip() for part in (arguments.types or "").split(",") if part.strip())
    name = arguments.policy or manifest.made_with.policy
    policy = only(read_policy(name, reference_date=manifest.made_with.reference_date), types)
    done = carry_out(
        sources,
        destination,
        arguments.phi_area,
        policy,
        screen,
        run_id=arguments.run,
        master=arguments.master,
        conf=conf_of(arguments.conf or []),
    )
    show_verdict(screen, done.verdict, done.path, done.findings)
    return exit_code(done.verdict)


def exit_code(verdict: Verdict) -> int:
    """0 verified, 4 a leak, 10 anything else that is wrong."""
    return 0 if verdict.verified else LEAK if verdict.leaked else UNVERIFIED


def facts_of(policy: Policy) -> PolicyFacts:
    """What the verification is told of a policy."""
    return PolicyFacts(
        name=policy.name,
        sha256=policy.sha256,
        vouched=policy.code_systems,
        unwritten=unwritten(policy, resource_types()),
        stays=lambda paths: stays(policy, paths),
    )


def carry_out(
    sources: list[str],
    destination: str,
    phi_area: str,
    policy: Policy,
    screen: Screen,
    *,
    run_id: str | None = None,
    master: str | None = None,
    conf: dict[str, str] | None = None,
) -> Verified:
    """Verify on Spark. Raises `SparkFailed` where Spark itself fails."""
    was_active = SparkSession.getActiveSession() is not None
    started = time.monotonic()
    try:
        with QuietStart():
            spark = open_session(master, conf or {})
        screen.say("Verifying: reading the source for what identifies people, then all that was written")
        try:
            done = verify(
                spark, sources, destination, phi_area, policy=facts_of(policy), run_id=run_id, notice=screen.say
            )
        finally:
            if not was_active:
                spark.stop()
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("py4j", "pyspark"):
            raise
        raise failed(error) from None
    screen.say(f"Verified after {duration(time.monotonic() - started)}", "dim")
    return done
