# ボットの日本語の文章すべて。`en.ftl` と同じメッセージ、同じ変数を持つ。

# 答え
answer-known = { $area }だと思います（{ $percent }）。
answer-unknown = どこなのか、わかりません。あえて挙げるなら{ $area }（{ $percent }）ですが、自信はありません。
answer-no-street = 街の写真には見えないので、地域は答えません。
answer-place = 写真 { $number }/{ $count }
answer-heatmap-alt = { $area }だと判断した手がかりを明るい色で示した写真
drawn-world = 「描かれた街」だけで学んだお試しモデルです。本物の街並みは一度も見たことがありません。

# 写真をお願いする
photo-wanted = 街の写真を送ってください。どの市区町村かをお答えします。ほかにできることは /help をご覧ください。
photo-missing = { $platform ->
    [discord] どの写真でしょうか？ /where に写真を添付するか、写真のあるメッセージのメニューから「ここどこ？」（Where is this?）を選んでください。
   *[telegram] どの写真でしょうか？ 写真への返信で /where と送るか、写真のキャプションに /where と書いてください。
}
photos-too-many = 一度に見られるのは{ $limit }枚までです。残りの{ $rest }枚は、もう一度送ってください。

# コマンド
command-help = できること
command-start = できること
command-where = この写真はどこ？
command-similar = この写真に似ている、別の場所の写真は？
command-quiz = モデルと勝負：写真9枚をみんなで当てる
command-daily = 今日の9枚（全員共通）
command-rematch = ほかのグループと同じ写真で勝負
command-stop = 進行中のクイズを終える（得点なし）
command-score = 自分の得点・レーティング・連続日数
command-leaderboard = このチャットまたは全体の順位表
command-versus = 自分とモデルの地域別対戦成績
command-link = TelegramとDiscordの成績をまとめる
command-day = 連続日数を数える一日の始まりを決める
command-optout = 自分の成績を残さない
command-forget = 自分について保存されたものをすべて消す
option-photos = 写真の枚数
option-seconds = 回答時間（秒）
option-difficulty = 地域の紛らわしさ
option-areas = 選択肢にする地域（カンマ区切り）
option-scope = このチャットか全体か
option-period = 今週・今月・通算
option-rematch-code = 相手グループの結果に出たコード
option-link-code = もう一方のサービスで出たコード。省くとコードを発行
option-zone = タイムゾーン（例：Asia/Tokyo）
option-hour = 一日が始まる時刻（0〜23時）
option-area = 地域の名前（例：港区）
option-model = モデルの名前（/models にあるもの）
option-force = 比較の結果によらず切り替える理由（記録に残ります）
option-switch = on：成績を残さない／off：また残す
stale-button = このボタンは古くなっています。もう一度コマンドを送ってください。
command-model = どのモデルが答えているか、その成績
command-privacy = 写真の取り扱い
command-gallery = その地域らしい写真 7 枚とヒートマップ
command-confusions = 何を何と間違えるか、写真つき
command-atlas = 見分けられる町と苦手な町の地図
command-models = モデルの一覧と稼働中のモデル
command-promote = より良いモデルに切り替える
command-rollback = 前のモデルに戻す
command-collect = 街の写真を集める（計画・進み具合・中止も）
command-train = モデルを学習し、良ければ切り替える（進み具合・中止も）
option-train-action = begin（省略時）：始める／status：進み具合／cancel：中止
option-mode = head：最終層だけ（短時間）／full：全体
option-recipe = full の学習方法：reference・drawn-world・設定したもの
option-data = 写真の入手先
option-labels = areas：写真の地域で答える／cells：撮影位置から作る地球上のセルで答える
option-most = セル：学習用の写真がこれより多ければ分割する（300）
option-least = セル：学習用の写真がこれより少なければ除く（20）
command-audit = 管理者の最近の操作
option-action = begin（省略時）：始める／plan：計画／status：進み具合／stop：中止
option-collect-areas = 設定された地域の一部（カンマ区切り）
option-source = 写真の入手先
option-points = 町ごとの地点の数
message-menu = ここどこ？
photo-option-name = 写真
photo-option = 街の写真
command-unknown = /{ $name } というコマンドはありません。使えるコマンドは /help でご覧いただけます。
help-intro =
    ここどこ？

    街の写真を送ってください。どの市区町村らしいかをお答えし、手がかりになったところを写真に示します。
