#!/usr/bin/env python3
"""Makes a checkout ready to build: looks for the tools and headers that the build needs, and fetches Wasmtime.

usage: Scripts/bootstrap.py [--check] [--tests] [--into DIR] [--wheel FILE]

  --check       only look; change nothing and use no network
  --tests       look after the programs that only some tests need, too
  --into DIR    where Wasmtime goes (default: .wasmtime beside Package.swift)
  --wheel FILE  take Wasmtime from this file instead of fetching it

Wasmtime's C library is inside its Python wheel, which pip fetches; which file it must be is pinned here by SHA-256.
DIR/STAMP records what was put there. Nothing is fetched while the files are those of the stamp. On Debian and Ubuntu,
root gets missing packages installed; everybody else is told what to install. What only tests need is never required:
where it cannot be had, the tests that need it say that they are skipped.
"""

import argparse
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WASMTIME = "48.0.0"
# The first Swift with `Span`, which the HTTP parsers read from.
SWIFT = (6, 2)
PYTHON = (3, 8)

# (system, machine): (wheel platform, SHA-256 of the wheel)
WHEELS = {
    ("linux", "x86_64"): (
        "manylinux1_x86_64", "58544d539053dff7bd4cf30c40d7a540862d683013c0dfa6ba46a063f5b682f7"),
    ("linux", "aarch64"): (
        "manylinux2014_aarch64", "26fce3613fefbe29a28e9d659dca3326e800593858e5758cad086eb802b3b766"),
    ("darwin", "x86_64"): (
        "macosx_10_13_x86_64", "50e1ea81a3bec537d00e076722dfdc48978a56ea24619d8153aa1f75b11796b9"),
    ("darwin", "arm64"): (
        "macosx_11_0_arm64", "ea69889a3c51702e9da5f5f441027ca934f7758f8926a4ed167b0d6877f092e8"),
}

# What to install where something is missing. On macOS all of it but pip is part of the command line tools.
PACKAGES = {
    "a C++ compiler's headers": {"debian": "g++", "fedora": "gcc-c++"},
    "zlib.h": {"debian": "zlib1g-dev", "fedora": "zlib-devel"},
    "sqlite3.h": {"debian": "libsqlite3-dev", "fedora": "sqlite-devel"},
    "pip": {"debian": "python3-pip", "fedora": "python3-pip"},
}
# Programs that tests drive or check against: {name on the path: packages}.
TEST_PROGRAMS = {
    "chromium": {"debian": "chromium", "fedora": "chromium"},
    "curl": {"debian": "curl", "fedora": "curl"},
    "openssl": {"debian": "openssl", "fedora": "openssl"},
    "nghttp": {"debian": "nghttp2-client", "fedora": "nghttp2"},
}
# Other names under which a program may be there.
TEST_PROGRAM_NAMES = {"chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")}
MACOS_ADVICE = {"pip": "python3 -m ensurepip --user"}
SWIFT_ADVICE = "a toolchain from https://www.swift.org/install"


class Failure(Exception):
    """Ends the program with one line."""


def say(step):
    print(f"bootstrap: {step}", flush=True)


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


# The machine


def system():
    """The system and machine as WHEELS names them."""
    name, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64"}.get(machine, machine)
    if name == "linux" and machine == "arm64":
        machine = "aarch64"
    if name == "darwin" and machine == "x86_64":
        # A translated Python says x86_64 on a machine whose Swift builds for arm64.
        translated = run(["sysctl", "-n", "sysctl.proc_translated"]).stdout.strip()
        machine = "arm64" if translated == "1" else machine
    return name, machine


def family():
    """Whose packages the system takes: debian, fedora, macos, or unknown."""
    if sys.platform == "darwin":
        return "macos"
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    names = (fields.get("ID", "") + " " + fields.get("ID_LIKE", "")).replace('"', "").split()
    if "debian" in names or "ubuntu" in names:
        return "debian"
    return "fedora" if {"fedora", "rhel", "centos"} & set(names) else "unknown"


def compiler():
    """The clang that the Swift toolchain compiles C and C++ with, or the system's."""
    if sys.platform == "darwin":
        return "clang"
    information = run(["swiftc", "-print-target-info"]).stdout if shutil.which("swiftc") else ""
    resources = re.search(r'"runtimeResourcePath"\s*:\s*"([^"]+)"', information)
    if resources:
        clang = Path(resources.group(1)).parent.parent / "bin" / "clang"
        if clang.exists():
            return str(clang)
    return next((name for name in ("clang", "c++", "cc") if shutil.which(name)), None)


def compiles(clang, language, source):
    command = [clang, "-x", language, "-fsyntax-only", "-"]
    try:
        return run(command, input=source).returncode == 0
    except OSError:
        return False


