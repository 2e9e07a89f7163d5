"""Starts a daemon in a temporary folder of its own."""

import http.client
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time

START_TIMEOUT = 60
STOP_TIMEOUT = 60


class Daemon:
    """A running `palabre` with the given bots.yaml and scripts. `close` ends it and deletes its folder."""

    def __init__(self, binary, bots, scripts, open_files=None):
        self.binary = os.path.abspath(binary)
        self.folder = tempfile.mkdtemp(prefix="palabre-load-")
        self.write("bots.yaml", bots)
        os.makedirs(os.path.join(self.folder, "scripts"), exist_ok=True)
        for name, text in scripts.items():
            self.write(os.path.join("scripts", name), text)
        self._start(open_files)

    def write(self, name, text):
        """Writes a file as editors do: to a temporary file, which then replaces it."""
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new", path)

    def _start(self, open_files):
        def limit():
            if open_files:
                resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))

        output = os.path.join(self.folder, "output")
        with open(output, "wb") as out, open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(
                [self.binary, "run", "--listen", "127.0.0.1:0"],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=log, preexec_fn=limit,
            )
        until = time.monotonic() + START_TIMEOUT
        while True:
            with open(output, encoding="utf-8") as file:
                text = file.read()
            if "Stop with" in text:
                break
            if self.process.poll() is not None or time.monotonic() > until:
                self.process.kill()
                raise SystemExit(f"could not start {self.binary}:\n{text}\n{self.log()}")
            time.sleep(0.02)
        line = next(line for line in text.splitlines() if "http://" in line)
        host, port = line.split("http://")[1].split()[0].split("/")[0].rsplit(":", 1)
        self.address = (host, int(port))

    @property
    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process.poll() is None

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def get(self, path, source="127.0.0.9", timeout=10):
        """Sends a GET from the address `source`, and returns the status and the body as text."""
        connection = http.client.HTTPConnection(*self.address, timeout=timeout, source_address=(source, 0))
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def disk_mb(self):
        folder = os.path.join(self.folder, "data")
        sizes = [os.stat(os.path.join(folder, name)).st_blocks * 512 for name in os.listdir(folder)]
        return sum(sizes) / 1e6

    def close(self, keep=False):
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
