"""Installs LocalStack, MiniStack, or command-line tools, into a virtual environment under Cargo's target directory.

    launch.py run [HOST:PORT] [STATE_DIRECTORY]   then becomes LocalStack; 127.0.0.1:4566 by default
    launch.py ministack HOST:PORT STATE_DIRECTORY then becomes MiniStack
    launch.py tools [checkov]                     then prints where the tools are, or checkov, whose packages clash with theirs

Several may start at once, on ports of their own. A virtual environment is built anew when its requirements changed.
"""

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = Path(HERE.parent.parent, os.environ.get("CARGO_TARGET_DIR") or "target")


def main(command: str, *arguments: str) -> None:
    if command == "tools":
        name = arguments[0] if arguments else "tools"
        print(environment(f"{name}-venv", HERE / f"{name}.txt") / "bin")
    elif command == "ministack":
        become_ministack(environment("ministack-venv", HERE / "ministack.txt") / "bin" / "ministack", *arguments)
    else:
        bin = environment("localstack-venv", HERE / "requirements.txt", HERE / "plugin") / "bin"
        become_localstack(bin / "python", *arguments)


def environment(name: str, requirements: Path, plugin: Path | None = None) -> Path:
    """The virtual environment, installed where it isn't yet. Whoever comes second waits for who came first."""
    directory = TARGET / name
    pip = [directory / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    TARGET.mkdir(parents=True, exist_ok=True)
    with open(TARGET / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with changed(directory / "requirements.sha256", requirements) as needed:
            if needed:
                print(f"installing {requirements.name} into {directory}", file=sys.stderr)
                venv.create(directory, clear=True, with_pip=True)
                install(*pip, "--requirement", requirements)
        if plugin:
            with changed(directory / "plugin.sha256", *sorted(plugin.rglob("*.py")), plugin / "pyproject.toml") as needed:
                if needed:
                    # From a copy, since setuptools leaves its build beside the sources.
                    shutil.rmtree(directory / "plugin", ignore_errors=True)
                    copy = shutil.copytree(plugin, directory / "plugin")
                    install(*pip, "--force-reinstall", "--no-deps", "--no-build-isolation", copy)
    return directory


@contextmanager
def changed(stamp: Path, *sources: Path) -> Iterator[bool]:
    """Whether the sources differ from those of the last time that this ended well."""
    # An environment knows where it is, so one that was moved or copied is none.
    whose = f"{sys.version} {stamp.parent.absolute()}".encode()
    wanted = hashlib.sha256(whose + b"".join(source.read_bytes() for source in sources)).hexdigest()
    needed = not stamp.exists() or stamp.read_text() != wanted
    yield needed
    if needed:
        stamp.write_text(wanted)


def install(*command: str | Path) -> None:
    """Standard output is the caller's: `tools` prints a path there and nothing else."""
    try:
        subprocess.run(command, check=True, stdout=sys.stderr)
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: pip failed with exit code {error.returncode}; its message is above")


def given_port(listen: str) -> str:
    host, _, port = listen.rpartition(":")
    if host != "127.0.0.1" or not port.isdigit():
        sys.exit(f"error: {listen!r} is not an address to listen on: give 127.0.0.1:PORT")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:  # LocalStack itself would run on and answer nobody
            sys.exit(f"error: can't listen on {listen}: {error.strerror}")
    return port


def become_ministack(program: Path, listen: str, state: str) -> None:
    settings = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": given_port(listen),
        # Functions are given it.
        "AWS_ENDPOINT_URL": f"http://{listen}",
        # All files in one place, and no port but the one.
        "HOME": state,
        "TMPDIR": state,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    become(program, [], settings)


def become_localstack(python: Path, listen: str = "127.0.0.1:4566", state: str | None = None) -> None:
    port = given_port(listen)
    volume = Path(state or TARGET / "localstack" / port).absolute()
    (volume / "tmp").mkdir(parents=True, exist_ok=True)
    settings = {
        # One port, on the loopback device. Queue URLs carry the address itself, since no name server is asked.
        "GATEWAY_LISTEN": listen,
        "LOCALSTACK_HOST": listen,
        "SQS_ENDPOINT_STRATEGY": "off",
        "DNS_ADDRESS": "0",
        # All files in one place, so that several of them don't meet.
        "LOCALSTACK_VOLUME_DIR": volume,
        "FILESYSTEM_ROOT": volume / "files",
        "TMPDIR": volume / "tmp",
        "OVERRIDE_IN_DOCKER": "0",
        # Nothing is fetched and nothing reported.
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        # The plugin.
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        "PROVIDER_OVERRIDE_DYNAMODB": "moto",
        "LAMBDA_IGNORE_ARCHITECTURE": "1",
        "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0",
        "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_ERROR_SEC": "5",
        # An idle function's process stays as long as on AWS, roughly.
        "LAMBDA_KEEPALIVE_MS": "600000",
    }
    become(python, ["-m", "localstack.runtime.main"], settings)


def become(program: Path, arguments: list[str], settings: dict[str, object]) -> None:
    # The caller's AWS settings are for other programs: a profile or an endpoint in them would lead this one astray.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environ = kept | {name: str(value) for name, value in settings.items()}
    os.execve(program, [str(program), *arguments], environ)


if __name__ == "__main__":
    main(*sys.argv[1:])
