# モデルの入れ替えについての文章すべて。`models.en.ftl` と同じメッセージを持つ。

# /models
models-title = モデルの一覧です。稼働中のモデルが答えます：
models-line = { $dot } { $name }：{ $model } { $version }、学習していない場所の写真 { $photos } 枚でのマクロ再現率 { $recall }{ $note }
models-broken = { $dot } { $name }：使えません（{ $problem }）{ $note }
models-live = （稼働中）
models-before = （/rollback で戻る先）
models-configured = 設定ファイルのモデル
models-hint = /promote 名前 で、比較して良いと分かったモデルに切り替えます。

# /promote, /rollback
promote-how = どのモデルですか。/models にある名前で「/promote 名前」と送ってください。比較の結果によらず切り替えるには「/promote 名前 force 理由」です。
promoted = { $model } { $version } に切り替えました。/rollback で元に戻せます。
rolled-back = { $model } { $version } に戻しました。
promote-unknown = 「{ $name }」というモデルはありません。名前は /models で確かめられます。
promote-live = { $model } はすでに稼働中です。
promote-no-verdict = 「{ $name }」はまだ稼働中のモデルと比べていません。サーバーで次を実行してください：kokodoko models compare { $name }
promote-stale = 「{ $name }」の比較は、いまとは別の稼働中モデルとのものです。もう一度比べてください：kokodoko models compare { $name }
promote-not-better = 切り替えませんでした。学習していない場所の写真 { $photos } 枚で、マクロ再現率の変化は { $low }〜{ $high } ポイント（95 %）で、良くなったとは言えません。それでも切り替えるには：/promote { $name } force 理由
promote-not-nearer = 切り替えませんでした。学習していない場所の写真 { $photos } 枚で、GeoScore の変化（地域の分け方が違うので距離での比較）は 5,000 点中 { $low }〜{ $high }（95 %）で、良くなったとは言えません。それでも切り替えるには：/promote { $name } force 理由
promote-no-reason = 理由を書いてください（記録に残ります）：/promote { $name } force 理由
promote-broken = 「{ $name }」は使えません：{ $problem }
rollback-nothing = これより前に稼働していたモデルはありません。
models-off = モデルのフォルダーなしで起動しているため、切り替えはできません。