help-groups = { $platform ->
    [discord] サーバーでは、/where を使うか、メッセージのメニューから「ここどこ？」（Where is this?）を選ぶか、写真と一緒にメンションしていただいたときにお答えします。
   *[telegram] グループでは、写真への返信で /where と送るか、写真と一緒にメンションするか、わたしへの返信で写真を送っていただいたときにお答えします。
}

# モデル
model-title = モデル：{ $name } { $version }
model-arch = 構造：{ $arch }（実行環境：{ $backend }）
model-areas = 答えられる地域：{ $areas }
model-metrics =
    学習に使っていない町の写真 { $photos } 枚での成績：
    ・最初の答えが正解：{ $top1 }
    ・上位3つに正解：{ $top3 }
    ・地域ごとの平均（マクロ再現率）：{ $recall }
    ・確率のずれ（ECE）：{ $ece }
    ・「わかりません」と言わない割合：{ $coverage }、そのときの正解率：{ $selective }
model-data = 学習データ：{ $data }
model-licence = ライセンス：{ $licence }
model-attribution = クレジット：{ $credit }

# 写真の取り扱い
privacy =
    お送りいただいた写真は、お答えするためにメモリー上で処理します。答えの下のボタンのために縮小した写しを最長15分メモリーに置き、その後は残しません。メッセージは保存しません。写真も、あなたがくださるもののほかは保存しません。同じメッセージに二度お答えしないよう、チャットとメッセージの番号だけを2日間控えます。
    写真のファイルに撮影場所が書かれているときは、テスト用に保存してよいかお尋ねすることがあります。「はい」と答えたときだけ、ほかの情報を取り除いた写真、地域、約100 m単位の位置、日時、このサービスでのあなたの番号を保存します。お礼の下のボタンか /forget で消せます。
    クイズに参加すると、このサービスでのあなたの番号と名前、回答とその時刻、得点・レーティング・連続日数、タイムゾーンを保存します。/optout で保存をやめ、/forget でその場ですべて消せます。
    わたしの管理者による操作は、だれがいつ行ったかを記録に残します。
    おひとりの利用で混み合わないよう、最近の利用回数を短いあいだメモリーに置いています。
    { $platform ->
        [discord] 送信された内容は、Discord の規約に従って Discord にも残ります。
       *[telegram] 送信された内容は、Telegram の規約に従って Telegram にも残ります。
    }

# できないとき
error-empty = 中身が空のファイルでした。もう一度写真を送ってください。
error-too-many-bytes = ファイルが大きすぎます（{ $size } MB）。{ $limit } MB までにして送ってください。
error-too-many-pixels = 画像が大きすぎます（{ $width }×{ $height }）。{ $limit } メガピクセルまでに縮小して送ってください。
error-no-pixels = 縦か横の長さが0の画像でした。ほかの写真を送ってください。
error-not-a-picture = 画像ではないファイルでした。JPEG、PNG、WebP のいずれかの写真を送ってください。
error-unsupported-format = { $format ->
    [video] 動画は読めません。JPEG、PNG、WebP のいずれかの静止画を送ってください。
    [such] この形式の画像は読めません。JPEG、PNG、WebP のいずれかで送ってください。
   *[other] { $format } 形式は読めません。JPEG、PNG、WebP のいずれかで送ってください。
}
error-truncated = 画像の終わりが欠けています。途中で切れてしまったようです。もう一度送ってください。
error-damaged = 画像が壊れていて読めませんでした。もう一度送るか、ほかの写真を送ってください。
error-download = 写真を受け取れませんでした。少し待ってから、もう一度送ってください。
error-file-unreadable = { $path } を読めません（{ $reason }）。ファイル名と権限を確かめてください。
error-busy = ただいま混み合っています。{ $seconds } 秒後にもう一度お試しください。
error-internal = こちらの不具合でお答えできませんでした。もう一度お試しください。続くようでしたら、運営者にお知らせください。
error-stopping = ただいま再起動中です。1分ほどしてから、もう一度写真を送ってください。
slow-down = 少し回数が多いようです。{ $seconds } 秒後にもう一度お試しください。それまではお返事を控えます。
interrupted = 申し訳ありません。途中で止まってしまい、ここに送っていただいた写真（{ $photos }枚）にお答えできていないかもしれません。写真は保存していないので、返事のないものをもう一度お送りください。
