begin = ☀️ Le point du { $day } : où en êtes-vous ? Dites /standup, puis la chose ; il y a { $lasts } pour cela.
end =
    📋 Voici où nous en sommes :
    { $notes }
nobody = 📋 Personne n'a rien dit cette fois.
noted = Noté.
closed = Ce n'est pas l'heure du point.
command-standup =
    .name = point
    .description = Dire à l'équipe où l'on en est
