# Ce que le programme dit lui-même dans les salons.
arg-missing = Il manque { $arg }.
arg-extra = « { $given } » est de trop pour cette commande.
arg-short = { $arg } a au moins { $limit } caractères.
arg-long = { $arg } a au plus { $limit } caractères.
arg-small = { $arg } vaut au moins { $limit }.
arg-large = { $arg } vaut au plus { $limit }.
arg-integer = { $arg } est un nombre entier, pas « { $given } ».
arg-number = { $arg } est un nombre, pas « { $given } ».
arg-boolean = { $arg } est oui ou non, pas « { $given } ».
arg-duration = { $arg } est une durée comme 90s, 10m ou 2h30m, pas « { $given } ».
arg-duration-unit = { $arg } : il manque l'unité. Écrivez { $given }m pour des minutes, { $given }h pour des heures ou { $given }d pour des jours.
arg-user = Je ne connais personne du nom de « { $given } ».
arg-room = { $arg } est un salon.
arg-choice = { $arg } est au choix : { $limit }.
arg-message = À utiliser depuis le menu d'un message, ou en réponse à un message.
usage = Usage : `{ $usage }`
not-permitted = Vous ne pouvez pas utiliser /{ $command } : c'est réservé { $level ->
    [member] aux membres
    [trusted] aux membres de confiance
    [moderator] aux modérateurs
    [admin] aux administrateurs
   *[owner] au propriétaire
}.
cooldown = Doucement : réessayez /{ $command } dans { $seconds ->
    [one] { $seconds } seconde
   *[other] { $seconds } secondes
}.
not-done = Cela n'a pas été fait : { $reason }.
denied-bot = c'est moi
denied-oneself = on ne se fait pas cela à soi-même
denied-level = cette personne a autant de pouvoirs que vous, ou plus
denied-moderator = cette personne est modératrice
denied-rank = son rôle est aussi haut que le vôtre, ou plus haut
denied-bot-rank = mon rôle n'est pas au-dessus du sien
refused-rights = je n'en ai pas le droit ici
refused-administrator = cette personne est administratrice ici
refused-basic-group = ce groupe doit d'abord devenir un supergroupe
refused-absent = je ne suis plus là-bas
refused-private = cette personne n'accepte pas mes messages
refused-unsupported = ce n'est pas possible ici
refused-forbidden = la plateforme ne le permet pas ({ $reason })
refused-not-found = cela n'existe pas, ou plus ({ $reason })
refused-rejected = la plateforme ne l'accepte pas ({ $reason })
refused-unavailable = je ne suis pas connecté pour le moment
refused-failed = cela a échoué ({ $reason })
refused-late = la plateforme n'a pas encore répondu
help-title = Commandes
help-none = Il n'y a pas de commande pour vous ici.
help-more = `/help` et le nom d'une commande en disent plus.
help-unknown = Il n'y a pas de commande « { $command } ».
start-greeting = Bonjour, { $name } ! Je suis un robot ; voici ce que je sais faire ici.
