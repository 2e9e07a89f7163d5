language = en

question = **Question { $number } of { $of }**: { $question }
solved = { $question } ✅ { $name }: { $answer }
time = ⏱️ Nobody knew. It was: { $answer }
end = That was the last question.
stopped = The game is stopped.
place = { $rank }. { $name }: { $points }
nobody = Nobody has any points yet.
already = A game is already running here. /trivia stop ends it.
none = No game is running here.
late = Too late for this one.
once = One try for each question.
wrong = That is not it.
