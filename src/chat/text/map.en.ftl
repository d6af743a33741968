# A guess on the map.

map-button = Where on the map?
map-heading = On the map
map-title = { $area } ({ $percent })
map-title-unknown = Perhaps { $area } ({ $percent })
map-position = Guess: { $position }, the middle of the most probable area
map-note = My guess: { $position }, the middle of the most probable area
    { $link }
map-legend = Probability of an area
map-mark = Guess
map-credit = Borders: 国土交通省 国土数値情報（行政区域データ）. Land: Natural Earth.
map-alt = A map of the most probable areas, the darker the more probable; the guess lies in { $area }
