language = fr

question = **Question { $number } sur { $of }** : { $question }
solved = { $question } ✅ { $name } : { $answer }
time = ⏱️ Personne n'a trouvé. C'était : { $answer }
end = C'était la dernière question.
stopped = La partie est arrêtée.
place = { $rank }. { $name } : { $points }
nobody = Personne n'a encore de points.
already = Une partie est en cours ici. /trivia stop l'arrête.
none = Aucune partie n'est en cours ici.
late = Trop tard pour celle-ci.
once = Un essai par question.
wrong = Ce n'est pas cela.
command-trivia =
    .name = quiz
    .description = Jouer à un quiz
