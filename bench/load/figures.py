"""Figures of a daemon, from its metrics and from Linux."""

import http.client
import os
import re
import threading
import time

METRICS_ATTEMPTS = 60
LINE = re.compile(r"^(\w+(?:\{[^}]*\})?) (\S+)$", re.MULTILINE)


def metrics(daemon, source="127.0.0.9"):
    """Returns the samples of /metrics by name with labels.

    Retries for a minute without an answer, as under an attack.
    """
    for _ in range(METRICS_ATTEMPTS):
        try:
            status, body = daemon.get("/metrics", source)
            if status == 200:
                return {name: float(value) for name, value in LINE.findall(body)}
        except (OSError, http.client.HTTPException):
            pass
        if not daemon.is_running():
            raise SystemExit(f"the daemon died with {daemon.process.returncode}\n{daemon.log()[-4000:]}")
        time.sleep(1)
    raise SystemExit("/metrics did not answer")


def status_mb(pid, field):
    """Returns VmRSS or another field of /proc/PID/status, in MB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024 / 1e6
    return float("nan")


# Metrics by their names in the report.
STATE = {
    "connections": "palabre_rooms_connections",
    "http": "palabre_http_connections",
    "rooms": "palabre_rooms_open",
    "people": "palabre_rooms_people",
    "uploads": "palabre_rooms_uploads_under_way",
    "backlog": "palabre_backlog",
}


def state(daemon):
    """Returns what has to be the same after an attack.

    Timers are what scripts count as `…_timers_set` and `…_timers_due`.
    """
    found = metrics(daemon)
    now = {}
    for short, name in STATE.items():
        values = [value for key, value in found.items() if key.split("{")[0] == name]
        if values:
            now[short] = int(sum(values))
    waiting = [value for key, value in found.items() if key.startswith("palabre_script_waiting_runs")]
    now["waiting runs"] = int(sum(waiting))
    now["timers"] = sum(
        int(value) * (1 if "_timers_set_total" in key else -1)
        for key, value in found.items()
        if key.startswith("palabre_of_script_") and ("_timers_set_total" in key or "_timers_due_total" in key)
    )
    now["open files"] = len(os.listdir(f"/proc/{daemon.pid}/fd"))
    now["threads"] = len(os.listdir(f"/proc/{daemon.pid}/task"))
    return now


def suspended(daemon):
    """Returns the scripts that are not up, such as those suspended after too many failures."""
    found = metrics(daemon)
    name = re.compile(r'script="([^"]+)"')
    down = [key for key, value in found.items() if key.startswith("palabre_script_up{") and value == 0]
    return sorted(name.search(key).group(1) for key in down)


def counted(daemon):
    """Returns all counters of refusals, limits and failures."""
    wanted = re.compile(r"refused|late_events|closed|slow_clients|happened|expired|dropped")
    return {key: value for key, value in metrics(daemon).items() if wanted.search(key.split("{")[0])}


def difference(before, after):
    """Describes the growth of counters in short."""
    parts = []
    for key in sorted(after):
        more = after[key] - before.get(key, 0)
        if more > 0:
            name = key.split("{")[0].removeprefix("palabre_").removesuffix("_total")
            labels = ",".join(value for label, value in re.findall(r'(\w+)="([^"]*)"', key) if label != "bot")
            parts.append(f"{name}{f'[{labels}]' if labels else ''} {more:.0f}")
    return parts


class Watch:
    """Samples the resident memory ten times a second."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.most = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop.wait(0.1):
            try:
                self.most = max(self.most, status_mb(self.daemon.pid, "VmRSS"))
            except OSError:
                return

    def take(self):
        """Returns the maximum since the last call, in MB."""
        most, self.most = self.most, 0.0
        return most

    def close(self):
        self._stop.set()
        self._thread.join()


def wait_for(condition, timeout, pause=0.5):
    """Polls until the condition holds. Returns the seconds that it took, or None after the timeout."""
    began = time.monotonic()
    while time.monotonic() - began < timeout:
        if condition():
            return time.monotonic() - began
        time.sleep(pause)
    return None
