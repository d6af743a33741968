# 学習についての文章すべて。`training.en.ftl` と同じメッセージ、同じ変数を持つ。

# 始められない理由
train-off = ここではモデルを学習できません。モデルのフォルダーなしで起動されています。
train-bad-mode = 「{ $word }」という方法はありません。head か full を選んでください。
train-bad-data = 「{ $word }」という写真はありません。drawn・collected・folder から選んでください。
train-bad-recipe = 「{ $word }」というレシピはありません。reference か drawn-world を選ぶか、省いて設定のものを使ってください。
train-head-recipe = レシピがあるのは full だけです。head を full に変えるか、レシピを省いてください。
train-bad-option = 「{ $word }」がわかりません。例：/train full drawn-world collected
train-bad-labels = 「{ $word }」で答えるモデルはありません。areas か cells を選んでください。
train-bad-number = 「{ $word }」は写真の枚数（1〜100,000）ではありません。例：/train cells most=300 least=20
train-areas-limits = most と least はセルのものです。areas を cells に変えるか、most と least を省いてください。
train-crossed = least（{ $least }）が most（{ $most }）より大きいと、どのセルも残りません。
train-no-cells = 位置のわかる写真が少なく、セルを作れません。1つのセルに学習用の写真が{ $least }枚必要です。/collect で集められます。フォルダーの写真には、file_name・lat・lng の列のある表（metadata.csv）が必要です。least を小さくすることもできます：/train cells least=5
train-one-cell = 写真がすべて1つのセルに入り、見分けるものがありません。いま{ $most }の most を小さくして分割するか（/train cells most=50）、ほかの場所の写真を集めてください。
train-unjudged = セルに入る{ $split ->
    [validation] 検証用
   *[test] テスト用
}の写真がありません。データは場所ごとに分けるので、もっと多くの町で集めるか、least を小さくしてください。
train-places = セルに入るテスト用の写真は{ $places }か所のものです。現在のモデルと距離で比べるには{ $least }か所必要です。データは場所ごとに分けるので、もっと多くの町で集めてください。
train-no-folder = train.data_folder が空です。写真のあるフォルダーを指定してください。
train-no-data = 学習を始められません：{ $reason }
train-areas = { $data ->
    [collected] 写真があるのは{ $count }地域です。見分けることを学ぶには2地域以上が必要です。/collect で集められます。
   *[other] 写真があるのは{ $count }地域です。見分けることを学ぶには2地域以上が必要です。
}
train-lacking = 場所が足りない地域があります。データは場所ごとに分けるので、どの地域もすべての区分に写真が必要です。その地域の場所をもっと集めるか、地域を外してください。足りないもの：{ $missing }
train-missing = { $area }（{ $split ->
    [validation] 検証用
    [test] テスト用
   *[train] 学習用
}）
train-more = ほか{ $count }件
train-few = 学習用の写真は{ $photos }枚で、レシピの1ステップの{ $batch }枚に足りません。もっと集めるか、レシピの batch を小さくしてください。

# 確認
train-offer-head = { $model } に新しい最終層を付けます。ネットワークはそのままで、最終層だけを学習し直します。
train-offer-full = レシピ { $recipe } でネットワーク全体を学習します。{ $device ->
    [cuda] GPU
   *[cpu] プロセッサー
}で{ $epochs }エポックです。
train-from = { $from } から始めます。
train-random = ランダムな重みから始めます。事前学習はありません（train.from）。
train-photos = { $data ->
    [drawn] 描かれた世界の写真
    [collected] 集めた写真
   *[folder] 設定したフォルダーの写真
}、{ $areas }地域：学習用{ $train }枚、検証用{ $validation }枚、テスト用{ $test }枚。
train-photos-cells = { $data ->
    [drawn] 描かれた世界の写真
    [collected] 集めた写真
   *[folder] 設定したフォルダーの写真
}、{ $areas }セル：学習用{ $train }枚、検証用{ $validation }枚、テスト用{ $test }枚。
train-cells = 地域の代わりに、学習用の写真の撮影位置から作る地球上のセルで答えます。{ $most }枚より多ければ分割し、{ $least }枚より少なければ除きます。使わない写真：セルの外の{ $outside }枚、位置のわからない{ $unplaced }枚。現在のモデルとは距離で比べます。
train-forgotten = 現在のモデルは、これらの写真にない地域も知っています。新しいモデルはそれを知らず、比較にも表れません：{ $areas }
train-time = およそ{ $time }かかり、そのあと現在のモデルと比べます。
train-time-unknown = かかる時間は最初のエポックのあとでわかります。
train-confirm = その間も現在のモデルが答えます。どちらも学習していない場所の写真で新しいモデルのほうが良いときだけ、切り替えます。
train-begin-button = 始める
train-begun = 学習を始めました。進み具合は別のメッセージに出ます。
train-begun-place = 学習を予約しました。先に{ $place }件の仕事があります。
train-same = 同じ学習がすでに行われています。進み具合は別のメッセージに出ています。

