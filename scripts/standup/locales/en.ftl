begin = ☀️ Standup of { $day }: what are you working on? Answer with /standup within { $lasts }.
end =
    📋 We are working on:
    { $notes }
nobody = 📋 Nobody has said anything this time.
noted = Noted.
closed = There is no standup now.
