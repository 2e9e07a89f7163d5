balance = { $name } has { $amount }.
paid = { $from } pays { $to } { $amount }.
too-little = You have { $amount }: not enough.
yourself = You cannot pay yourself.
