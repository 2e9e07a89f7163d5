bridge-too-large = 📎 { $name } ({ $size } Mo) est trop lourd pour être transmis.
