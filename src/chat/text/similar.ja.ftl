# 似ている写真。

similar-title = 似ている写真
similar-button = 似ている写真は？
similar-yours = あなたの写真
similar-answered = 答え：{ $area }（{ $percent }）
similar-intro = 学習に使った写真のうち、この写真にいちばんよく似て見えるもの（それぞれ別の町）です。
similar-distance = { $area }の中心から { $km } km
similar-gone = この写真はもうありません
similar-alt = 聞かれた写真と、それに似た別の場所の写真
similar-doubt = よく似た写真の多くは{ $other }のものです。この答えはあまりあてになりません。
similar-none = 動いているモデルには、似ている写真の索引がありません。
similar-missing = { $platform ->
    [discord] どの写真でしょうか？ /similar に写真を添付してください。
   *[telegram] どの写真でしょうか？ 写真への返信で /similar と送るか、写真のキャプションに /similar と書いてください。
}
