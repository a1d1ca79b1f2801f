"""The command line `fhir-mask`: find the command, read its arguments, turn what goes wrong into a line and a code."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import traceback
from argparse import SUPPRESS, ArgumentParser, HelpFormatter, Namespace
from collections.abc import Callable, Sequence
from pathlib import PurePath
from types import ModuleType
from typing import Any, NoReturn

from masking import __version__
from masking.commands.interrupt import Terminated, terminable
from masking.commands.platform import without_platform_options
from masking.commands.screen import PLAIN_COLUMNS, Screen
from masking.errors import MaskingError, UsageError
from masking.keys import refuse_pasted_key
from masking.policy.problems import did_you_mean, short

#: Each is the module of that name in `masking.commands`.
COMMANDS = {
    "demo": "make a sample export, mask it, look at it: the tour",
    "run": "mask an export",
    "verify": "look for what leaked, hold the output against the source",
    "report": "where a verified run's report is; made anew where it is missing",
    "refresh": "mask documents again of people of whom more is known now",
    "status": "what a destination holds",
    "maintain": "keep Delta tables in order",
    "preview": "look at a few resources before and after, write nothing",
    "explain": "which rule masks what, and how",
    "policy": "list, show and check policies",
    "keygen": "make a master key",
    "sample": "make an export of made-up patients",
}
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM
UNREAD = 128 + signal.SIGPIPE
UNREACHABLE = 1
BUG = 70
_EPILOG = "Exit codes: 0 done, 3 done and some lines are in quarantine, 4 identifiers are left, others: an error (see docs/cli.md)."


def main(argv: Sequence[str] | None = None, *, on_platform: bool = False) -> int:
    """Run a command; the exit code. `argv` without the program's name, by default the process's.

    on_platform: a platform such as AWS Glue has started it and added arguments of its own, which are passed over.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    screen = Screen()
    try:
        return _judged(given, screen, on_platform)
    except OSError as error:  # even what went wrong cannot be said
        screen.give_up_broken()
        return UNREAD if isinstance(error, BrokenPipeError) else UNREACHABLE


def _judged(given: list[str], screen: Screen, on_platform: bool) -> int:
    """Carry it out; what goes wrong becomes a line and a code."""
    is_debug = "--debug" in given
    try:
        with terminable():
            code = _dispatch(given, screen, on_platform)
            screen.flush()
            return code
    except MaskingError as error:
        screen.fail(str(error))
        _trace(error, screen, is_debug)
        return error.exit_code
    except KeyboardInterrupt as stop:
        screen.say("Interrupted. An unfinished run is not published; what is already there stays as it was.")
        return TERMINATED if isinstance(stop, Terminated) else INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough
        raise
    except OSError as error:
        screen.give_up_broken()
        screen.fail(_unreachable(error))
        _trace(error, screen, is_debug)
        return UNREACHABLE
    except Exception as error:
        # Its text may hold anything, values included: only its kind and its place are told.
        screen.fail(f"this is a bug in fhir-mask: {_place(error)}; please report it (--debug tells the way to it)")
        _trace(error, screen, is_debug)
        return BUG


def _dispatch(given: list[str], screen: Screen, on_platform: bool) -> int:
    for word in given:
        refuse_pasted_key(word, "an argument")
    before = [word for word in given if word != "--debug"]
    name = before[0] if before else "--help"
    if name in ("-h", "--help", "help"):
        if len(before) > 1 and before[1] in COMMANDS:
            name, before = before[1], [before[1], "--help"]
        else:
            screen.write(_overview())
            return 0
    if name in ("-V", "--version"):
        screen.write(f"fhir-mask {__version__}\n")
        return 0
    if name not in COMMANDS:
        hint = did_you_mean(name, COMMANDS, "fhir-mask --help lists them")
        raise UsageError(f"there is no command {short(name)!r}; {hint}")
    module = importlib.import_module(f"masking.commands.{name}")
    arguments = _parse(name, module, before[1:], on_platform)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", stream=sys.stderr)
    logging.getLogger("py4j").setLevel(logging.CRITICAL)  # it logs every exception that it raises as well
    run: Callable[[Namespace, Screen], int] = module.run
    return run(arguments, screen)


class _Parser(ArgumentParser):
    """A parser that raises `UsageError` and knows what was meant."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


class _Columns(HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=PLAIN_COLUMNS)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(super(_Columns, self)._fill_text(part, width, indent) for part in text.split("\n\n"))


def _parse(name: str, module: ModuleType, words: list[str], on_platform: bool) -> Namespace:
    settings: dict[str, Any] = {"usage": getattr(module, "USAGE", None)}
    parser = _Parser(
        f"fhir-mask {name}",
        description=module.__doc__,
        epilog=_EPILOG if name in ("run", "verify", "demo") else None,
        formatter_class=_Columns,
        allow_abbrev=False,
        **settings,
    )
    module.add_arguments(parser)
    parser.add_argument("--debug", action="store_true", help="when it fails, tell where in the program (never a value)")
    words = without_platform_options(words, _options(parser)) if on_platform else words
    arguments, unknown = parser.parse_known_intermixed_args(words)
    for word in unknown:
        raise UsageError(_unknown(word, parser))
    return arguments


def _unknown(word: str, parser: ArgumentParser) -> str:
    if not word.startswith("-"):
        return f"one argument too many; see {parser.prog} --help"
    # The value after `=` may be anything, a key included: it is not repeated.
    option = word.partition("=")[0]
    hint = did_you_mean(option, _options(parser), f"see {parser.prog} --help")
    return f"{parser.prog} has no option {short(option)}; {hint}"


def _options(parser: ArgumentParser) -> list[str]:
    return [text for action in parser._actions for text in action.option_strings if action.help is not SUPPRESS]


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {what}" for name, what in COMMANDS.items()]
    return "\n".join(
        [
            "usage: fhir-mask COMMAND …",
            "",
            "Mask a FHIR R4 export: the same person is the same fake person in every file.",
            "",
            *lines,
            "",
            "fhir-mask COMMAND --help tells more. Start with: fhir-mask demo",
            "",
        ]
    )


def _unreachable(error: OSError) -> str:
    """A place that cannot be read or written. The system's own words only: a path may hold a name, Arrow's text anything."""
    if error.errno:
        return f"cannot read or write where it was told to: {os.strerror(error.errno)} (--debug tells the way to it)"
    return (
        "storage cannot be reached, or refuses; of an object store, check bucket, region, network and AWS credentials"
    )


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def _trace(error: BaseException, screen: Screen, is_debug: bool) -> None:
    """The way to an error: files, lines and functions, no source text and no message, for both may hold values."""
    while is_debug and error is not None:
        screen.say(f"{type(error).__name__}:", "dim")
        for frame in traceback.extract_tb(error.__traceback__):
            screen.say(f"  {frame.filename}:{frame.lineno} in {frame.name}", "dim")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)  # type: ignore[assignment]


if __name__ == "__main__":
    sys.exit(main())
