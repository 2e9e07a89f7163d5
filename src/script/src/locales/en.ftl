# The runtime's own texts for users in rooms.
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
arg-duration-unit = { $arg } needs a unit: write { $given }m for minutes, { $given }h for hours or { $given }d for days.
arg-user = I know nobody called "{ $given }".
arg-room = { $arg } is a room.
arg-choice = { $arg } is one of { $limit }.
arg-message = Use it from the menu of a message, or as a reply to one.
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
not-done = This was not done: { $reason }.
denied-bot = that is me
denied-oneself = you cannot do that to yourself
denied-level = they have as many rights as you do, or more
denied-moderator = they are a moderator
denied-rank = their role is as high as yours, or higher
denied-bot-rank = my role is not above theirs
refused-rights = I do not have the right to do that here
refused-administrator = they are an administrator here
refused-basic-group = this group has to become a supergroup first
refused-absent = I am not there any more
refused-private = they do not accept messages from me
refused-unsupported = that cannot be done here
refused-forbidden = the platform does not allow it ({ $reason })
refused-not-found = it is not there any more, or never was ({ $reason })
refused-rejected = the platform rejects it ({ $reason })
refused-unavailable = I am not connected at present
refused-failed = it failed ({ $reason })
refused-late = the platform has not answered yet
help-title = Commands
help-none = There are no commands for you here.
help-more = `/help` with a command's name shows more.
help-unknown = There is no command "{ $command }".
start-greeting = Hello, { $name }! I am a bot; this is what I can do here.
