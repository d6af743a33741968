# Every sentence about the models to choose from, in English. `models.ja.ftl` holds the same messages.

# /models
models-title = My models. The live one answers:
models-line = { $dot } { $name } — { $model } { $version }, macro recall { $recall } on { $photos } photos of unseen places{ $note }
models-broken = { $dot } { $name } — cannot be used: { $problem }{ $note }
models-live = { " (live)" }
models-before = { " (/rollback leads here)" }
models-configured = the configured model
models-hint = /promote NAME makes one live if a comparison says that it is better.

# /promote, /rollback
promote-how = Which one? /promote NAME, with a name of /models. To make it live whatever a comparison says: /promote NAME force REASON
promoted = { $model } { $version } is live now. /rollback goes back.
rolled-back = Back at { $model } { $version }.
promote-unknown = There is no model "{ $name }". /models shows the names.
promote-live = { $model } is live already.
promote-no-verdict = "{ $name }" was never compared with the live model. Compare them on the machine: kokodoko models compare { $name }
promote-stale = The comparison of "{ $name }" was made with another live model than this one. Make it again: kokodoko models compare { $name }
promote-not-better = Not made live: on { $photos } photos of unseen places the macro recall changes by { $low } to { $high } points (95 %), so it is not shown to be better. If you want it all the same: /promote { $name } force REASON
promote-not-nearer = Not made live: on { $photos } photos of unseen places the GeoScore (by distance, since the areas of both models differ) changes by { $low } to { $high } of 5,000 (95 %), so it is not shown to be better. If you want it all the same: /promote { $name } force REASON
promote-no-reason = Say why you force it; the reason is kept: /promote { $name } force REASON
promote-broken = "{ $name }" cannot be used: { $problem }
rollback-nothing = No other model was live before this one.
models-off = Models cannot be exchanged here: the program was started without a folder of models.
