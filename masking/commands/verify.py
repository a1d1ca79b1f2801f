"""Verify a finished run: look for every known identifier in all that was written, and hold the rest against the source.

SOURCE and the PHI area are those of the run; DESTINATION is what is verified. Findings are told by place; what was found as
it stands goes to the PHI area. The verdict lies beside the run's manifest, and `fhir-mask status` shows it.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from masking import storage
from masking.commands.drill import MISSES, drill_run
from masking.commands.job import conf_of
from masking.commands.prepare import TYPES, only
from masking.commands.risking import add_risk, settings_of, told_of
from masking.commands.screen import Screen
from masking.commands.verdict import exit_code, show_verdict
from masking.commands.verifying import verify_run
from masking.errors import InputError, UsageError
from masking.policy.read import read_policy
from masking.report.manifest import read_manifest

USAGE = "fhir-mask verify SOURCE … DESTINATION --phi-area DIR [options]"
ON_PLATFORMS = True  # Glue adds arguments of its own


def add_arguments(parser: ArgumentParser) -> None:
    """What `verify` takes."""
    parser.add_argument("paths", metavar="SOURCE … DESTINATION", nargs="*")
    parser.add_argument("--phi-area", metavar="DIR", help="the PHI area of the run; findings with values go there")
    parser.add_argument("--policy", metavar="NAME|FILE", help="the policy of the run (default: by its name)")
    parser.add_argument("--types", metavar="T,…", help="as the run was told")
    parser.add_argument("--run", metavar="ID", help="a run other than the latest")
    add_risk(parser)
    parser.add_argument("--drill", action="store_true", help="then plant leaks and faults in a sample, and find each")
    parser.add_argument("--master", metavar="URL", help="Spark master (default: spark-submit's, else this machine)")
    parser.add_argument("--conf", metavar="K=V", action="append", help="a setting of Spark; may be given again")


def run(arguments: Namespace, screen: Screen) -> int:
    """Verify, tell."""
    risk = settings_of(**told_of(arguments))
    *sources, destination = arguments.paths or [""]
    if not sources:
        raise UsageError("what is verified needs a SOURCE and a DESTINATION: fhir-mask verify SOURCE … DESTINATION")
    if not arguments.phi_area:
        raise UsageError("--phi-area DIR is needed: name the one that the run was given")
    destination = storage.normalize(destination)
    manifest = read_manifest(destination, arguments.run)
    if manifest is None:
        raise InputError(f"there is no finished run at {destination}")
    name, _, listed = manifest.made_with.policy.partition(TYPES)
    types = tuple(part.strip() for part in (arguments.types or listed).split(",") if part.strip())
    policy = only(read_policy(arguments.policy or name, reference_date=manifest.made_with.reference_date), types)
    done = verify_run(
        sources,
        destination,
        arguments.phi_area,
        policy,
        screen,
        run_id=arguments.run,
        master=arguments.master,
        conf=conf_of(arguments.conf or []),
        risk=risk,
    )
    show_verdict(screen, done.verdict, done.report, done.findings)
    code = exit_code(done.verdict)
    if not arguments.drill:
        return code
    drilled = drill_run(sources, destination, arguments.phi_area, policy, screen, arguments.run)
    return code or (MISSES if drilled.missed else 0)
