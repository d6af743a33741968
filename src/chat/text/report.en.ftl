# The report on a model: page, pictures and table
report-title = How good is { $model }?
report-photos = { $photos } photos from { $places } places that the model was not trained on
report-drawn = Test photos: drawings of towns kept out of training.
report-given = On photos given by users
report-given-photos = { $photos } real photos from { $places } places (squares of about a kilometre), which people took and gave by consent. No model is trained on them.
report-folder = Test photos: the test split of { $folder }.
report-left-out = { $count ->
    [one] 1 photo could not be read and is left out.
   *[other] { $count } photos could not be read and are left out.
}
report-better = { $candidate } is better than { $live }: macro recall { $value } points (95% interval { $low } to { $high }).
report-not-better = { $candidate } is not shown to be better than { $live }: macro recall { $value } points (95% interval { $low } to { $high }, which holds 0).
report-worse = { $candidate } is worse than { $live }: macro recall { $value } points (95% interval { $low } to { $high }).
report-only = Right where the other is wrong: { $candidate } { $ours } photos, { $live } { $theirs }.
report-nearer = { $candidate } is better than { $live } by distance (their areas differ): GeoScore { $value } of 5,000 (95% interval { $low } to { $high }).
report-not-nearer = { $candidate } is not shown to be better than { $live } by distance (their areas differ): GeoScore { $value } of 5,000 (95% interval { $low } to { $high }, which holds 0).
report-farther = { $candidate } is worse than { $live } by distance (their areas differ): GeoScore { $value } of 5,000 (95% interval { $low } to { $high }).
report-only-nearer = Nearer to where the photo was taken: { $candidate } for { $ours } photos, { $live } for { $theirs }.
report-by-distance = Compared by distance
report-by-distance-note = The models divide the map differently, so that names of areas do not compare them. What does is how far each guess, the middle of the model's best area, is from where the photo was taken: { $photos } photos with a known position that both answered, from { $places } places. The mean GeoScore decides. It falls with every kilometre, and one guess on the wrong side of the globe does not outweigh the others. Intervals resample places.
report-figure = Figure
report-interval = 95% interval
report-interval-of = { $low } to { $high }
report-top1 = Top-1: the best guess is right
report-top3 = Top-3: among the best three
report-macro = Macro recall: mean of the areas
report-majority = Always the most frequent area
report-ece-before = Calibration error before temperature
report-ece = Calibration error with temperature
report-temperature = Temperature
report-coverage = Gets an answer (the rest: "I don't know")
report-selective = Right among those
report-aurc = Area under the risk-coverage curve
report-within = Guesses within { $km } km
report-median = Median error of the guesses
report-geoscore = GeoScore, 0 to 5,000
report-distances-note = A guess is the middle of the best area; its error is the distance to where the photo was taken ({ $photos } photos{ $outside ->
    [0] {""}
    [one] , 1 of them outside all cells of the model
   *[other] , { $outside } of them outside all cells of the model
}). Intervals resample places.
report-intervals-note = Intervals are by drawing places anew 4,000 times: photos of one town look alike and do not count as independent. Recall of one area: Wilson's interval.
plot-reliability = Does it know how sure it is?
plot-reliability-note = On the diagonal the model is right as often as it says. The larger the dot, the more photos.
plot-confidence = confidence
plot-accuracy = share of right answers
plot-before = before temperature
plot-after = with temperature
plot-curve = What saying "I don't know" buys
plot-curve-note = Answering only the surest photos: how many get an answer, and how often it is right. The ring is the model's threshold.
plot-coverage = share of photos answered
plot-confusion = What it takes for what
plot-confusion-note = Rows: the truth. Columns: the answer. Photos.
plot-recall = Which areas it finds
plot-recall-note = Share of each area's photos that are named rightly, with 95% intervals.
plot-difference = The difference, photo by photo
plot-difference-note = { $candidate } less { $live } on the same photos, in points, with 95% intervals.
plot-difference-distance-note = { $candidate } less { $live } on the same photos, in points, with 95% intervals; the GeoScore in per cent of its 5,000.
plot-geoscore = GeoScore, % of 5,000
gallery-title = The seven photos most like each area
gallery-note = To the model, wherever they were taken. Below each photo, bright colours mark what speaks for the area. A cross: it was taken elsewhere.
gallery-like = { $area }
gallery-mistakes = What it mistakes
gallery-mistakes-note = The most frequent mistakes, the most decided first; bright colours mark what speaks for the wrong answer.
gallery-mistake = { $truth } most mistaken for { $answer }
gallery-count = { $count ->
    [one] 1 photo
   *[other] { $count } photos
}
gallery-none = None in these photos.
gallery-photo-alt = Photo of { $truth }
gallery-heatmap-alt = The same photo; bright colours mark what speaks for { $area }
report-credits = Credits
report-model = Model { $sha256 }, { $backend }
report-theme = Light or dark
report-lang = 日本語
