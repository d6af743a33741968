# The round
quiz-title-quiz = モデルと勝負！ 写真{ $photos }枚、{ $seconds }秒。どこで撮った写真？
quiz-title-daily = 今日の勝負：全員共通の写真{ $photos }枚、{ $seconds }秒。
quiz-title-rematch = 再戦！ 別の勝負と同じ写真{ $photos }枚、{ $seconds }秒。
quiz-how = { $platform ->
    [discord] 番号を押すと写真が大きく出るので、地域を選んでください。終了の合図まで何度でも変えられます。
   *[telegram] 下の1行が写真1枚です。地域を押してください。終了の合図まで何度でも変えられます。
}
quiz-key = { $short }＝{ $area }
quiz-sealed = モデルの答えは封印済みです。
quiz-closed = 時間です。結果は下にあります。
quiz-stopped = この勝負は中止されました（得点なし）。
quiz-grid-alt = 番号の付いた街の写真{ $photos }枚
quiz-album-button = 大きな写真
quiz-again-button = もう一回
quiz-photo = 写真{ $number }

# Answers
quiz-answered = 写真{ $number }：{ $area }（{ $all }枚中{ $done }枚回答）
quiz-complete = 写真{ $number }：{ $area }。{ $all }枚すべて回答しました！ 合図まで変えられます。
quiz-sheet = 写真{ $number }（全{ $all }枚）：どの地域？
quiz-too-late = 終了の合図のあとなので、この回答は数えられません。
quiz-not-open = まだ始まっていません。少し待ってからもう一度どうぞ。
quiz-left = このチャットを退出しています。それまでの回答は有効です。
quiz-unknown = その勝負または写真はもうありません。
quiz-called-off = この勝負は取りやめになりました。/quiz で新しく始められます。

# The reveal
quiz-reveal-title = 正解は…
quiz-reveal-line = { $number }. { $truth } — モデル：{ $guess }（{ $percent }）{ $mark } — 正解者：{ $people }
quiz-nobody = なし
quiz-others = { $names } ほか{ $more }人
quiz-model-line = モデル { $name }：{ $all }問中{ $right }問正解
quiz-entry-line = { $rank }. { $name }：{ $all }問中{ $right }問正解、{ $points }点{ $rating }
quiz-rating = 、レート{ $change }
quiz-unscored = { $name }：{ $all }問中{ $right }問正解（得点対象外）
quiz-won = { $name } さん、モデルに勝ちました！
quiz-lost = 今回はモデルの勝ち。
quiz-drawn = モデルと引き分け。
quiz-no-players = 今回は回答がありませんでした。
quiz-credit = 写真：{ $source }（{ $licence }）
quiz-code = 同じ写真で再戦：/rematch { $code }
quiz-people = みんな
quiz-guess = { $area } { $percent } モデル
quiz-reveal-alt = 写真ごとの正解、モデルの答え、正解した人

# Why there is no round
quiz-off = ここではクイズを使えません。
quiz-running = このチャットでは勝負の最中です。終了の合図か /stop で終わります。
quiz-daily-played = 今日の勝負はもう終わりました。次は明日です。
quiz-unknown-code = そのコードの勝負は見つかりません。コードは結果の下に出ています。
quiz-other-areas = 今のモデルは、その勝負とは別の地域を扱っています。
quiz-few-photos = この勝負に使える写真が足りません。枚数を減らすか、別の地域でお試しください。
quiz-undelivered = 画像を送れなかったので、勝負を取りやめました。画像を送る権限はありますか？
quiz-interrupted = 勝負を始めるところで再起動したため、取りやめました。画像が出ていても、そのボタンは使えません。/quiz で新しく始められます。
quiz-rematch-how = /rematch コード で、ほかのグループと同じ写真で勝負できます。コードは結果の下に出ます。このチャットの最後の勝負のコード：{ $code }
quiz-rematch-none = /rematch コード で、ほかのグループと同じ写真で勝負できます。コードは結果の下に出ます。ここではまだ勝負がありません。
quiz-bad-word = 「{ $word }」がわかりません。例：/quiz 5 60s hard、/quiz areas={ $area }
quiz-bad-photos = 写真は1・3・5・9枚から選べます。
quiz-bad-seconds = 時間は{ $least }～{ $most }秒です。
quiz-bad-area = 「{ $word }」という地域は知りません。知っているのは：{ $areas }
quiz-bad-area-count = 地域は{ $least }～{ $most }つ選んでください。
quiz-nothing-to-stop = 進行中の勝負はありません。
quiz-not-yours = 中止できるのは、始めた人と管理者だけです。

