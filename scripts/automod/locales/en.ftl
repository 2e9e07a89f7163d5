flood = too many messages at once
invites = no invitations here
links = too many links
mentions = too many mentions
capitals = no need to shout
removed = A message of { $name } was removed: { $reason }.
muted = { $reason }, again; you are muted for a while
