"""Tests the HTTP API against its own description: `run.py BINARY SCHEMATHESIS`.

Starts a daemon in a folder of its own, registers accounts, and sends requests that follow the description and requests
that do not. Fails on failures of the server, on statuses and media types that are not declared, and on requests that
are accepted although the description forbids them.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
# The maximum duration of the run of somebody who is signed in, and of that without an account, in seconds.
SIGNED_IN_SECONDS, SIGNED_OUT_SECONDS = 85, 25
CHECKS = "no_undeclared_failure,status_code_conformance,content_type_conformance,negative_data_rejection"
# The first two end the session of the run.
LOGOUTS = ["/api/auth/logout", "/auth/logout"]


class Daemon:
    """A daemon that is stopped at the end."""

    def __init__(self, binary, folder):
        shutil.copy(HERE / "bots.yaml", folder)
        (folder / "scripts").mkdir()
        self.log = open(folder / "log", "w")
        self.process = subprocess.Popen(
            [binary, "run", "--listen", "127.0.0.1:0"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        said = ""
        for line in self.process.stdout:
            said += line
            if line.startswith("Stop with"):
                break
        found = re.search(r"page +(http://\S+)", said)
        if not found:
            raise SystemExit(f"the daemon did not start:\n{said}{(folder / 'log').read_text()}")
        self.url = found.group(1)
        self.secret = re.search(r"owner=(\w+)", said).group(1)

    def call(self, method, path, token="", body=None):
        """Sends a request, which has to succeed, and returns its JSON."""
        headers = {"content-type": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else {}

    def register(self, name, **more):
        """Registers an account, and returns it with the token of its session."""
        account = {"username": name, "email": f"{name}@example.org", "password": f"secret of {name}"}
        return self.call("POST", "/api/auth/register", body={**account, **more})

    def stop(self):
        """Stops the daemon. Fails if it does not end well."""
        self.process.terminate()
        status = self.process.wait(timeout=30)
        self.log.close()
        return status


def prepare(daemon):
    """Creates accounts, rooms and messages. Returns the token of the owner, and the ids that exist."""
    owner, other = daemon.register("owner", owner=daemon.secret), daemon.register("other")
    token = owner["token"]
    daemon.call("POST", "/api/rooms", token, {"name": "hall"})
    invite = daemon.call("POST", "/api/rooms/hall/invites", token, {"uses": 1})
    daemon.call("POST", f"/api/invites/{invite['code']}", other["token"])
    message = daemon.call("POST", "/api/rooms/hall/messages", token, {"message": "hello"})["id"]
    daemon.call("POST", f"/api/users/{other['id']}/messages", token, {"message": "hello"})
    code = daemon.call("POST", "/api/rooms/hall/invites", token, {})["code"]
    session = daemon.call("POST", "/chat/message", token, {"message": "hello"})["session_id"]
    own = {"id": other["id"]}
    known = {
        "*": {"room": "hall", "id": message, "account": other["id"], "code": code, "emoji": "\N{THUMBS UP SIGN}"},
        "/api/users/{id}": own,
        "/api/users/{id}/messages": own,
        "/api/users/{id}/role": own,
        "/chat/history/{session}": {"session": session},
        "/chat/export/{session}": {"session": session},
        "/ws/chat/{session_id}": {"session_id": session},
    }
    return token, known


def fuzz(program, location, seconds, arguments, known, folder):
    """Runs schemathesis, and returns whether it has found nothing."""
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"), "PALABRE_KNOWN": json.dumps(known)}
    seed = os.environ.get("PALABRE_SEED", "1")
    command = [program, "run", *location, "--checks", CHECKS, "--mode", "all", "--phases", "coverage,fuzzing"]
    command += ["--max-time", str(seconds), "--seed", seed, "--request-timeout", "20", "--continue-on-failure"]
    command += ["--warnings", "off", "--output-sanitize", "false", *arguments]
    return subprocess.run(command, cwd=folder, env=environment).returncode == 0


def main():
    """Runs both tests, and returns the exit code."""
    binary, program = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        daemon = Daemon(pathlib.Path(binary).resolve(), folder)
        try:
            token, known = prepare(daemon)
            # Another description than the daemon's own can be tried with PALABRE_OPENAPI.
            other = os.environ.get("PALABRE_OPENAPI")
            location = [other, "--url", daemon.url] if other else [f"{daemon.url}/openapi.json"]
            signed_in = ["--header", f"Authorization: Bearer {token}"]
            signed_in += [part for path in LOGOUTS for part in ("--exclude-path", path)]
            is_good = fuzz(program, location, SIGNED_IN_SECONDS, signed_in, known, folder)
            is_good &= fuzz(program, location, SIGNED_OUT_SECONDS, [], known, folder)
        finally:
            status = daemon.stop()
        log = (folder / "log").read_text()
        if status != 0 or "panicked" in log:
            print(f"the daemon ended with {status}; the end of its log:\n{log[-5000:]}")
            return 1
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
