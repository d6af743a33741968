# Every sentence about trainings in English. `training.ja.ftl` holds the same messages with the same variables.

# Why it is not begun
train-off = Models cannot be trained here: the program was started without a folder of models.
train-bad-mode = There is no mode { $word }: choose head or full.
train-bad-data = There are no photos from { $word }: choose drawn, collected or folder.
train-bad-recipe = There is no recipe { $word }: choose reference, drawn-world or leave it out for the configured one.
train-head-recipe = Only full trainings have a recipe: write full instead of head, or leave the recipe out.
train-bad-option = I don't understand { $word }. For example: /train full drawn-world collected
train-bad-labels = There are no labels { $word }: choose areas or cells.
train-bad-number = { $word } is no number of photos (1 to 100,000). For example: /train cells most=300 least=20
train-areas-limits = Only cells have most and least: write cells instead of areas, or leave most and least out.
train-crossed = least ({ $least }) may not be larger than most ({ $most }), or every cell would be dropped.
train-no-cells = There are too few photos with a known position for any cell, which needs { $least } to train on. /collect gets more, a folder needs a table (metadata.csv) with columns file_name, lat and lng; or lower least: /train cells least=5
train-one-cell = All photos lie in one cell, so that there is nothing to tell apart. Lower most, now { $most }, so that it is divided (/train cells most=50), or get photos of other places.
train-unjudged = No photo { $split ->
    [validation] to validate with
   *[test] to test with
} lies in a cell. Splits are by place: collect in more towns, or lower least.
train-places = The photos to test with that lie in cells come from { $places } places, and { $least } are needed to compare the model by distance with the live one. Splits are by place: collect in more towns.
train-no-folder = train.data_folder is empty: name the folder that your photos lie in.
train-no-data = The training cannot be begun: { $reason }
train-areas = { $data ->
    [collected] Areas with photos: { $count }. Two at least are needed, or there is nothing to tell apart. /collect gets more.
   *[other] Areas with photos: { $count }. Two at least are needed, or there is nothing to tell apart.
}
train-lacking = Some areas have too few places. Splits are by place, and each area needs photos in all of them: collect more places there, or leave the area out. Missing: { $missing }
train-missing = { $area } ({ $split ->
    [validation] validation
    [test] test
   *[train] training
})
train-more = and { $count } more
train-few = { $photos } photos to train on are fewer than one step of the recipe takes ({ $batch }): collect more, or lower batch in the recipe.

# The offer
train-offer-head = A new last layer for { $model }: its network stays, and its last layer is fitted anew.
train-offer-full = A whole network by the recipe { $recipe }: { $epochs } epochs on { $device ->
    [cuda] the GPU
   *[cpu] the processor
}.
train-from = It starts from { $from }.
train-random = It starts from RANDOM weights: nothing is pretrained (train.from).
train-photos = { $data ->
    [drawn] Photos of the drawn world
    [collected] Collected photos
   *[folder] Photos of the configured folder
} from { $areas } areas: { $train } to train on, { $validation } to validate with, { $test } to test with.
train-photos-cells = { $data ->
    [drawn] Photos of the drawn world
    [collected] Collected photos
   *[folder] Photos of the configured folder
} in { $areas } cells: { $train } to train on, { $validation } to validate with, { $test } to test with.
train-cells = It answers with cells of the globe instead of areas, made of where the photos to train on were taken: divided above { $most } photos, dropped below { $least }. Left out: { $outside } photos outside of them and { $unplaced } without a position. It is compared with the live model by distance.
train-forgotten = The live model also knows areas that these photos do not show. The new one would NOT know them, and the comparison does not see that: { $areas }
train-time = It takes about { $time }, and then the comparison with the live model.
train-time-unknown = How long it takes will be known after the first epoch.
train-confirm = The live model goes on answering. The new one takes its place only if it is better on places that neither was trained on.
train-begin-button = Begin
train-begun = The training is begun; its progress is shown in a message of its own.
train-begun-place = The training is queued; jobs before it: { $place }.
train-same = The same is being trained already; its progress is shown in a message of its own.

# Progress
train-what = { $mode ->
    [head] a new last layer
    [full] a whole network
   *[unknown] a model
}{ $labels ->
    [cells] {" (cells)"}
   *[areas] {""}
}
train-state = { $state ->
    [queued] Training { $what } is queued; jobs before it: { $place }.
    [done] Training { $what } has finished.
    [failed] Training { $what } has halted.
    [cancelled] Training { $what } was stopped.
   *[running] Training { $what }
}
train-preparing = The photos are being made ready.
train-features = Photos looked at: { $done } of { $of }
train-epoch = Epoch { $epoch } of { $epochs }, step { $step } of { $steps }: loss { $loss }
train-validation = After epoch { $epoch }: macro recall { $recall } on the validation split
train-pace = { $rate } photos a second, about { $time } left
train-resumed = It was interrupted and went on after epoch { $epoch }.
train-parts = Memory ran out: each step is done in smaller parts now.
train-judging = Comparing with the live model: { $done } of { $of } answers

# News
train-news-new = Training has finished. { $model } answers from now on; /rollback goes back.
train-news-old = Training has finished. The old model goes on answering. To make the new one live all the same: /promote { $name } force REASON
train-news-refused = Training has finished. The new model is better, but the old one goes on answering: { $reason }. /promote { $name } tries again.
train-figure = { $figure }: { $value } ({ $interval })
train-figure-both = { $figure }: { $value } ({ $interval }); the model before: { $other }
train-report = The whole report: { $path }
train-news-failed = Training has halted; the old model goes on answering. { $reason }
train-news-cancelled = Training was stopped; the old model goes on answering. { $mode ->
    [full] What was learnt up to the last epoch is kept: the same /train goes on from there.
   *[head] The photos that were looked at are remembered: the same /train is quicker.
}
train-diverged = The loss is no number any more: lower learning_rate in the recipe.
train-disk = A file could not be written: make room on the disk. The same /train goes on from the last epoch.
train-memory = Not even a few photos fit into memory: choose a smaller side or network in the recipe, or end other programs. The same /train goes on from the last epoch.
train-data = The photos are not fit to train on.

# /train status and cancel
train-nothing = Nothing was trained yet. /train says what it would do.
train-stopping = The training is being stopped.
train-nothing-to-stop = Nothing is being trained.

# The curve
train-recall-axis = macro recall on the validation split
train-loss-axis = training loss
train-epoch-axis = epochs done
train-learning-alt = Macro recall and loss, epoch by epoch
