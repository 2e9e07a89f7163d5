ordered = { $count ->
    [one] Eine Portion { $what } für { $name }.
   *[other] { $count } Portionen { $what } für { $name }.
} Bisher { $sum }.
menu = Croissants, Baguettes und was von der Torte übrig ist.

palabre-arg-missing = { $arg } fehlt.
palabre-usage = So geht es: `{ $usage }`
