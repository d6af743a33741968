# 地図の上の推定位置。

map-button = 地図ではどこ？
map-heading = 地図の上では
map-title = { $area }（{ $percent }）
map-title-unknown = もしかすると{ $area }（{ $percent }）
map-position = 推定位置：{ $position }（最も確率の高い地域の中央）
map-note = 推定位置：{ $position }（最も確率の高い地域の中央）
    { $link }
map-legend = 地域の確率
map-mark = 推定位置
map-credit = 境界：国土交通省 国土数値情報（行政区域データ）　陸地：Natural Earth
map-alt = 確率の高い地域ほど濃い色で示した地図。推定位置は{ $area }
