"""Finding a Java: who is asked, in which order, what is refused and what the user is told."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from masking.java import Java, JavaNotFound, ask, candidates, find, main, remedy, supported, use_java

UBUNTU = {"ID": "ubuntu", "VERSION_ID": "24.04"}


def executable(path: Path, script: str = "exit 1") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def fake_java(home: Path, specification: str) -> Path:
    """What a JDK prints on stderr when asked, cut to the lines around the two that matter."""
    told = f"    java.home = {home}\n    java.specification.version = {specification}\n    java.version = 17.0.1"
    return executable(home / "bin" / "java", f"cat >&2 <<'END'\nProperty settings:\n{told}\nEND")


def asked(releases: dict[Path, int]) -> Callable[[Path], Java | None]:
    return lambda path: Java(path.parent.parent, releases[path]) if path in releases else None


@pytest.mark.parametrize(
    ("spark", "releases"),
    [("3.5.6", (17,)), ("3.5.4", (17,)), ("4.0.2", (17, 21)), ("4.1.1", (17, 21)), ("4", (17, 21))],
)
def test_which_java_a_spark_takes(spark: str, releases: tuple[int, ...]) -> None:
    assert supported(spark) == releases


@pytest.mark.parametrize(("specification", "major"), [("1.8", 8), ("17", 17), ("21", 21), ("25", 25)])
def test_a_java_says_its_home_and_release(tmp_path: Path, specification: str, major: int) -> None:
    home = tmp_path / "a jdk"
    assert ask(fake_java(home, specification)) == Java(home, major)


def test_what_does_not_answer_as_a_java_is_none(tmp_path: Path) -> None:
    assert ask(tmp_path / "absent") is None
    assert ask(executable(tmp_path / "fails", "echo 'Unable to locate a Java Runtime' >&2; exit 1")) is None
    assert ask(executable(tmp_path / "mute", "exit 0")) is None
    assert ask(fake_java(tmp_path / "odd", "next")) is None
    plain = tmp_path / "not-executable"
    plain.write_text("")
    assert ask(plain) is None


def test_the_users_choice_is_asked_first(tmp_path: Path) -> None:
    chosen = fake_java(tmp_path / "chosen", "17")
    on_path = fake_java(tmp_path / "path", "17")
    lying_about = [fake_java(tmp_path / "jvm" / name, "17") for name in ("java-21", "java-17")]
    sdkman = fake_java(tmp_path / "home" / ".sdkman" / "candidates" / "java" / "17.0.1-tem", "17")
    (tmp_path / "jvm" / "not-a-jdk").mkdir()
    environ = {"JAVA_HOME": str(chosen.parents[1]), "PATH": str(on_path.parent), "HOME": str(tmp_path / "home")}
    places = ((str(tmp_path / "jvm"), "*"), ("~/.sdkman/candidates/java", "*"), (str(tmp_path / "nowhere"), "*"))
    assert list(candidates(environ, places)) == [chosen, on_path, *lying_about, sdkman]
    assert list(candidates({"PATH": "", "JAVA_HOME": ""}, places)) == lying_about


def test_an_unfit_java_is_passed_over_for_the_next(tmp_path: Path) -> None:
    eight, newest, fit = (tmp_path / name / "bin" / "java" for name in ("8", "25", "21"))
    releases = {eight: 8, newest: 25, fit: 21}
    assert find((17, 21), [eight, tmp_path / "broken", newest, fit], asked(releases)) == Java(tmp_path / "21", 21)
    with pytest.raises(JavaNotFound, match=r"Spark needs Java 17; found Java 8 in .*, Java 25 in .*, Java 21 in "):
        find((17,), releases, asked(releases))


def test_one_file_under_two_names_is_asked_once(tmp_path: Path) -> None:
    real = fake_java(tmp_path / "jdk", "17")
    link = tmp_path / "java"
    link.symlink_to(real)
    calls: list[Path] = []
    with pytest.raises(JavaNotFound):
        find((17,), [link, real], calls.append)  # append returns None: no Java
    assert calls == [link]


def test_with_none_the_text_is_one_line_with_the_remedy() -> None:
    with pytest.raises(JavaNotFound) as caught:
        find((17, 21), [])
    text = str(caught.value)
    assert text.startswith("Spark needs Java 17 or 21; found no Java. Install one: ")
    assert "\n" not in text
    assert caught.value.exit_code == 11


@pytest.mark.parametrize(
    ("manager", "release", "accepted", "command"),
    [
        ("apt-get", UBUNTU, (17, 21), "sudo apt-get install -y openjdk-17-jre-headless"),
        ("apt-get", {"ID": "debian", "VERSION_ID": "12"}, (17, 21), "sudo apt-get install -y openjdk-17-jre-headless"),
        ("apt-get", {"ID": "debian", "VERSION_ID": "13"}, (17, 21), "sudo apt-get install -y openjdk-21-jre-headless"),
        ("apt-get", {"ID": "debian", "VERSION_ID": "13"}, (17,), "https://adoptium.net/temurin/releases/?version=17"),
        ("dnf", {"ID": "fedora", "VERSION_ID": "43"}, (17, 21), "sudo dnf install -y java-21-openjdk-headless"),
        ("dnf", {"ID": "rhel", "VERSION_ID": "9.6"}, (17, 21), "sudo dnf install -y java-17-openjdk-headless"),
        ("dnf", {"ID": "rocky", "VERSION_ID": "10.0"}, (17, 21), "sudo dnf install -y java-21-openjdk-headless"),
        ("dnf", {"ID": "amzn", "VERSION_ID": "2023"}, (17,), "sudo dnf install -y java-17-amazon-corretto-headless"),
        ("brew", {}, (17, 21), "brew install openjdk@17"),
        ("apk", {}, (17, 21), "https://adoptium.net/temurin/releases/?version=17"),
    ],
)
def test_the_remedy_suits_the_machine(
    manager: str, release: dict[str, str], accepted: tuple[int, ...], command: str
) -> None:
    def which(name: str) -> str | None:
        return f"/bin/{name}" if name == manager else None

    assert remedy(accepted, which=which, release=release, root=False) == command
    assert remedy(accepted, which=which, release=release, root=True) == command.removeprefix("sudo ")


def test_the_command_prints_the_home_or_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "jdk"
    fake_java(home, "17")
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert main(["4.1.1"]) == 0
    assert capsys.readouterr() == (f"{home}\n", "")
    monkeypatch.setattr("masking.java.candidates", lambda environ: iter(()))
    assert main(["4.1.1"]) == 11
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1


def test_use_java_points_java_home_at_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "jdk"
    fake_java(home, "21")
    monkeypatch.setenv("JAVA_HOME", "/absent")
    monkeypatch.setattr("masking.java.candidates", lambda environ: iter([home / "bin" / "java"]))
    assert use_java("4.1.1") == Java(home, 21)
    assert os.environ["JAVA_HOME"] == str(home)