# 進み具合
train-what = { $mode ->
    [head] 最終層の学習
    [full] ネットワーク全体の学習
   *[unknown] モデルの学習
}{ $labels ->
    [cells] （セル）
   *[areas] {""}
}
train-state = { $state ->
    [queued] { $what }は順番待ちです。先に{ $place }件の仕事があります。
    [done] { $what }が終わりました。
    [failed] { $what }が止まりました。
    [cancelled] { $what }を中止しました。
   *[running] { $what }を進めています
}
train-preparing = 写真を準備しています。
train-features = 見た写真：{ $of }枚中{ $done }
train-epoch = エポック { $epoch }/{ $epochs }、ステップ { $step }/{ $steps }：損失 { $loss }
train-validation = エポック { $epoch } のあと：検証用の写真でマクロ再現率{ $recall }
train-pace = 毎秒{ $rate }枚、残りおよそ{ $time }
train-resumed = 中断しましたが、エポック { $epoch } の続きから再開しました。
train-parts = メモリーが足りなくなったので、各ステップを小さく分けて行っています。
train-judging = 現在のモデルと比較中：{ $of }件中{ $done }件の答え

# お知らせ
train-news-new = 学習が終わりました。これからは { $model } が答えます。/rollback で元に戻せます。
train-news-old = 学習が終わりました。答えるのは元のモデルのままです。それでも新しいモデルに切り替えるには：/promote { $name } force 理由
train-news-refused = 学習が終わりました。新しいモデルのほうが良いのですが、答えるのは元のモデルのままです：{ $reason }。/promote { $name } でもう一度試せます。
train-figure = { $figure }：{ $value }（{ $interval }）
train-figure-both = { $figure }：{ $value }（{ $interval }）、これまでのモデル：{ $other }
train-report = 詳しい報告：{ $path }
train-news-failed = 学習が止まりました。答えるのは元のモデルのままです。{ $reason }
train-news-cancelled = 学習を中止しました。答えるのは元のモデルのままです。{ $mode ->
    [full] 最後のエポックまで学んだことは残っていて、同じ内容の /train で続きから始まります。
   *[head] これまでに見た写真は覚えているので、同じ内容の /train は早く終わります。
}
train-diverged = 損失が数値でなくなりました。レシピの learning_rate を小さくしてください。
train-disk = ファイルを書き込めませんでした。ディスクを空けてください。同じ内容の /train で最後のエポックの続きから始まります。
train-memory = 数枚の写真もメモリーに入りません。レシピの side かネットワークを小さくするか、ほかのプログラムを終了してください。同じ内容の /train で最後のエポックの続きから始まります。
train-data = 写真が学習に使えません。

# /train status と cancel
train-nothing = まだ何も学習していません。/train で何をするか見られます。
train-stopping = 学習を中止します。
train-nothing-to-stop = 学習は行われていません。

# 曲線
train-recall-axis = 検証用の写真でのマクロ再現率
train-loss-axis = 学習の損失
train-epoch-axis = 終わったエポック
train-learning-alt = エポックごとのマクロ再現率と損失
