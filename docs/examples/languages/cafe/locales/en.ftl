ordered = { $count ->
    [one] One portion of { $what } for { $name }.
   *[other] { $count } portions of { $what } for { $name }.
} { $sum ->
    [12] That is a dozen!
   *[other] { $sum } so far.
}
menu = Croissants, baguettes, and what is left of the tart.
