# 管理者への文章すべて。`admin.en.ftl` と同じメッセージ、同じ変数を持つ。

admin-only = このコマンドは、わたしの管理者だけが使えます。
admin-failed = こちらで問題が起きました。くわしくはログをご覧ください。

# /audit
audit-title = 管理者の最近の操作（UTC）：
audit-line = { $at } { $name }（{ $platform } { $person }）：{ $action } → { $outcome }
audit-empty = まだ何の操作もありません。
