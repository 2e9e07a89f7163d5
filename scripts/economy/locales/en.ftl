balance = { $name } has { $amount }.
paid = { $from } pays { $to } { $amount }.
too-little = You have { $amount }: not enough.
yourself = From one pocket into the other?
