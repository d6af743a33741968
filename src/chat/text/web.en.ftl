# Every sentence of the page and the API in English. `web.ja.ftl` holds the same messages and variables.

# The entrance
page-title = ここどこ? — which municipality does a street photo show?
page-reading = Where is this? The municipality of a street photo
page-lead = Show me a street.
page-promise = I'll name the municipality your photo most likely shows, and mark what gave it away.
page-choose = Choose a photo
page-camera = Take a photo
page-drop = You can also drop one here, or paste it.
page-drop-now = Let go here
page-drop-area = Place for a photo
page-formats = JPEG, PNG, WebP or GIF, up to { $limit } MB. Photos are looked at in memory to answer you, and never stored unless you give one as a test photo.
page-samples = No photo at hand? Try a sample
page-sample = Sample { $number }
page-mine = Your photos
page-mine-photo = Your photo { $number }
page-too-many = I take { $limit } photos at a time, so I'll look at the first { $limit }.
page-language = Language
page-script-needed = This page needs JavaScript.
page-skip = Skip to choosing a photo
page-to-model = Inside the model
page-to-quiz = Beat the model

# The answer
page-answer = Answer
page-thinking = Looking at the photo…
page-unknown-why = Even the closest match wasn't close enough for me to stand by it.
page-gift = Your photo's file says that it was taken in { $area }. I did not use that for my guess. Shall I keep it as a test photo, to measure how well I do on real streets? I would store the picture without anything else that its file says, the area, the position to about 100 m, and the time. A number in a cookie lets you take it back.
page-candidates = How likely
page-candidates-hint = Pick an area to see its evidence in the photo.
page-row = { $area }, { $percent }. Show its evidence in the photo
answer-heatmap = The brighter the colours, the more that spot counted. I did not look at the dimmed edges.
page-evidence-of = Evidence for { $area }
page-evidence-against = Evidence for { $area } rather than { $other }
page-question = Which evidence
page-ask-why = What speaks for { $area }
page-ask-why-not = Why not { $area }?
page-strength = Strength of the overlay
page-photo-alt = The photo being looked at
page-truth-right = And it is: the sample shows { $area }.
page-truth = The sample shows { $area }.
page-another = Choose another photo
page-again = Try again
page-timing = decoding { $decode } ms, preparing { $preprocess } ms, waiting { $queue } ms, network { $run } ms
page-failed = No answer
page-offline = The server can't be reached. Please check that it is running, then try again.

# The quiz page
play-title = ここどこ? — beat the model
play-reading = Beat the model: where was each photo taken?
play-to-page = Ask about a photo
play-lead = Can you beat the model?
play-promise = You both see the same photos. Its guesses are sealed before you begin; the bell shows who knew better.
play-photos = Photos
play-difficulty = Difficulty
play-easy = easy
play-normal = normal
play-hard = hard
play-name = Your name on the leaderboard
play-begin = Play
play-daily = Round of the day
play-code = Code of another round
play-rematch = Rematch
play-progress = { $done } of { $all } answered
play-seconds-left = { $seconds } s
play-question = Photo { $number } of { $all }: which area is it?
play-photo-alt = Street photo { $number }
play-number = Go to photo { $number }
play-how = You may change your mind until your last answer, which rings the bell.
play-stop = Stop this round
play-you = You
play-model = The model
play-right = { $right } / { $all }
play-no-answer = You did not answer this time.
play-unscored = Not scored: you knew these photos, or keep no scores.
play-points = { $points } points, rating { $change }
play-your-answer = you: { $area }
play-your-none = you: no answer
play-model-answer = model: { $area } ({ $percent })
play-again = Another round
play-other = Other settings
play-share = Same photos in a chat: /rematch { $code }
play-scores = Scores
play-score = My scores
play-versus = Me against the model
play-week = Best of the week
play-month = Best of the month
play-ever = Best ever
play-link = Join with my chat account
play-forget = Forget me
play-forget-sure = Remove everything about you, scores included? This cannot be undone.
play-privacy = Once you play, a cookie with a random number lets the page know you again. The name, answers and scores stay in this bot's database until you press "Forget me".
play-guest = Guest

# The page about the model
model-page-title = ここどこ? — inside the model
model-page-reading = Inside the model: what it goes by, and where it errs
model-page-gallery = Most like an area
model-page-confusions = Mistakes
model-page-atlas = Map of towns
model-page-all = All areas
model-page-area = Area
model-page-wait = Drawing…

# Problems of the API
problem-missing-photo = There is no photo. Send it as the body itself, or in a field named photo of multipart/form-data.
problem-bad-multipart = The multipart/form-data body is cut off or damaged. Please send it again.
problem-too-many-photos = I take { $limit } photos at a time. Please send them in several requests.
problem-too-many-requests = Too many of your requests are running. Please wait for their answers first.
problem-body-too-large = The body is too large. Please keep the whole of it within { $limit } MB.
problem-upload-broken = The photo stopped arriving half-way. Please send it again.
problem-upload-slow = The photo took too long to arrive. Please send it again.
problem-bad-query = I can't read the part of the address after "?". There are top (a whole number from 1), heatmap (true, false, or an area's number or name), why_not (an area that the heatmap is set against; not with heatmap=false) and lang (ja or en).
problem-unknown-area = This model knows no area { $area }. Please check the area's name or number.
problem-not-found = There is nothing at this address.
problem-method = This address does not take that HTTP method.
problem-host = I don't answer to the name { $host }. Adding it to web.allowed_hosts in the configuration changes that.
problem-origin = Pages of other sites may not use this.
problem-bad-body = I can't read the body. It has to be JSON with the fields of this address, sent as application/json.
