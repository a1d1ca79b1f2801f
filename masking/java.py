"""Find a Java that this Spark can use, or say in one line what to install.

PySpark brings no Java and, given a wrong one, dies with a stack trace that names neither. So each candidate is run
once and asked what it is; the first that fits wins, the user's own choice (JAVA_HOME, then PATH) before what merely
lies on the disk.

`python -m masking.java` prints the home of that Java; with no fitting one it prints the remedy and exits with 4.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from masking.errors import MaskingError

#: Where installers put a JDK, as (folder, pattern of homes in it); `~` is the user's home.
PLACES = (
    ("/usr/lib/jvm", "*"),  # Debian, Ubuntu, Fedora, Amazon Linux
    ("/usr/java", "*"),  # Oracle's packages
    ("/opt/java", "*"),  # container images
    ("/opt", "*jdk*"),
    ("/Library/Java/JavaVirtualMachines", "*/Contents/Home"),  # macOS installers
    ("/opt/homebrew/opt", "openjdk*/libexec/openjdk.jdk/Contents/Home"),  # Homebrew keeps these off PATH; Apple silicon
    ("/usr/local/opt", "openjdk*/libexec/openjdk.jdk/Contents/Home"),  # the same on Intel
    ("~/Library/Java/JavaVirtualMachines", "*/Contents/Home"),
    ("~/.sdkman/candidates/java", "*"),
    ("~/.jdks", "*"),  # IntelliJ
)
_ASK_SECONDS = 30


class JavaNotFound(MaskingError):
    """No Java on this machine can run the installed Spark; the text is one line that ends with the remedy."""

    exit_code = 11


@dataclass(frozen=True, slots=True)
class Java:
    """A Java that answered: its home, as it calls it itself, and its feature release (8, 11, 17, …)."""

    home: Path
    major: int


Ask = Callable[[Path], Java | None]


def supported(spark: str) -> tuple[int, ...]:
    """The feature releases of Java that a Spark version (`3.5.6`) runs our jobs on, the best known first.

    Spark 4 wants 17 or 21 (25 does not start it). Spark 3.5 starts on 21, yet its Arrow 12 cannot reach direct buffers
    there (apache/arrow#35053, mended in 13), and every job of ours moves Arrow batches; 8 and 11 nobody tests here.
    """
    return (17,) if spark.startswith("3.") else (17, 21)


def installed_spark() -> str:
    """The version of the installed PySpark, without importing it; 4 where there is none yet."""
    try:
        return metadata.version("pyspark")
    except metadata.PackageNotFoundError:
        return "4"


def ask(executable: Path) -> Java | None:
    """Run a `java` and hear its home and release; None if it does not start or does not answer as a Java does.

    Its home is asked for because on macOS, with SDKMAN, jenv or asdf, the executable on PATH is a shim outside any JDK.
    """
    command = [str(executable), "-XshowSettings:properties", "-version"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_ASK_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    told = dict(re.findall(r"^\s*(java\.home|java\.specification\.version) = (.+?)\s*$", done.stderr, re.MULTILINE))
    release = told.get("java.specification.version", "").removeprefix("1.")  # Java 8 calls itself 1.8
    if not release.isdecimal() or "java.home" not in told:
        return None
    return Java(Path(told["java.home"]), int(release))


def candidates(environ: Mapping[str, str], places: Iterable[tuple[str, str]] = PLACES) -> Iterator[Path]:
    """Executables worth asking: JAVA_HOME, PATH, then where installers put them (higher names first)."""
    if environ.get("JAVA_HOME"):
        yield Path(environ["JAVA_HOME"], "bin", "java")
    if on_path := shutil.which("java", path=environ.get("PATH", os.defpath)):
        yield Path(on_path)
    for folder, pattern in places:
        if folder.startswith("~") and not environ.get("HOME"):
            continue
        root = Path(folder.replace("~", environ.get("HOME", ""), 1))
        homes = sorted(root.glob(pattern), reverse=True) if root.is_dir() else []
        yield from (executable for home in homes if (executable := home / "bin" / "java").is_file())


def find(accepted: Sequence[int], executables: Iterable[Path], ask: Ask = ask) -> Java:
    """The first of the executables whose release is accepted; each real file is asked once.

    Raises:
        JavaNotFound: none fits; the text names what was found instead and the command that installs one.
    """
    seen: set[Path] = set()
    others: dict[Path, Java] = {}
    for executable in executables:
        real = executable.resolve()
        if real in seen:
            continue
        seen.add(real)
        java = ask(executable)
        if java is None:
            continue
        if java.major in accepted:
            return java
        others[java.home] = java
    wanted = " or ".join(str(release) for release in accepted)
    found = ", ".join(f"Java {java.major} in {java.home}" for java in others.values()) or "no Java"
    raise JavaNotFound(f"Spark needs Java {wanted}; found {found}. Install one: {remedy(accepted)}")


def find_java(spark: str | None = None) -> Java:
    """The Java to run this Spark with (the installed one unless told).

    Raises:
        JavaNotFound: none fits.
    """
    return find(supported(spark or installed_spark()), candidates(os.environ))


def use_java(spark: str | None = None) -> Java:
    """Find a Java and point JAVA_HOME at it for the Spark this process is about to start; raises as `find_java`."""
    java = find_java(spark)
    os.environ["JAVA_HOME"] = str(java.home)
    return java


def remedy(
    accepted: Sequence[int],
    *,
    which: Callable[[str], str | None] = shutil.which,
    release: Mapping[str, str] | None = None,
    root: bool | None = None,
) -> str:
    """The one command that installs an accepted Java with the package manager at hand, or the page to get it from.

    `release` is what /etc/os-release says (read if None), `root` whether no `sudo` is wanted (looked up if None).
    """
    release = _os_release() if release is None else release
    sudo = "" if (os.geteuid() == 0 if root is None else root) else "sudo "
    best = next((major for major in accepted if major in _packaged(release)), None)
    if best and which("brew"):
        return f"brew install openjdk@{best}"
    if best and which("apt-get"):
        return f"{sudo}apt-get install -y openjdk-{best}-jre-headless"
    if best and which("dnf"):
        package = "amazon-corretto-headless" if release.get("ID") == "amzn" else "openjdk-headless"
        return f"{sudo}dnf install -y java-{best}-{package}"
    return f"https://adoptium.net/temurin/releases/?version={best or accepted[0]}"


def _packaged(release: Mapping[str, str]) -> tuple[int, ...]:
    """Which of the releases we know the distribution has a package of."""
    version = _number(release.get("VERSION_ID", ""))
    match release.get("ID"):
        case "debian":
            return (17,) if version < 13 else (21,)
        case "fedora":
            return (17, 21) if version < 42 else (21,)
        case "rhel" | "centos" | "rocky" | "almalinux":
            return (17, 21) if version < 10 else (21,)
        case _:  # Ubuntu, Amazon Linux 2023, Homebrew
            return (17, 21)


def _number(text: str) -> int:
    leading = re.match(r"\d+", text)
    return int(leading.group()) if leading else 0


def _os_release() -> Mapping[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:  # macOS has none
        return {}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the home of a fitting Java, or the remedy; an argument names the Spark that is not installed yet."""
    spark = next(iter(sys.argv[1:] if arguments is None else arguments), None)
    try:
        print(find_java(spark).home)
    except JavaNotFound as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
