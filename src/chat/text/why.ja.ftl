# 手がかりの地図（ヒートマップ）：ボタン、凡例、説明。

why-button = なぜ{ $area }？
why-not-button = { $area }ではない理由は？
why-more = ほかの地域…
why-note = 明るく色づいたところほど、{ $area }だと判断した手がかりです。暗くした端は見ていません。
why-not-note = 明るく色づいたところほど、{ $other }ではなく{ $area }だと判断した手がかりです。暗くした端は見ていません。
why-not-alt = { $other }ではなく{ $area }だと判断した手がかりを明るい色で示した写真
why-legend-weak = 弱い手がかり
why-legend-strong = 強い手がかり
why-gone = その写真はもう手元にありません（写真は{ $minutes }分で忘れます）。もう一度送ってください。
