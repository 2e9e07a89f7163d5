# What the runtime itself says to people in rooms.
arg-missing = { $arg } is missing.
arg-extra = "{ $given }" is more than this command takes.
arg-short = { $arg } has at least { $limit } characters.
arg-long = { $arg } has at most { $limit } characters.
arg-small = { $arg } is at least { $limit }.
arg-large = { $arg } is at most { $limit }.
arg-integer = { $arg } is a whole number, not "{ $given }".
arg-number = { $arg } is a number, not "{ $given }".
arg-boolean = { $arg } is yes or no, not "{ $given }".
arg-duration = { $arg } is a duration like 90s, 10m or 2h30m, not "{ $given }".
arg-user = I know nobody called "{ $given }".
arg-room = { $arg } is a room.
arg-choice = { $arg } is one of { $limit }.
arg-message = Use it from the menu of a message, or in answer to one.
usage = Usage: `{ $usage }`
not-permitted = You may not use /{ $command }: it is for { $level ->
    [member] members
    [trusted] trusted members
    [moderator] moderators
    [admin] administrators
   *[owner] the owner
} only.
cooldown = Not so fast: try /{ $command } again in { $seconds ->
    [one] 1 second
   *[other] { $seconds } seconds
}.
help-title = Commands
help-none = There are no commands for you here.
help-more = `/help` and a command's name tells more.
help-unknown = There is no command "{ $command }".
