# Ce que disent les scripts à côté de ce dossier, chacun sous son nom.

hello-pong = pong
hello-first = Bonjour, { $name } !
hello-again = Rebonjour, { $name } !
command-ping =
    .description = Voir si le bot est réveillé
command-hello =
    .name = bonjour
    .description = Être salué

dice-one = 🎲 { $name } lance : { $sum }
dice-several = 🎲 { $name } lance : { $sum } ({ $dice })
dice-usage = Dites !roll, !roll 20 ou !roll 3d6 : jusqu'à { $dice } dés de 2 à { $sides } faces.
command-roll =
    .name = lancer
    .description = Lancer des dés

karma-one = { $name } a { $points ->
    [one] { $points } point
   *[other] { $points } points
} de karma.
karma-none = Personne n'a encore de karma. Dites nom++ pour en donner.
karma-self = On ne se juge pas soi-même.
command-karma =
    .description = Voir de qui l'on pense du bien

guess-begin = Je pense à un nombre de 1 à { $highest }. Vous avez { $tries } essais.
guess-number = Un nombre, s'il vous plaît, ou stop. Essais restants : { $left }.
guess-higher = Plus grand. Essais restants : { $left }.
guess-lower = Plus petit. Essais restants : { $left }.
guess-found = 🎉 C'est bien { $secret }, au bout de { $tries } essais ! Votre record est { $best }.
guess-stop = C'était { $secret }.
guess-gone = { $name } n'est plus là. C'était { $secret }.
guess-over = Plus d'essais. C'était { $secret }.
command-guess =
    .name = deviner
    .description = Deviner un nombre

reminder-usage = Dites par exemple : !remind 10m le thé est prêt
reminder-unclear = Je ne comprends pas « { $after } ». Dites 90s, 10m, 2h30m ou 7d.
reminder-set = Je vous le rappellerai dans { $after }.
reminder-due = ⏰ { $name } : { $text }
reminder-none = Il n'y a rien à vous rappeler.
reminder-forgotten = Oublié.
reminder-nothing = Il n'y a rien à oublier.
command-remind =
    .name = rappeler
    .description = Se faire rappeler quelque chose
command-reminders =
    .name = rappels
    .description = Voir ce qui vous sera rappelé
command-forget =
    .name = oublier
    .description = Reprendre un rappel

word_filter-warning = { $name }, « { $word } » n'est pas un mot pour ce salon. Le prochain sera effacé.
word_filter-removed = Un message de { $name } a été effacé.
word_filter-muted = { $name } n'a plus la parole pendant { $mute }.
word_filter-words = Indésirables ici : { $words }
word_filter-forgiven = { $name } est pardonné.
word_filter-not-forgiven = { $name } n'est pas pardonné : { $reason }.
command-words =
    .name = mots
    .description = Voir les mots indésirables, ou pardonner à quelqu'un

levels-up = 🎉 { $name } atteint le niveau { $level }.
levels-rank = { $name } : niveau { $level }, rang { $rank } sur { $of }, { $xp } XP. Encore { $missing } pour le niveau { $next }.
levels-place = { $rank }. { $name } : niveau { $level } ({ $xp } XP)
levels-nothing = { $name } n'a encore rien dit.
levels-nobody = Personne n'a encore rien dit.
command-rank =
    .name = rang
    .description = Voir son niveau, ou celui de quelqu'un
command-leaderboard =
    .name = classement
    .description = Voir qui a le plus parlé

welcome-first = Bienvenue, { $name } ! Dites /help pour voir ce que je sais faire.
welcome-back = Rebonjour, { $name } ! C'est votre visite numéro { $visits }.

quotes-one = #{ $number } { $text } (de { $by })
quotes-added = Gardée sous le numéro { $number }.
quotes-empty = Dites /quote add, puis ce qui a été dit.
quotes-none = Il n'y a pas encore de citations. Dites /quote add, puis ce qui a été dit.
quotes-not-found = Rien de tel n'a été dit.
command-quote =
    .name = citation
    .description = Garder une citation, ou en voir une

poll-usage = Dites par exemple : /poll 10m On mange quoi ? | Pizza | Salade (de 2 à { $most } réponses)
poll-ending = Il se termine dans { $lasts }.
poll-over = Le sondage est clos.
poll-voted = Vous avez voté pour { $answer }.
poll-late = Ce sondage est clos.
poll-failed = Il n'y a pas de sondage : { $reason }.
command-poll =
    .name = sondage
    .description = Demander à tout le monde ici

report-title = Un signalement aux modérateurs
report-whom = De qui s'agit-il ?
report-why = Que s'est-il passé ?
report-nobody = personne en particulier
report-text = 🚩 { $by } signale { $whom } dans #{ $room } : { $why }
report-done = Fait
report-seen = ✅ { $by } s'en est occupé.
report-thanks = Merci. Les modérateurs vont s'en occuper.
report-nowhere = Personne ne reçoit de signalements ici.
report-failed = Votre signalement n'est pas arrivé aux modérateurs : { $reason }.
report-not-seen = Cela n'a pas pu être noté : { $reason }.
command-report =
    .name = signaler
    .description = Signaler quelque chose aux modérateurs

status-said = 📣 Annonce : { $text }
