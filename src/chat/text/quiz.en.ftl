# The round
quiz-title-quiz = Beat the model! { $photos } photos, { $seconds } seconds. Where was each taken?
quiz-title-daily = The round of the day: { $photos } photos, the same for everyone, { $seconds } seconds.
quiz-title-rematch = Rematch! { $photos } photos of another round, { $seconds } seconds.
quiz-how = { $platform ->
    [discord] Press a photo's number to see it large and choose its area. You may change your mind until the bell.
   *[telegram] Each row below is one photo: tap its area. You may change your mind until the bell.
}
quiz-key = { $short } = { $area }
quiz-sealed = The model's guesses are sealed.
quiz-closed = The bell has rung. The results are below.
quiz-stopped = The round was stopped. No points.
quiz-grid-alt = { $photos } numbered street photos
quiz-album-button = Large photos
quiz-again-button = Another round
quiz-photo = Photo { $number }

# Answers
quiz-answered = Photo { $number }: { $area }. { $done } of { $all } answered.
quiz-complete = Photo { $number }: { $area }. All { $all } answered! You may change your mind until the bell.
quiz-sheet = Photo { $number } of { $all }: which area is it?
quiz-too-late = The bell has rung: this answer comes too late.
quiz-not-open = The round has not begun yet. Try again in a moment.
quiz-left = You have left this chat; your answers until then count.
quiz-unknown = There is no such round or photo any more.
quiz-called-off = This round was called off. /quiz begins another one.

# The reveal
quiz-reveal-title = And the truth is…
quiz-reveal-line = { $number }. { $truth } — model: { $guess } ({ $percent }) { $mark } — right: { $people }
quiz-nobody = nobody
quiz-others = { $names } and { $more } more
quiz-model-line = Model { $name }: { $right } of { $all }
quiz-entry-line = { $rank }. { $name }: { $right } of { $all }, { $points } points{ $rating }
quiz-rating = , rating { $change }
quiz-unscored = { $name }: { $right } of { $all }, not scored
quiz-won = { $name } beat the model!
quiz-lost = The model wins this one.
quiz-drawn = A draw with the model.
quiz-no-players = Nobody answered this time.
quiz-credit = Photos: { $source } ({ $licence })
quiz-code = Same photos elsewhere: /rematch { $code }
quiz-people = people
quiz-guess = { $area } { $percent } model
quiz-reveal-alt = The photos with their areas, the model's guesses and who was right

# Why there is no round
quiz-off = The quiz is not switched on here.
quiz-running = A round is running in this chat. It ends at the bell, or with /stop.
quiz-daily-played = Today's round was played here. The next one comes tomorrow.
quiz-unknown-code = I know no round with this code. It stands under the results of every round.
quiz-other-areas = The model that plays now knows other areas than this round.
quiz-few-photos = There are too few photos for this round. Try fewer photos or other areas.
quiz-undelivered = I could not send the picture here, so the round was called off. Am I allowed to send pictures?
quiz-interrupted = I was restarted while a round was about to begin here, so it was called off; if its picture is there, its buttons do nothing. /quiz begins another one.
quiz-rematch-how = /rematch CODE plays the photos of another group's round; the code stands under its results. The code of this chat's last round: { $code }
quiz-rematch-none = /rematch CODE plays the photos of another group's round; the code stands under its results. No round was played here yet.
quiz-bad-word = I don't understand "{ $word }". For example: /quiz 5 60s hard, or /quiz areas={ $area }
quiz-bad-photos = A round has 1, 3, 5 or 9 photos.
quiz-bad-seconds = A round lasts { $least } to { $most } seconds.
quiz-bad-area = I don't know the area "{ $word }". I know: { $areas }
quiz-bad-area-count = Choose { $least } to { $most } areas.
quiz-nothing-to-stop = No round is running here.
quiz-not-yours = Only who began the round, or an administrator, can stop it.

# Scores
score-none = You have no scores yet. /quiz begins a round.
score-title = { $name }
score-lines =
    { $points } points, { $right } of { $answers } right ({ $percent })
    Rating { $rating } after { $rounds } rounds
    Streak: { $streak } days, best { $best }
score-rank = Rank { $rank } of all
score-unranked = Ranked from { $least } answers on
score-opted-out = You keep no scores (/optout off changes that).
board-title = { $scope ->
    [global] The best of all
   *[chat] The best of this chat
}
board-period = { $period ->
    [week] this week
    [month] this month
   *[all] ever
}
board-empty = Nobody has { $least } answers yet. /quiz begins a round.
board-columns-rank = #
board-columns-name = Player
board-columns-points = Points
board-columns-accuracy = Right
board-row = { $rank }. { $name } — { $points } points, { $percent } of { $answers }, rating { $rating }
board-model = Model { $name } — { $percent } of { $answers }, rating { $rating }
board-model-rank = AI
board-previous = ◀ Better
board-next = More ▶
board-bad-word = I don't understand "{ $word }". For example: /leaderboard global month
versus-title = { $name } against the model
versus-subtitle = Difference of right answers, 95 % interval
versus-left = model better
versus-right = you better
versus-total = All
versus-row = { $person } : { $model } of { $photos }
versus-beat = You beat it on { $areas }.
versus-beaten = It beats you on { $areas }.
versus-open = Too few photos yet to say who is better anywhere.
versus-alt = A chart of differences by area

# People
link-code = Send this to me on the other service within { $minutes } minutes: /link { $code }
link-private = Please ask for a code in a private chat with me: whoever uses it joins your scores.
link-done = Your scores are joined.
link-unknown = I know no such code, or it is too old. Send /link on the other service to get a new one.
link-same = These are your own scores already. Use the code on the other service.
day-now = Your days begin at { $hour }:00 in { $zone }. Change it like this: /day Asia/Tokyo 4
day-set = Your days now begin at { $hour }:00 in { $zone }.
day-bad = I don't know this time zone or hour. For example: /day Europe/Paris 4
optout-on = I keep no scores of you from now on and show none. You can still play. /optout off changes that.
optout-off = I keep your scores again.
forget-done = Everything stored about you is gone.
forget-nothing = Nothing was stored about you.
quiz-failed = Something went wrong on my side. Please try again.

# The terminal
quiz-terminal-photos = The photos are in { $folder }: photo-1.jpg and so on, round.jpg shows them all. The clock is running.
quiz-terminal-key = Please write a number from 1 to { $areas }.
quiz-terminal-later = The bell has not rung yet: run `kokodoko quiz` again to go on.
