# ページと API の文章すべて。`web.en.ftl` と同じメッセージ、同じ変数を持つ。

# 入口
page-title = ここどこ? — 街の写真がどの市区町村かを当てる
page-reading = 街の写真から、市区町村を当てます
page-lead = 街角の写真を一枚、どうぞ。
page-promise = どの市区町村らしいかと、その手がかりになったところをお答えします。
page-choose = 写真を選ぶ
page-camera = カメラで撮る
page-drop = ここにドロップするか、貼り付けても大丈夫です。
page-drop-now = ここで放してください
page-drop-area = 写真を置く場所
page-formats = JPEG・PNG・WebP・GIF、{ $limit } MB まで。写真はお答えするあいだだけメモリー上で処理します。テスト用にくださったもののほかは、保存しません。
page-samples = 手元に写真がなければ、見本をどうぞ
page-sample = 見本 { $number }
page-mine = 選んだ写真
page-mine-photo = 選んだ写真 { $number }
page-too-many = 一度に選べるのは{ $limit }枚までです。最初の{ $limit }枚だけを見ます。
page-language = ことば
page-script-needed = このページを使うには JavaScript を有効にしてください。
page-skip = 写真を選ぶところへ移動
page-to-model = モデルの中身
page-to-quiz = モデルに挑戦

# 答え
page-answer = 答え
page-thinking = 写真を見ています…
page-unknown-why = いちばん近いと思うところでも、自信を持って言えるほどではありませんでした。
page-gift = この写真のファイルには、{ $area }で撮ったと書かれています。推測には使っていません。本物の街でどれだけ当たるかを測るため、テスト用の写真として保存してもよいですか？ 保存するのは、ほかの情報を取り除いた写真、地域、約100 m単位の位置、日時です。取り消せるように、番号をクッキーに入れます。
page-candidates = 可能性
page-candidates-hint = 地域を選ぶと、その手がかりを写真に示します。
page-row = { $area }、{ $percent }。手がかりを写真に示す
answer-heatmap = 明るく色づいたところほど、判断の手がかりになっています。暗くした端は見ていません。
page-evidence-of = { $area }の手がかり
page-evidence-against = { $other }ではなく{ $area }だと判断した手がかり
page-question = どの手がかり
page-ask-why = { $area }らしいところ
page-ask-why-not = { $area }ではない理由は？
page-strength = 手がかりの濃さ
page-photo-alt = 見ている写真
page-truth-right = 見本の正解も、{ $area }です。
page-truth = 見本の正解は、{ $area }です。
page-another = 別の写真を選ぶ
page-again = もう一度試す
page-timing = 解読 { $decode } ms、下ごしらえ { $preprocess } ms、順番待ち { $queue } ms、推論 { $run } ms
page-failed = お答えできませんでした
page-offline = サーバーにつながりません。動いているかを確かめてから、もう一度お試しください。

# クイズのページ
play-title = ここどこ? — モデルに挑戦
play-reading = モデルと勝負。その写真はどこ?
play-to-page = 写真をきいてみる
play-lead = モデルに勝てますか?
play-promise = あなたもモデルも、見る写真は同じ。モデルの答えは始まる前に封をしてあり、終了の合図で開けます。
play-photos = 写真の枚数
play-difficulty = 難しさ
play-easy = やさしい
play-normal = ふつう
play-hard = むずかしい
play-name = 順位表での名前
play-begin = 始める
play-daily = 今日の9枚
play-code = ほかの勝負のコード
play-rematch = 再戦
play-progress = { $all }枚中{ $done }枚に回答
play-seconds-left = あと{ $seconds }秒
play-question = { $all }枚中{ $number }枚目。どこでしょう?
play-photo-alt = 街の写真 { $number }
play-number = 写真 { $number } へ
play-how = 最後の1枚に答えると終了の合図です。それまでは答えを変えられます。
play-stop = この勝負をやめる
play-you = あなた
play-model = モデル
play-right = { $right } / { $all }
play-no-answer = 今回の勝負には、答えがありませんでした。
play-unscored = 得点には入りません。前に見た写真だったか、得点を残さない設定です。
play-points = { $points }点、レート{ $change }
play-your-answer = あなた: { $area }
play-your-none = あなた: 答えなし
play-model-answer = モデル: { $area }（{ $percent }）
play-again = もう一回
play-other = 設定を変える
play-share = チャットで同じ写真を: /rematch { $code }
play-scores = 成績
play-score = わたしの成績
play-versus = モデルとの対戦成績
play-week = 今週の順位
play-month = 今月の順位
play-ever = 通算の順位
play-link = チャットの自分とつなぐ
play-forget = わたしを忘れる
play-forget-sure = 成績もふくめて、あなたに関するものをすべて消しますか? 元には戻せません。
play-privacy = 遊ぶと、次に来たときに分かるように乱数の入った Cookie を保存します。名前・答え・成績は、「わたしを忘れる」を押すまでこのボットのデータベースに残ります。
play-guest = ゲスト

# モデルのページ
model-page-title = ここどこ? — モデルの中身
model-page-reading = モデルの中身：何を手がかりにし、どこで間違えるか
model-page-gallery = その地域らしい写真
model-page-confusions = 間違い
model-page-atlas = 町の地図
model-page-all = すべての地域
model-page-area = 地域
model-page-wait = 描いています…

# API の問題
problem-missing-photo = 写真がありません。写真そのものを本文として送るか、multipart/form-data の photo という項目に入れて送ってください。
problem-bad-multipart = multipart/form-data の本文が途中で切れているか、壊れています。もう一度送ってください。
problem-too-many-photos = 一度に送れる写真は{ $limit }枚までです。分けて送ってください。
problem-too-many-requests = 同時に送られた写真が多すぎます。前の答えが返ってから送ってください。
problem-body-too-large = 送られた本文が大きすぎます。全体で { $limit } MB までにしてください。
problem-upload-broken = 写真の受信が途中で切れました。もう一度送ってください。
problem-upload-slow = 写真の受信に時間がかかりすぎました。もう一度送ってください。
problem-bad-query = URL の「?」から後ろが読めません。使えるのは top（1以上の整数）、heatmap（true、false、地域の番号か名前）、why_not（ヒートマップで比べる地域。heatmap=false とは使えません）、lang（ja か en）です。
problem-unknown-area = このモデルに { $area } という地域はありません。地域の名前か番号を確かめてください。
problem-not-found = このアドレスには何もありません。
problem-method = このアドレスでは、その HTTP メソッドは使えません。
problem-host = { $host } という名前では応答しません。設定の web.allowed_hosts に加えると使えるようになります。
problem-origin = ほかのサイトのページからは使えません。
problem-bad-body = 本文が読めません。このアドレスの項目を入れた JSON を、application/json として送ってください。
