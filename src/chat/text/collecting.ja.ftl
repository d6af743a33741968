# 収集についての文章すべて。`collecting.en.ftl` と同じメッセージ、同じ変数を持つ。

# 始められない理由
collect-off = ここでは収集の設定がされていません。
collect-bad-area = 「{ $word }」は設定にない地域で、「東京都港区」のような正式名でもありません。設定にあるのは：{ $areas }
collect-bad-source = 「{ $word }」という入手先はありません。mapillary・streetview・folder から選んでください。
collect-bad-points = 町ごとの地点の数は1～{ $most }の整数です。例：points=8
collect-bad-option = 「{ $word }」がわかりません。例：/collect plan 港区 source=mapillary points=8
collect-terms = Street View は使いません。Google の規約は画像の一括ダウンロードと保存を禁じています。Google との契約で認められている場合は streetview.accept_google_terms = true とし、そうでなければ source=mapillary（無料、CC BY-SA 4.0）をお使いください。
collect-secret-missing = { $key } がありません。環境変数 { $variable } に入れるか、その値を書いたファイルを { $key }_file で指定してください。
collect-too-large = collect.width と collect.height が { $width } と { $height } ですが、Street View の画像は一辺640ピクセルまでです。
collect-folder-missing = folder.path が空です。写真のあるフォルダーを指定してください。
collect-no-plan = 計画を立てられませんでした：{ $reason }

# 確認
collect-caps = 使うのは1回{ $run }、1日{ $day }、1か月{ $month }までです。
collect-confirm = 確認のボタンを押すまで、何も取得も購入もしません。
collect-begin-button = 始める
collect-begun = 収集を始めました。進み具合は別のメッセージに出ます。
collect-begun-place = 収集を予約しました。先に{ $place }件の仕事があります。
collect-same = 同じ収集がすでに行われています。進み具合は別のメッセージに出ています。

# 進み具合
collect-state = { $state ->
    [queued] { $source }からの収集は順番待ちです。先に{ $place }件の仕事があります。
    [done] { $source }からの収集が終わりました。
    [failed] { $source }からの収集が止まりました。
    [cancelled] { $source }からの収集を中止しました。
   *[running] { $source }から収集中：地点の{ $percent }に問い合わせ済み
}
collect-area = { $area }：{ $points }地点中{ $asked }、{ $images }枚
collect-area-folder = { $area }：{ $images }枚
collect-more-areas = ほか{ $count }地域
collect-images = 新しい写真：{ $new }枚（{ $size }）。入手できないもの：{ $failed }枚。
collect-spent = 使った額：今回{ $run }、今日{ $day }、今月{ $month }。
collect-doubt = 請求されたか不明：{ $count }枚。
collect-rate = 毎秒{ $rate }枚
collect-rate-left = 毎秒{ $rate }枚、残りおよそ{ $time }

# お知らせ
collect-news-done = 収集が終わりました。新しい写真は{ $new }枚、これらの地域で合わせて{ $images }枚です。
collect-news-incomplete = 収集が一通り終わりました。新しい写真は{ $new }枚、これらの地域で合わせて{ $images }枚です。入手先が時々応答しなかったため、残りはもう一度 /collect で集められます。
collect-news-failed = 収集が止まりました：{ $reason }
collect-news-cancelled = 収集を中止しました。同じ内容の /collect で続きから始まります。

# /collect status と stop
collect-nothing = まだ何も集めていません。/collect plan で計画を見られます。
collect-stopping = 収集を中止します。受信中の写真だけ待ちます。同じ内容の /collect で続きから始まります。
collect-nothing-to-stop = 収集は行われていません。
