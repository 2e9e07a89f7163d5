ordered = { $count ->
    [one] Une portion de { $what } pour { $name }.
   *[other] { $count } portions de { $what } pour { $name }.
} Cela fait { $sum }.
menu = Croissants, baguettes et le reste de la tarte.

# The command is called /commande too, and the help describes it in French.
command-order =
    .name = commande
    .description = Commander quelque chose

# What the runtime itself says, put otherwise.
palabre-not-permitted = Désolé, /{ $command } n'est pas pour vous.
palabre-arg-missing = Il manque { $arg }.
