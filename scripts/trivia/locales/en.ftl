language = en

question = **Question { $number } of { $of }**: { $question }
solved = { $question } ✅ { $name }: { $answer }
time = ⏱️ Nobody knew. It was: { $answer }
end = That was the last question.
stopped = The game is stopped.
place = { $rank }. { $name }: { $points }
nobody = Nobody has any points yet.
already = There is a game under way here. /trivia stop ends it.
none = There is no game under way here.
late = Too late for this one.
once = One try for each question.
wrong = That is not it.
