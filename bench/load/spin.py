"""How much a script has to compute to take so many milliseconds: a script's clock stands still within a run, so loops are counted."""

import http.client
import time

# Needs the grant "routes". A request is one loop of so many turns.
SCRIPT = """route("GET", "/{turns}", { auth = "public" }, function(request)
	local x = 0
	for i = 1, tonumber(request.params.turns) do
		x = (x * 31 + i) % 65521
	end
	return { json = x }
end)
"""
# What stands for it in another script; TURNS is a number.
LOOP = """local x = 0
	for i = 1, TURNS do
		x = (x * 31 + i) % 65521
	end"""
SOURCE = "127.0.0.8"
# Of the 100 ms that a script may take.
LONGEST = 0.03


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
                raise SystemExit(f"the script spin answers {answer.status}: {said[:300]!r}")
            times.append(time.monotonic() - began)
        return min(times)

    nothing, turns = took(0), 50_000
    while (time_of_turns := took(turns) - nothing) < LONGEST:
        turns *= 2
    connection.close()
    return turns / (time_of_turns * 1000)
