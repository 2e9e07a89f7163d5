flood = trop de messages à la fois
invites = pas d'invitations ici
links = trop de liens
mentions = trop de mentions
capitals = inutile de crier
removed = Un message de { $name } a été effacé : { $reason }.
muted = { $reason }, encore ; vous n'avez plus la parole pour un temps