def swift_version():
    """The version of the Swift on the path, or None."""
    if not shutil.which("swift"):
        return None
    found = re.search(r"Swift version (\d+)\.(\d+)(\.\d+)?", run(["swift", "--version"]).stdout)
    return (int(found.group(1)), int(found.group(2))) if found else None


# What has to be installed


def missing_packages(needs_pip):
    """The names in PACKAGES of what is not there."""
    clang = compiler()
    missing = []
    if not clang or not compiles(clang, "c++", "#include <string>\nint main() { return 0; }\n"):
        missing.append("a C++ compiler's headers")
    for header in ("zlib.h", "sqlite3.h"):
        if not clang or not compiles(clang, "c", f"#include <{header}>\n"):
            missing.append(header)
    if needs_pip and importlib.util.find_spec("pip") is None and run([sys.executable, "-m", "pip"]).returncode != 0:
        missing.append("pip")
    return missing


def advice(missing):
    """How to install what is missing, as one clause."""
    def packages(name):
        return " ".join(PACKAGES[item][name] for item in missing)

    ways = {
        "debian": f"sudo apt-get install {packages('debian')}",
        "fedora": f"sudo dnf install {packages('fedora')}",
        "macos": " and ".join(dict.fromkeys(MACOS_ADVICE.get(item, "xcode-select --install") for item in missing)),
    }
    known = ways.get(family())
    if known:
        return f"install with: {known}"
    return f"install on Debian and Ubuntu with: {ways['debian']}; on Fedora: {ways['fedora']}; on macOS: {ways['macos']}"


def install_debian_packages(names, is_required=True):
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    say(f"installing {' '.join(names)}")
    # A list of packages that cannot be refreshed may still be good enough to install from.
    run(["apt-get", "update"], env=environment)
    result = run(["apt-get", "install", "-y", "--no-install-recommends"] + names, env=environment)
    if result.returncode != 0 and is_required:
        reason = next((line for line in result.stdout.splitlines() if line.startswith("E:")), "apt-get failed")
        raise Failure(f"cannot install {' '.join(names)}: {reason}")
    importlib.invalidate_caches()


# What tests need beyond that


def look_after_test_programs(may_install):
    """Installs what tests can use where that is possible, and says what is missing otherwise."""
    def missing():
        return [name for name in TEST_PROGRAMS
                if not any(shutil.which(other) for other in TEST_PROGRAM_NAMES.get(name, (name,)))]

    absent = missing()
    if absent and may_install and family() == "debian" and os.geteuid() == 0 and shutil.which("apt-get"):
        install_debian_packages([TEST_PROGRAMS[name]["debian"] for name in absent], is_required=False)
        absent = missing()
    if absent:
        names = " ".join(TEST_PROGRAMS[name].get(family(), name) for name in absent)
        say(f"without {', '.join(absent)} some tests are skipped; install the packages {names} to run them")


def require_tools(may_install, needs_pip):
    """Returns what is there, or says all that is missing in one line."""
    problems = []
    version = swift_version()
    if version is None:
        problems.append(f"Swift is not on the path; install {SWIFT_ADVICE}")
    elif version < SWIFT:
        problems.append(
            f"Swift {version[0]}.{version[1]} is too old; install {SWIFT_ADVICE}, {SWIFT[0]}.{SWIFT[1]} or newer")
    missing = missing_packages(needs_pip)
    if missing and may_install and family() == "debian" and os.geteuid() == 0 and shutil.which("apt-get"):
        install_debian_packages([PACKAGES[item]["debian"] for item in missing])
        missing = missing_packages(needs_pip)
    if missing:
        problems.append(f"{', '.join(missing)} missing; {advice(missing)}")
    if problems:
        raise Failure("; ".join(problems))
    return f"Swift {version[0]}.{version[1]}, a C++ compiler, zlib and SQLite are there"


# Wasmtime


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


