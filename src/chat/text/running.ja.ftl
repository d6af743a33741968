# 収集の実行についての文章すべて。`running.en.ftl` と同じメッセージ、同じ変数を持つ。

# 端末の一行の部分
run-points = 地点{ $asked }/{ $points }
run-photos = 調べた写真{ $asked }枚
run-images = 画像{ $images }/{ $wanted }枚
run-images-failed = 画像{ $images }/{ $wanted }枚（入手できないもの{ $failed }枚）
run-rate = 毎秒{ $rate }枚
run-doubt = 請求されたか不明{ $count }枚
run-left = 残りおよそ{ $time }

# まとめ
run-area = { $area }：問い合わせ{ $asked }、発見{ $found }、画像{ $images }枚（新しいもの{ $new }枚、入手できないもの{ $failed }枚）
run-spent = 実行{ $run }：使った額{ $money }
run-unplaced = 計画のどの地域にもないか、読めない写真：{ $count }枚
run-done = 計画で得られるものはすべて集まりました。
run-incomplete = 入手先が時々応答しませんでした。もう一度始めると残りを集めます。
run-stopped = 中止しました。次に始めると続きから集めます。

# 止まった理由と、管理者がすること
halt-streetview-denied = Street View がキーを拒否しました（{ $said }）。Google Cloud コンソールで、プロジェクトの Street View Static API と課金を有効にし、キーの制限でこの API とこのマシンを許可し、署名が必要なプロジェクトでは URL 署名シークレットを設定してください。
halt-streetview-quota = Street View の割り当てを使い切りました（{ $said }）。更新（カリフォルニアの午前0時）を待つか、Google Cloud コンソールで増やしてから、もう一度始めてください。続きから集めます。
halt-mapillary-denied = Mapillary がアクセストークンを拒否しました（{ $said }）。https://www.mapillary.com/dashboard/developers でクライアントトークンを作り、設定してください。
halt-mapillary-quota = Mapillary の利用制限に達しました（{ $said }）。1時間後に、または頻度を下げて、もう一度始めてください。続きから集めます。
halt-misunderstood = { $service }にこのプログラムの問い合わせが通じません（{ $said }）。プログラムを新しい版にしてください。
halt-cap = { $cap ->
    [run] 1回
    [day] 1日
   *[month] 1か月
}の上限に達しました（{ $limit }のうち{ $spent }）。設定で上限を上げ{ $cap ->
    [run] {""}
    [day] るか、次の日（UTC）を待っ
   *[month] るか、次の月（UTC）を待っ
}て、もう一度始めてください。続きから集めます。
halt-unreachable = { $service }が続けて{ $times }回応答しませんでした（{ $why }）。ネットワークを確かめて、あとでもう一度始めてください。
halt-disk-full = { $path }のあるディスクに空きがありません。空きを作るか、画像を別のディスクに移してください。
halt-write = { $path }に書き込めません（{ $why }）。
halt-repairing = 台帳かデータセットの修復中です。終わってからもう一度お試しください。
