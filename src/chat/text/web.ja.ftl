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
page-formats = JPEG・PNG・WebP・GIF、{ $limit } MB まで。写真はお答えするあいだだけメモリー上で処理し、保存しません。
page-samples = 手元に写真がなければ、見本をどうぞ
page-sample = 見本 { $number }
page-mine = 選んだ写真
page-mine-photo = 選んだ写真 { $number }
page-too-many = 一度に選べるのは{ $limit }枚までです。最初の{ $limit }枚だけを見ます。
page-language = ことば
page-script-needed = このページを使うには JavaScript を有効にしてください。
page-skip = 写真を選ぶところへ移動

# 答え
page-answer = 答え
page-thinking = 写真を見ています…
page-unknown-why = いちばん近いと思うところでも、自信を持って言えるほどではありませんでした。
page-candidates = 可能性
page-candidates-hint = 地域を選ぶと、その手がかりを写真に示します。
page-row = { $area }、{ $percent }。手がかりを写真に示す
page-evidence-of = { $area }の手がかり
page-strength = 手がかりの濃さ
page-photo-alt = 見ている写真
page-truth-right = 見本の正解も、{ $area }です。
page-truth = 見本の正解は、{ $area }です。
page-another = 別の写真を選ぶ
page-again = もう一度試す
page-timing = 解読 { $decode } ms、下ごしらえ { $preprocess } ms、順番待ち { $queue } ms、推論 { $run } ms
page-failed = お答えできませんでした
page-offline = サーバーにつながりません。動いているかを確かめてから、もう一度お試しください。

# API の問題
problem-missing-photo = 写真がありません。写真そのものを本文として送るか、multipart/form-data の photo という項目に入れて送ってください。
problem-bad-multipart = multipart/form-data の本文が途中で切れているか、壊れています。もう一度送ってください。
problem-too-many-photos = 一度に送れる写真は{ $limit }枚までです。分けて送ってください。
problem-too-many-requests = 同時に送られた写真が多すぎます。前の答えが返ってから送ってください。
problem-body-too-large = 送られた本文が大きすぎます。全体で { $limit } MB までにしてください。
problem-upload-broken = 写真の受信が途中で切れました。もう一度送ってください。
problem-upload-slow = 写真の受信に時間がかかりすぎました。もう一度送ってください。
problem-bad-query = URL の「?」から後ろが読めません。使えるのは top（1以上の整数）、heatmap（true、false、地域の番号か名前）、lang（ja か en）です。
problem-unknown-area = このモデルに { $area } という地域はありません。地域の名前か番号を確かめてください。
problem-not-found = このアドレスには何もありません。
problem-method = このアドレスでは、その HTTP メソッドは使えません。
problem-host = { $host } という名前では応答しません。設定の web.allowed_hosts に加えると使えるようになります。
problem-origin = ほかのサイトのページからは使えません。
