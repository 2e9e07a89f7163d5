"""Measures the number of loop turns that take a script one millisecond, since its clock stands
still within a run."""

import http.client
import time

# Needs the grant "routes". A request runs one loop with the given number of turns.
SCRIPT = """route("GET", "/{turns}", { auth = "public" }, function(request)
	local x = 0
	for i = 1, tonumber(request.params.turns) do
		x = (x * 31 + i) % 65521
	end
	return { json = x }
end)
"""
# The same loop for another script; TURNS is a number.
LOOP = """local x = 0
	for i = 1, TURNS do
		x = (x * 31 + i) % 65521
	end"""
SOURCE = "127.0.0.8"
# The time at which the loop is long enough, in seconds; a script may take 0.1.
CALIBRATION_SECONDS = 0.03


def turns_of_a_millisecond(daemon):
    connection = http.client.HTTPConnection(*daemon.address, timeout=10, source_address=(SOURCE, 0))

    def took(turns):
        times = []
        for _ in range(5):
            began = time.monotonic()
            connection.request("GET", f"/scripts/spin/{turns}")
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 200:
                raise SystemExit(f"the script spin answered {answer.status}: {said[:300]!r}")
            times.append(time.monotonic() - began)
        return min(times)

    nothing, turns = took(0), 50_000
    while (time_of_turns := took(turns) - nothing) < CALIBRATION_SECONDS:
        turns *= 2
    connection.close()
    return turns / (time_of_turns * 1000)
