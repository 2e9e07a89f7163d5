warn = ⚠️ { $whom } is warned by { $by }: { $reason }
mute = 🔇 { $whom } is muted by { $by } for { $lasts }: { $reason }
unmute = 🔊 { $whom } is unmuted by { $by }: { $reason }
kick = 👢 { $whom } is kicked by { $by }: { $reason }
ban = ⛔ { $whom } is banned by { $by }: { $reason }
tempban = ⛔ { $whom } is banned by { $by } for { $lasts }: { $reason }
unban = 🕊️ { $whom } is unbanned by { $by }: { $reason }
purge = 🧹 { $by } removes { $count ->
    [one] the last message
   *[other] the last { $count } messages
}.
purge-of = 🧹 { $by } removes { $count ->
    [one] the last message
   *[other] the last { $count } messages
} of { $whom }.
slowmode = 🐢 { $by } sets slow mode: { $pause } between two messages.
slowmode-over = 🐇 { $by } switches slow mode off.
no-slowmode = There is no slow mode here.
lock = 🔒 { $by } closes this room.
unlock = 🔓 { $by } opens this room again.
topic = 📌 { $by } changes the topic: { $topic }

no-reason = no reason was given
too-many = warning number { $count }
yourself = You cannot do that to yourself.
not-yet = That is not done yet: the platform has not answered.
not-done = Not done: { $reason }.
record = #{ $room } { $told }
warnings = { $whom } has { $count ->
    [0] no warnings.
    [one] 1 warning:
   *[other] { $count } warnings:
}
warning = - { $day }, by { $by }: { $reason }
