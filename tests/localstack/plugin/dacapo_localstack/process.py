"""A Lambda function's `bootstrap` as a process, and the Lambda Runtime API that it polls."""

import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

API = "/2018-06-01/runtime"

# The kernel kills a process when the thread that started it ends, so all of them are started by one that never
# does: then none outlives LocalStack, however LocalStack ends. Elsewhere than on Linux a killed LocalStack leaves them.
STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bootstrap-starter")
DIE_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


class Process:
    """A process serves one invocation at a time. `signals` says what it did, in order: ("next", None) it asks for an
    invocation, ("response" | "error" | "init error", body) it answered, ("exit", code) it ended.
    """

    def __init__(self, code: Path, env: dict[str, str], log: Path):
        self.signals: queue.Queue[tuple[str, bytes | int | None]] = queue.Queue()
        self.invocations: queue.Queue[tuple[dict[str, str], bytes] | None] = queue.Queue()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), RuntimeApi)
        self.server.process = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        env = env | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.server_port}"}
        self.popen = STARTER.submit(self._start, code, env, log).result()
        threading.Thread(target=self._wait, daemon=True).start()

    def _start(self, code: Path, env: dict[str, str], log: Path) -> subprocess.Popen:
        with log.open("ab") as output:
            return subprocess.Popen(
                [*DIE_WITH_PARENT, str(code / "bootstrap")],
                cwd=code,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait(self) -> None:
        self.signals.put(("exit", self.popen.wait()))
        self.invocations.put(None)
        self.server.shutdown()
        self.server.server_close()

    def hand_out(self, invocation: dict[str, str], deadline: float) -> None:
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation["invoke-id"],
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + deadline - time.monotonic()) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": invocation["invoked-function-arn"],
            "Lambda-Runtime-Trace-Id": invocation["trace-id"],
            "Content-Type": "application/json",
        }
        self.invocations.put((headers, invocation["payload"].encode()))

    def kill(self) -> None:
        """Ends the process and all that it started, which are in a session of their own."""
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait()


class RuntimeApi(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet for headers and body

    def do_GET(self) -> None:
        if self.path != f"{API}/invocation/next":
            return self._answer(404)
        process = self.server.process
        process.signals.put(("next", None))
        invocation = process.invocations.get()
        if invocation is None:
            self.close_connection = True
        else:
            self._answer(200, *invocation)

    def do_POST(self) -> None:
        body = self._body()
        match self.path.removeprefix(API).split("/")[1:]:
            case ["invocation", _, ("response" | "error") as kind]:
                self.server.process.signals.put((kind, body))
            case ["init", "error"]:
                self.server.process.signals.put(("init error", body))
            case _:
                return self._answer(404)
        self._answer(202, {"Content-Type": "application/json"}, b'{"status":"OK"}')

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return body

    def _answer(self, status: int, headers: dict[str, str] = {}, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args) -> None:
        pass
