begin = ☀️ Standup of { $day }: what are you at? Say /standup and what it is; there are { $lasts } for it.
end =
    📋 This is what we are at:
    { $notes }
nobody = 📋 Nobody has said anything this time.
noted = Noted.
closed = There is no standup now.
