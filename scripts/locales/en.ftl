# The texts of the single-file scripts next to this folder, each with the script's name in front. Scripts in folders have their
# own locales. English descriptions of commands are in the scripts; the files of other languages translate them as command-NAME.

hello-pong = pong
hello-first = Hello, { $name }!
hello-again = Hello again, { $name }!

dice-one = 🎲 { $name } rolls { $sum }
dice-several = 🎲 { $name } rolls { $sum } ({ $dice })
dice-usage = Say !roll, !roll 20 or !roll 3d6: up to { $dice } dice of 2 to { $sides } sides.

karma-one = { $name } has { $points } karma.
karma-none = Nobody has any karma yet. Say name++ to give some.
karma-self = You cannot give karma to yourself.

guess-begin = I am thinking of a number from 1 to { $highest }. You have { $tries } tries.
guess-number = A number, please, or stop. { $left } tries left.
guess-higher = Higher. { $left } tries left.
guess-lower = Lower. { $left } tries left.
guess-found = 🎉 { $secret } it is, after { $tries } tries! Your best is { $best }.
guess-stop = It was { $secret }.
guess-gone = { $name } is gone. It was { $secret }.
guess-over = No tries left. It was { $secret }.

reminder-usage = Say for example: !remind 10m the tea is ready
reminder-unclear = I do not understand "{ $after }". Say 90s, 10m, 2h30m or 7d.
reminder-set = I will remind you in { $after }.
reminder-due = ⏰ { $name }: { $text }
reminder-none = There is nothing to remind you of.
reminder-forgotten = Forgotten.
reminder-nothing = There is nothing to forget.

word_filter-warning = { $name }, "{ $word }" is not allowed in this room. Next time, your message will be removed.
word_filter-removed = A message of { $name } was removed.
word_filter-muted = { $name } is muted for { $mute }.
word_filter-words = Not allowed here: { $words }
word_filter-forgiven = { $name } is forgiven.
word_filter-not-forgiven = { $name } is not forgiven: { $reason }.

levels-up = 🎉 { $name } has reached level { $level }.
levels-rank = { $name }: level { $level }, rank { $rank } of { $of }, { $xp } XP. { $missing } more for level { $next }.
levels-place = { $rank }. { $name }: level { $level } ({ $xp } XP)
levels-nothing = { $name } has not said anything yet.
levels-nobody = Nobody has said anything yet.

welcome-first = Welcome, { $name }! Say /help to see what I can do.
welcome-back = Welcome back, { $name }! This is visit number { $visits }.

quotes-one = #{ $number } { $text } (from { $by })
quotes-added = Saved as number { $number }.
quotes-empty = Type /quote add and the quote.
quotes-none = There are no quotes yet. Type /quote add and the quote.
quotes-not-found = No quote was found.

poll-usage = Say for example: /poll 10m What is for lunch? | Pizza | Salad (2 to { $most } answers)
poll-ending = It ends in { $lasts }.
poll-over = The poll is over.
poll-voted = You have voted for { $answer }.
poll-late = This poll is over.
poll-failed = The poll could not be posted: { $reason }.

report-title = A report to the moderators
report-whom = Whom is it about?
report-why = What happened?
report-nobody = nobody in particular
report-text = 🚩 { $by } reports { $whom } in #{ $room }: { $why }
report-done = Done
report-seen = ✅ { $by } has seen to it.
report-thanks = Thank you. The moderators will see to it.
report-nowhere = Nobody takes reports here.
report-failed = Your report has not reached the moderators: { $reason }.
report-not-seen = This could not be noted: { $reason }.

status-said = 📣 Announcement: { $text }
