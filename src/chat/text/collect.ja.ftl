# The plan
plan-title = 計画: { $towns } 町字の { $points } 地点（取得元: { $source }）
plan-line = { $area }: { $points } 地点。見込みは画像のある地点 { $hits }、{ $images } 枚、{ $money }、{ $disk }、{ $time }
plan-folder-title = 計画: フォルダの写真（{ $areas } 地域、{ $towns } 町字）
plan-folder-line = { $area }: { $towns } 町字
plan-total-line = 合計: { $points } 地点。見込みは画像のある地点 { $hits }、{ $images } 枚、{ $money }、{ $disk }、{ $time }
plan-assumed = 画像のある地点は全地点の { $share } と仮定しています。50 地点を調べた地域では、その結果から見積もります。
plan-learnt = 画像のある地点は、地域ごとにこれまでの収集で見つかった割合から見積もっています。
plan-folder = フォルダの写真は撮影位置のまま使います。意味があるのは地域だけで、地点は調べません。
plan-unplaced = 位置の分からない { $towns } 町字は含みません。
plan-cap = 1 回の上限 { $cap } を超えるため、計画の途中で終わります。
plan-credit-borders = 境界:「国土数値情報（行政区域データ）」（国土交通省）を加工して作成。町字: Geolonia 住所データ。
plan-map-title = どこを見るか
plan-legend-point = 地点
plan-legend-town = 町字
plan-alt = { $areas }の計画地点の地図と、その見積もりの表
plan-column-area = 地域
plan-column-towns = 町字
plan-column-points = 地点
plan-column-hits = 画像あり
plan-column-images = 枚数
plan-column-money = 費用
plan-column-disk = 容量
plan-column-time = 時間
plan-total = 合計
plan-others = ほか { $more } 地域
plan-free = 無料
plan-minutes = { $minutes } 分
plan-hours = { $hours } 時間 { $minutes } 分

# Sources
source-mapillary = Mapillary
source-streetview = Google ストリートビュー
source-folder = フォルダ