class Wasmtime:
    """The library's files in one folder, with the stamp that says what they are."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.system, machine = system()
        wheel = WHEELS.get((self.system, machine))
        if wheel is None:
            raise Failure(
                f"there is no Wasmtime {WASMTIME} for {self.system} {machine}; "
                "Linux and macOS on x86_64 and arm64 are supported")
        self.wheel_platform, self.wheel_sha = wheel
        self.wheel_name = f"wasmtime-{WASMTIME}-py3-none-{self.wheel_platform}.whl"
        suffix = "dylib" if self.system == "darwin" else "so"
        # What is taken out of the wheel: the end of the name there, and the place here.
        self.parts = {f"/_libwasmtime.{suffix}": f"lib/libwasmtime.{suffix}", "/_bindings.py": "share/_bindings.py"}

    def stamp(self, folder):
        """What the stamp says where `folder` holds the files it should."""
        lines = [f"wasmtime {WASMTIME}", f"wheel {self.wheel_sha}"]
        lines += [f"{place} {sha256(folder / place)}" for place in self.parts.values()]
        return "\n".join(lines) + "\n"

    def problem(self):
        """Why the files cannot be used as they are; None where they can."""
        try:
            found = (self.folder / "STAMP").read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return "is not there"
        if found[:2] != [f"wasmtime {WASMTIME}", f"wheel {self.wheel_sha}"]:
            return "is of another version"
        for place in self.parts.values():
            try:
                if f"{place} {sha256(self.folder / place)}" not in found[2:]:
                    return f"is damaged ({place} has another checksum)"
            except OSError:
                return f"is damaged ({place} is missing)"
        return None

    def fetch(self, given):
        """Puts the files in place, from the wheel `given` or else from pip. A place has its old file or its new one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=self.folder))
        try:
            wheel = Path(given) if given else self.download(scratch)
            self.check(wheel)
            self.extract(wheel, scratch)
            # The stamp comes last: where something ends this half-way, the checksums tell the next run.
            (scratch / "STAMP").write_text(self.stamp(scratch), encoding="utf-8")
            for place in list(self.parts.values()) + ["STAMP"]:
                (self.folder / place).parent.mkdir(exist_ok=True)
                os.replace(scratch / place, self.folder / place)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def download(self, scratch):
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps",
            "--only-binary=:all:", "--platform", self.wheel_platform, "--dest", str(scratch), f"wasmtime=={WASMTIME}"]
        result = run(command)
        wheel = scratch / self.wheel_name
        if result.returncode == 0 and wheel.exists():
            return wheel
        errors = [line[len("ERROR:"):].strip() for line in result.stdout.splitlines() if line.startswith("ERROR:")]
        reason = f": {errors[-1]}" if errors else ""
        raise Failure(
            f"pip could not download {self.wheel_name}{reason}; check the network, or give the file with --wheel FILE")

    def check(self, wheel):
        try:
            found = sha256(wheel)
        except OSError as error:
            raise Failure(f"cannot read {wheel}: {error.strerror}") from None
        if found != self.wheel_sha:
            raise Failure(f"{wheel.name} has the SHA-256 {found}, but must have {self.wheel_sha}; nothing was changed")

    def extract(self, wheel, scratch):
        with zipfile.ZipFile(wheel) as archive:
            for end, place in self.parts.items():
                names = [name for name in archive.namelist() if name.endswith(end)]
                if len(names) != 1:
                    raise Failure(f"{wheel.name} must hold one file *{end}, but holds {len(names)}")
                (scratch / place).parent.mkdir()
                with archive.open(names[0]) as source, open(scratch / place, "wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
        if self.system == "darwin":
            self.rename_for_loader(scratch / self.parts["/_libwasmtime.dylib"])

    @staticmethod
    def rename_for_loader(library):
        """Programs that link the library look for it in their run paths; a changed library needs a new signature."""
        for command in (
            ["install_name_tool", "-id", "@rpath/libwasmtime.dylib", str(library)],
            ["codesign", "--force", "--sign", "-", str(library)],
        ):
            try:
                result = run(command)
            except FileNotFoundError:
                raise Failure(f"{command[0]} is missing; install with: xcode-select --install") from None
            if result.returncode != 0:
                raise Failure(f"{command[0]} failed: {' '.join(result.stdout.split())}")


def main():
    root = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description="Makes a checkout ready to build.", allow_abbrev=False)
    parser.add_argument("--check", action="store_true", help="only look; change nothing and use no network")
    parser.add_argument("--tests", action="store_true", help="look after what only some tests need, too")
    parser.add_argument("--into", metavar="DIR", default=root / ".wasmtime", help="where Wasmtime goes")
    parser.add_argument("--wheel", metavar="FILE", help="take Wasmtime from this file instead of fetching it")
    arguments = parser.parse_args()

    if sys.version_info < PYTHON:
        raise Failure(f"python3 is {platform.python_version()}; {PYTHON[0]}.{PYTHON[1]} or newer is needed")
    wasmtime = Wasmtime(arguments.into)
    problem = wasmtime.problem()
    fetches = problem is not None and not arguments.check
    say(require_tools(may_install=not arguments.check, needs_pip=fetches and not arguments.wheel))
    if fetches:
        say(f"Wasmtime {WASMTIME} {problem}; {'taking it from ' + arguments.wheel if arguments.wheel else 'fetching it'}")
        wasmtime.fetch(arguments.wheel)
        problem = wasmtime.problem()
    if problem is not None:
        raise Failure(f"Wasmtime {WASMTIME} {problem} in {wasmtime.folder}; run: make bootstrap")
    say(f"Wasmtime {WASMTIME} is in {os.path.relpath(wasmtime.folder)}")
    if arguments.tests:
        look_after_test_programs(may_install=not arguments.check)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"bootstrap: error: {failure}")
    except OSError as error:
        sys.exit(f"bootstrap: error: {error}")
    except zipfile.BadZipFile as error:
        sys.exit(f"bootstrap: error: the wheel cannot be read: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
