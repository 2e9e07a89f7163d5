new = 📰 Du nouveau de { $feed } : [{ $title }]({ $url })