# Scores
score-none = まだ成績がありません。/quiz で始められます。
score-title = { $name }
score-lines =
    { $points }点、{ $answers }問中{ $right }問正解（{ $percent }）
    レート{ $rating }（{ $rounds }勝負）
    連続{ $streak }日、最長{ $best }日
score-rank = 全体{ $rank }位
score-unranked = { $least }問から順位が付きます
score-opted-out = 成績を残さない設定です（/optout off で戻せます）。
board-title = { $scope ->
    [global] 全体の順位表
   *[chat] このチャットの順位表
}
board-period = { $period ->
    [week] 今週
    [month] 今月
   *[all] 通算
}
board-empty = まだ{ $least }問以上答えた人がいません。/quiz で始められます。
board-columns-rank = 順位
board-columns-name = 名前
board-columns-points = 得点
board-columns-accuracy = 正解率
board-row = { $rank }. { $name } — { $points }点、{ $answers }問の{ $percent }、レート{ $rating }
board-model = モデル { $name } — { $answers }問の{ $percent }、レート{ $rating }
board-model-rank = AI
board-previous = ◀ 上位
board-next = 続き ▶
board-bad-word = 「{ $word }」がわかりません。例：/leaderboard global month
versus-title = { $name } 対 モデル
versus-subtitle = 正解率の差と95%信頼区間
versus-left = モデルが上
versus-right = あなたが上
versus-total = 全体
versus-row = { $person }：{ $model }（{ $photos }枚）
versus-beat = { $areas }ではモデルに勝っています。
versus-beaten = { $areas }ではモデルに負けています。
versus-open = まだ写真が少なく、どの地域でも優劣は言えません。
versus-alt = 地域ごとの正解率の差の図

# People
link-code = { $minutes }分以内に、もう一方のサービスで送ってください：/link { $code }
link-private = コードは個別チャットで発行します。使った人と成績がまとまってしまうためです。
link-done = 成績をまとめました。
link-unknown = そのコードは見つからないか、期限切れです。もう一方のサービスで /link を送り直してください。
link-same = これはすでにあなたの成績です。コードはもう一方のサービスで使ってください。
day-now = あなたの一日は{ $zone }の{ $hour }時に始まります。変更の例：/day Asia/Tokyo 4
day-set = あなたの一日の始まりを{ $zone }の{ $hour }時にしました。
day-bad = そのタイムゾーンまたは時刻はわかりません。例：/day Asia/Tokyo 4
optout-on = 今後あなたの成績は残さず、表示もしません。クイズには参加できます。/optout off で戻せます。
optout-off = あなたの成績をまた残します。
forget-done = あなたについて保存されたものをすべて消しました。
forget-nothing = あなたについて保存されたものはありませんでした。
quiz-failed = こちらで問題が起きました。もう一度お試しください。

# The terminal
quiz-terminal-photos = 写真は { $folder } にあります（photo-1.jpg から。round.jpg は全部）。もう時間を計っています。
quiz-terminal-key = 1から{ $areas }までの数字を入れてください。
quiz-terminal-later = 終了の合図はまだです。続けるには、もう一度 `kokodoko quiz` を実行してください。
