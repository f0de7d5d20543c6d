"""What LocalStack asks of a runtime executor, with processes instead of containers."""

import json
import logging
import queue
import signal
import threading
import time
from pathlib import Path

from localstack import config
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from dacapo_localstack.process import Process

LOG = logging.getLogger("localstack.lambda.process")
# AWS allows ten seconds before the first invocation; here the machine may be busy with everything else, too.
INIT_SECONDS = 120


class ProcessExecutor(RuntimeExecutor):
    """One execution environment: a process that serves one invocation after another, and is started again for the
    next when it crashed or was killed, as on AWS. Its output is a file under `functions/` in the volume.
    """

    def __init__(self, id: str, function_version: FunctionVersion):
        super().__init__(id=id, function_version=function_version)
        self.process: Process | None = None
        self.env: dict[str, str] = {}
        self.invoking = threading.Lock()
        self.stopped = False
        name = function_version.id.function_name
        self.log = Path(config.VOLUME_DIR, "functions", f"{name}-{id[:8]}.log")
        self.log_read = 0

    def start(self, env_vars: dict[str, str]) -> None:
        """The process itself starts with the first invocation, so that what goes wrong then has a request id."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.touch()
        code = self.function_version.config.code.get_unzipped_code_location()
        self.env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "en_US.UTF-8"}
        self.env |= {name: str(value) for name, value in env_vars.items()}
        self.env |= {"LAMBDA_TASK_ROOT": str(code)}

    def stop(self) -> None:
        """A running invocation is left to end first: AWS doesn't cut one off for an update or a deletion."""
        self.stopped = True
        if self.invoking.acquire(blocking=False):
            self._kill()
            self.invoking.release()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        request_id = payload["invoke-id"]
        with self.invoking:
            started = time.monotonic()
            self._log(f"START RequestId: {request_id} Version: {self.function_version.id.qualifier}")
            kind, body = self._run(payload)
            took_ms = (time.monotonic() - started) * 1000
            self._log(f"END RequestId: {request_id}\nREPORT RequestId: {request_id} Duration: {took_ms:.2f} ms")
            if self.stopped:
                self._kill()
            return InvocationResult(request_id, body, is_error=kind != "response", logs=self._new_logs())

    def _run(self, payload: dict[str, str]) -> tuple[str, bytes]:
        request_id = payload["invoke-id"]
        limit = INIT_SECONDS
        try:
            kind, body = self._ready(limit)
            if kind == "next":
                limit = self.function_version.config.timeout
                self.process.hand_out(payload, time.monotonic() + limit)
                kind, body = self._signal(limit)
        except queue.Empty:
            kind, body = "timeout", None
        if kind in ("response", "error"):
            return kind, body
        self._kill()
        if kind == "init error":
            return kind, body
        if kind == "timeout":
            error_type, reason = "Sandbox.Timedout", f"Task timed out after {limit:.2f} seconds"
        else:
            error_type, reason = "Runtime.ExitError", exit_reason(body)
        message = f"RequestId: {request_id} Error: {reason}"
        self._log(message)
        return kind, json.dumps({"errorType": error_type, "errorMessage": message}).encode()

    def _ready(self, seconds: float) -> tuple[str, bytes | int | None]:
        """Waits until the process asks for an invocation. One that ended since its last answer is started again."""
        if self.process:
            kind, body = self._signal(seconds)
            if kind == "next" and self.process.popen.poll() is None:
                return kind, body
            self._kill()
        code = self.function_version.config.code.get_unzipped_code_location()
        self.process = Process(code, self.env, self.log)
        return self._signal(seconds)

    def _signal(self, seconds: float) -> tuple[str, bytes | int | None]:
        return self.process.signals.get(timeout=seconds)

    def _kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process = None

    def _log(self, text: str) -> None:
        with self.log.open("a") as log:
            log.write(text + "\n")

    def _new_logs(self) -> str:
        """What was written since the last call; the process writes to the file itself, so nothing is in between."""
        with self.log.open("rb") as log:
            log.seek(self.log_read)
            text = log.read().decode(errors="replace")
            self.log_read = log.tell()
        for line in text.splitlines():
            LOG.info("[%s] %s", self.function_version.id.function_name, line)
        return text

    def get_logs(self) -> str:
        return self.log.read_text(errors="replace")

    def get_address(self) -> str:
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        return ""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        function_version.config.code.prepare_for_execution()  # makes every file executable, too

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        pass


def exit_reason(code: int) -> str:
    if code == 0:
        return "Runtime exited without providing a reason"
    if code < 0:
        return f"Runtime exited with error: signal: {signal.strsignal(-code).lower()}"
    return f"Runtime exited with error: exit status {code}"
