# 管理者への文章すべて。`admin.en.ftl` と同じメッセージ、同じ変数を持つ。

admin-only = このコマンドは、わたしの管理者だけが使えます。
owner-only = これは、わたしの持ち主だけができます。
admin-failed = こちらで問題が起きました。くわしくはログをご覧ください。

# /audit
audit-title = 管理者の最近の操作（UTC）：
audit-line = { $at } { $name }（{ $platform } { $person }）：{ $action } → { $outcome }
audit-empty = まだ何の操作もありません。

# /privacy の終わり
kept = 管理者の操作の記録は{ $audit ->
    [0] 期限なしで
   *[other] { $audit }日間
}、作業の結果は{ $jobs ->
    [0] 期限なしで
   *[other] { $jobs }日間
}保存します。
