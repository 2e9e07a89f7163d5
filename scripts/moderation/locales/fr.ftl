warn = ⚠️ { $whom } reçoit un avertissement de { $by } : { $reason }
mute = 🔇 { $by } retire la parole à { $whom } pendant { $lasts } : { $reason }
unmute = 🔊 { $by } rend la parole à { $whom } : { $reason }
kick = 👢 { $by } fait sortir { $whom } : { $reason }
ban = ⛔ { $by } bannit { $whom } : { $reason }
tempban = ⛔ { $by } bannit { $whom } pendant { $lasts } : { $reason }
unban = 🕊️ { $by } laisse revenir { $whom } : { $reason }
purge = 🧹 { $by } efface { $count ->
    [one] le dernier message
   *[other] les { $count } derniers messages
}.
purge-of = 🧹 { $by } efface { $count ->
    [one] le dernier message
   *[other] les { $count } derniers messages
} de { $whom }.
slowmode = 🐢 { $by } fait attendre chacun { $pause } entre deux messages.
slowmode-over = 🐇 { $by } laisse de nouveau écrire chacun à son gré.
no-slowmode = Ici, on ne peut faire attendre personne.
lock = 🔒 { $by } ferme ce salon.
unlock = 🔓 { $by } rouvre ce salon.
topic = 📌 { $by } change le sujet : { $topic }

no-reason = aucune raison n'a été donnée
too-many = avertissement numéro { $count }
yourself = Pas contre vous-même.
not-yet = Ce n'est pas encore fait : la plateforme n'a pas répondu.
not-done = Ce n'est pas fait : { $reason }.
record = #{ $room } { $told }
warnings = { $whom } { $count ->
    [0] n'a pas d'avertissement.
    [one] a { $count } avertissement :
   *[other] a { $count } avertissements :
}
warning = - { $day }, par { $by } : { $reason }

command-warn =
    .name = avertir
    .description = Donner un avertissement à quelqu'un
command-warnings =
    .name = avertissements
    .description = Voir les avertissements de quelqu'un
command-mute =
    .description = Retirer la parole à quelqu'un pour un temps
command-unmute =
    .description = Rendre la parole à quelqu'un
command-kick =
    .description = Faire sortir quelqu'un, qui peut revenir
command-ban =
    .name = bannir
    .description = Faire sortir quelqu'un pour de bon
command-tempban =
    .description = Faire sortir quelqu'un pour un temps
command-unban =
    .description = Laisser revenir quelqu'un
command-purge =
    .name = effacer
    .description = Effacer les derniers messages d'ici, ou de quelqu'un
command-slowmode =
    .description = Faire attendre chacun entre deux messages ; sans durée, plus du tout
command-lock =
    .name = fermer
    .description = Ne laisser parler ici que les modérateurs
command-unlock =
    .name = rouvrir
    .description = Laisser de nouveau parler chacun ici
command-topic =
    .name = sujet
    .description = Dire de quoi parle ce salon
