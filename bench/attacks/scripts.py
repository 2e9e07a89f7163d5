"""Attacks by installed scripts: the files during the attack, the messages to it in the room "pit",
and the files afterwards."""

import dataclasses
import random

from load.spin import LOOP

HOSTILE_ROOM = "pit"
# The address of the server for the script of attack 1.7, see pages.py.
PAGES = "127.0.0.8"


@dataclasses.dataclass
class Hostile:
    number: str
    what: str
    # Files by path below the script's name; "" is the script itself as a single file.
    files: dict
    says: list = dataclasses.field(default_factory=list)
    pause: float = 0.5
    # The files afterwards, unless they are empty.
    quiet: dict = dataclasses.field(default_factory=dict)
    grants: list = dataclasses.field(default_factory=list)

    @property
    def name(self):
        return "s" + self.number.replace(".", "_")

    def paths(self, files):
        below = {path: f"scripts/{self.name}/{path}" if path else f"scripts/{self.name}.luau" for path in files}
        return {below[path]: text for path, text in files.items()}

    def quiet_files(self):
        nothing = {path: "x = quiet\n" if path.endswith(".ftl") else "-- quiet\n" for path in self.files}
        return self.paths({**nothing, **self.quiet})


TIMERS = """
on_timer("later", function()
	metrics.count("s1_2_timers_due")
end)
"""

FILL = TIMERS + """
local count = 0
local function fill(size)
	local payload = { text = string.rep("x", size) }
	for _ = 1, 10000 do
		count += 1
		timers.set("later", { after = "40s", key = "k" .. time.now() .. "/" .. count }, payload)
		metrics.count("s1_2_timers_set")
		sleep(0)
	end
end
every("1s", { name = "huge" }, function() fill(255 * 1024) end)
every("2s", { name = "large" }, function() fill(15 * 1024) end)
every("3s", { name = "small" }, function() fill(64) end)
"""

FIND = """
local function search()
	return ("a"):rep(1000):find("[^" .. ("b"):rep(8000000) .. "]*x")
end
every("1s", function() search() end)
function on_message(event)
	search()
end
"""

HEAR = """
for i = 0, 39 do
	pcall(hear, "[ab]*a[ab]{" .. (300 + i) .. "}c[ab]*", function() end)
end
"""

COMPUTE = f"""
function on_message(event)
	{LOOP}
end
"""

REWRITE = """
local function noise(size)
	local parts = table.create(size)
	for i = 1, size do
		parts[i] = string.char(random.integer(33, 126))
	end
	return table.concat(parts)
end
every("1s", function()
	local pieces = {}
	for i = 1, 50 do
		pieces[i] = noise(5000)
		sleep(0)
	end
	local value = table.concat(pieces)
	for round = 1, 1000 do
		for i = 1, 30 do
			store.set("key" .. i, value:sub(round + 1) .. value:sub(1, round))
			sleep(0)
		end
	end
end)
"""

FETCH = """
local kept = {}
function on_message(event)
	local reply = http.get("http://ADDRESS/")
	table.insert(kept, reply)
	sleep("20s")
	table.remove(kept)
end
"""

NORMALISE = """
hear({ words = { "heck", "darn" }, normalise = true }, function(event)
	event:reply("no")
end)
function on_message(event)
	local text = text.normalise(event.text)
	store.set("last", #text)
end
"""

DECODE = """
local function decode()
	return json.decode("[" .. string.rep("[],", 340000) .. "[]]")
end
local function normalise()
	return text.normalise(string.rep("\\u{FDFA}", 21845))
end
every("1s", { name = "decode" }, function() decode() end)
every("1s", { name = "normalise" }, function() normalise() end)
function on_message(event)
	pcall(decode)
	pcall(normalise)
end
"""


def attacks(pages_port, turns):
    """Returns all attacks in the order of their numbers. `turns` of a loop take a millisecond."""
    letters = random.Random(1)
    either = "".join(letters.choice("ab") for _ in range(5000))
    host = f"{PAGES}:{pages_port}"
    deep = "x = " + "{" * 12000 + '"a"' + "}" * 12000 + "\n"
    return [
        Hostile(
            "1.1", "a locale of 12,000 nested placeables",
            {"init.luau": 'function on_message(event) log.info(t("x")) end\n', "locales/en.ftl": deep}, ["hello"],
        ),
        Hostile("1.2", "10,000 timers with payloads of 255 KB", {"": FILL}, quiet={"": TIMERS}),
        Hostile("1.3", "a pattern of 8 MB against 1,000 characters", {"": FIND}, ["hello"]),
        Hostile("1.4", "40 expensive patterns of hear", {"": HEAR}, [either]),
        Hostile("1.5", "75 ms for each of 20 messages a second", {"": COMPUTE.replace("TURNS", str(int(75 * turns)))}, ["hello"], 0.05),
        Hostile("1.6", "30 values of 250 KB rewritten in a loop", {"": REWRITE}),
        Hostile("1.7", "590 answers of 1 MB over HTTP", {"": FETCH.replace("ADDRESS", host)}, ["get"], 0.05, grants=[f"http:{host}"]),
        Hostile("1.8", "messages of 5,000 ligatures, normalised", {"": NORMALISE}, ["\ufdfa" * 5000], 0.2),
        Hostile("1.9", "json.decode of 340,000 lists, normalise of 64 KiB", {"": DECODE}, ["hello"]),
    ]
