# Every sentence of the bot in English. `ja.ftl` holds the same messages with the same variables.

# The answer
answer-known = I think this is { $area } ({ $percent }).
answer-unknown = I don't know where this is. My weak best guess is { $area } ({ $percent }).
answer-no-street = This does not look like a street photo to me, so I name no area.
answer-place = Photo { $number } of { $count }
answer-heatmap-alt = The photo with bright colours where the evidence for { $area } lies
drawn-world = Drawn-world demo model: it has never seen a real street.

# Asking for photos
photo-wanted = Send me a photo of a street and I'll tell you which municipality it shows. /help shows what else I can do.
photo-missing = { $platform ->
    [discord] Which photo? Attach one to /where, or use "Where is this?" from the menu of a message with a photo.
   *[telegram] Which photo? Reply to a photo with /where, or send a photo with /where as its caption.
}
photos-too-many = I look at { $limit } photos at a time. Please send the other { $rest } again.

# Commands
command-help = What I can do
command-start = What I can do
command-where = Where was this photo taken?
command-similar = Which photos of other places look like this one?
command-quiz = Beat the model: nine photos, everyone guesses
command-daily = Today's nine photos, the same for everyone
command-rematch = Play the photos of another group's round
command-stop = End the running round without points
command-score = Your points, rating and streak
command-leaderboard = The best of this chat, or of all
command-versus = You against the model, area by area
command-link = Join your Telegram and Discord scores
command-day = When your days begin, for streaks
command-optout = Keep no scores of you
command-forget = Remove everything stored about you
option-photos = How many photos
option-seconds = How long you can answer, in seconds
option-difficulty = How alike the areas are
option-areas = Areas to choose from, separated by commas
option-scope = This chat, or all
option-period = This week, this month, or ever
option-rematch-code = The code from the other group's reveal
option-link-code = The code from the other service; leave it out to get one
option-zone = Your time zone, such as Asia/Tokyo
option-hour = The hour at which your day begins, 0 to 23
option-area = One area: 港区 or Minato
option-model = Its name, as /models shows it
option-force = Whatever a comparison says, for this reason; it is kept
option-switch = on: keep no scores of me; off: keep them again
stale-button = This button is too old. Please use the command again.
command-model = Which model answers, and how good it is
command-privacy = What happens to your photos
command-gallery = The seven photos most like an area, with heatmaps
command-confusions = What I mistake for what, with photos
command-atlas = A map of the towns that I find, and those that I miss
command-models = My models, and which one is live
command-promote = Make a better model live
command-rollback = Go back to the model before
command-collect = Collect street imagery, see the plan or the progress, or stop
command-train = Train a model and make it live if it is better, see the progress, or cancel
option-train-action = begin (what it does if you say nothing), status or cancel
option-mode = head: the last layer alone, quick; full: the whole network
option-recipe = How a full training is done: reference, drawn-world or the configured one
option-data = Where the photos come from
option-labels = areas: those of the photos; cells: of the globe, made of where the photos were taken
option-most = Cells: one with more photos to train on is divided (300)
option-least = Cells: one with fewer photos to train on is dropped (20)
command-audit = What admins did lately
option-action = begin (what it does if you say nothing), plan, status or stop
option-collect-areas = Some of the configured areas, separated by commas
option-source = Where imagery comes from
option-points = Points in each town
message-menu = Where is this?
photo-option-name = photo
photo-option = A photo of a street
command-unknown = There is no command /{ $name }. /help shows the ones I know.
help-intro =
    ここどこ? — Where is this?

    Send me a photo of a street: I'll name the municipality it most likely shows, and mark in the photo what gave it away.
help-groups = { $platform ->
    [discord] In a server I answer when you use /where, pick "Where is this?" from a message's menu, or mention me with a photo.
   *[telegram] In a group I answer when you reply to a photo with /where, mention me with a photo, or answer me with one.
}

# The model
model-title = Model: { $name } { $version }
model-arch = Architecture: { $arch }, run by { $backend }
model-areas = Areas it can name: { $areas }
model-metrics =
    On { $photos } photos of towns that it was not trained on:
    • first guess right: { $top1 }
    • among the first three: { $top3 }
    • mean over the areas (macro recall): { $recall }
    • calibration error: { $ece }
    • dares to answer: { $coverage }, and is then right: { $selective }
model-data = Training data: { $data }
model-licence = Licence: { $licence }
model-attribution = Credits: { $credit }

# Privacy
privacy =
    Your photos are looked at in memory to answer you. A small copy stays in memory for up to 15 minutes, for the buttons under my answer, and is then gone: I write down no messages, and no photos but those that you give me; only the numbers of the chat and the message for two days, so that I answer each once.
    If your photo's file says where it was taken, I may ask whether to keep it as a test photo. Only if you say yes, I store the picture without anything else that its file says, its area, its position to about 100 m, the time, and your number on this service. The button under my thanks deletes it, and so does /forget.
    If you play the quiz, I store your number and name on this service, your answers with their times, your points, rating and streak, and your time zone. /optout stops that, /forget removes all of it at once.
    What the people who run me have me do is kept in a log, with who asked and when.
    The number of your recent requests stays in memory for a short while, so that one person cannot keep me busy for everyone.
    { $platform ->
        [discord] What you send also stays with Discord, under Discord's own rules.
       *[telegram] What you send also stays with Telegram, under Telegram's own rules.
    }

# When it cannot be done
error-empty = This file is empty. Please send the photo again.
error-too-many-bytes = This file is too large: { $size } MB, and I can take { $limit } MB. Please send a smaller copy.
error-too-many-pixels = This picture is too large: { $width }×{ $height }, and I can take { $limit } megapixels. Please send a smaller copy.
error-no-pixels = This picture has no pixels (a side of length 0). Please send another one.
error-not-a-picture = This file is not a picture. Please send a photo as JPEG, PNG or WebP.
error-unsupported-format = { $format ->
    [video] I can't read videos. Please send a still photo as JPEG, PNG or WebP.
    [such] I can't read pictures of this format. Please send the photo as JPEG, PNG or WebP.
   *[other] I can't read { $format } files. Please send the photo as JPEG, PNG or WebP.
}
error-truncated = The end of this picture is missing; it was probably cut off on its way. Please send it again.
error-damaged = This picture is damaged, so I can't read it. Please send it again, or another one.
error-download = I couldn't fetch the photo. Please send it again in a moment.
error-file-unreadable = { $path } cannot be read: { $reason }. Check the name and the permissions.
error-busy = I'm looking at many photos right now. Please try again in { $seconds } s.
error-internal = Something went wrong on my side. Please try again; if it keeps happening, tell the people who run me.
error-stopping = I'm being restarted. Please send the photo again in a minute.
slow-down = That was a lot at once. Please try again in { $seconds } s; until then I stay silent.
interrupted = Sorry: I was interrupted, and { $photos ->
        [one] a photo that you sent here
       *[other] { $photos } photos that you sent here
    } may have no answer. I keep no photos; please send what is missing again.
