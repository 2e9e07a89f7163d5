bridge-too-large = 📎 { $name } ({ $size } MB) is too large to be passed on.
