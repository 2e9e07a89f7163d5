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
help-title = Commandes
help-none = Il n'y a pas de commande pour vous ici.
help-more = `/help` et le nom d'une commande en disent plus.
help-unknown = Il n'y a pas de commande « { $command } ».
