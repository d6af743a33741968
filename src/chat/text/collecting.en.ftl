# Every sentence about collecting in English. `collecting.ja.ftl` holds the same messages with the same variables.

# Why it is not begun
collect-off = Collecting is not set up here.
collect-bad-area = No area { $word } is configured, and it is no full name such as 東京都港区. Configured are: { $areas }
collect-bad-source = There is no source { $word }: choose mapillary, streetview or folder.
collect-bad-points = Points in each town: a whole number from 1 to { $most }, as in points=8.
collect-bad-option = I don't understand { $word }. For example: /collect plan 港区 source=mapillary points=8
collect-terms = Street View is not used: Google's terms forbid bulk download of its images and storing them. If your agreement with Google allows what you plan, set streetview.accept_google_terms = true; otherwise use source=mapillary (free, CC BY-SA 4.0).
collect-secret-missing = { $key } is missing: set the environment variable { $variable }, or name a file that holds it in { $key }_file.
collect-too-large = collect.width and collect.height are { $width } and { $height }; Street View gives at most 640 pixels a side.
collect-folder-missing = folder.path is empty: name the folder that your photos lie in.
collect-no-plan = The plan could not be made: { $reason }

# The offer
collect-caps = No more is spent than { $run } in a run, { $day } a day and { $month } a month.
collect-confirm = Nothing is fetched or bought before you confirm.
collect-begin-button = Begin
collect-begun = Collecting is begun; its progress is shown in a message of its own.
collect-begun-place = Collecting is queued; jobs before it: { $place }.
collect-same = The same is being collected already; its progress is shown in a message of its own.

# Progress
collect-state = { $state ->
    [queued] Collecting from { $source } is queued; jobs before it: { $place }.
    [done] Collecting from { $source } has finished.
    [failed] Collecting from { $source } has halted.
    [cancelled] Collecting from { $source } was stopped.
   *[running] Collecting from { $source }: { $percent } of the points asked
}
collect-area = { $area }: { $asked } of { $points } points, { $images } images
collect-area-folder = { $area }: { $images } images
collect-more-areas = and { $count } more areas
collect-images = New images: { $new } ({ $size }). Not to be had: { $failed }.
collect-spent = Spent: { $run } in this run, { $day } today, { $month } this month.
collect-doubt = Perhaps not billed after all: { $count } images.
collect-rate = { $rate } images a second
collect-rate-left = { $rate } images a second, about { $time } left

# News
collect-news-done = Collecting has finished: { $new } new images, { $images } in all of these areas.
collect-news-incomplete = Collecting has come to its end: { $new } new images, { $images } in all of these areas. The service was in trouble now and then: /collect gets the rest.
collect-news-failed = Collecting has halted: { $reason }
collect-news-cancelled = Collecting was stopped. /collect with the same words goes on where it was.

# /collect status and stop
collect-nothing = Nothing was collected yet. /collect plan shows what would be.
collect-stopping = Collecting is being stopped; images on their way are waited for. /collect with the same words goes on where it was.
collect-nothing-to-stop = Nothing is being collected.
