new = 📰 New from { $feed }: [{ $title }]({ $url })
