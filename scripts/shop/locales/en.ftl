item = - { $name }: { $price }
bought = { $who } buys: { $name }. That leaves { $left }.
too-dear = { $name } costs { $price }; you have less.
unknown = There is no { $name } here. /shop shows what there is.
owned = - { $name } × { $count }
nothing = You have not bought anything yet.
