# Every sentence about a run of collecting in English. `running.ja.ftl` holds the same messages with the same variables.

# The line in the terminal, part by part
run-points = { $asked } of { $points } points
run-photos = { $asked } photos looked at
run-images = { $images } of { $wanted } images
run-images-failed = { $images } of { $wanted } images ({ $failed } not to be had)
run-rate = { $rate } a second
run-doubt = { $count } images in doubt
run-left = about { $time } left

# The summary
run-area = { $area }: { $asked } asked, { $found } found, { $images } images ({ $new } new, { $failed } not to be had)
run-spent = Run { $run }: { $money } spent
run-unplaced = Photos that lie in no area of the plan or cannot be read: { $count }
run-done = Everything that the plan can give is there.
run-incomplete = A service was in trouble now and then: start again for the rest.
run-stopped = Stopped; the next start goes on here.

# Why a run halted, and what the admin does
halt-streetview-denied = Street View refuses the key ({ $said }): in the Google Cloud console, enable the Street View Static API and billing for its project, let its restrictions include this API and this machine, and give the URL signing secret if the project demands signatures.
halt-streetview-quota = Street View's quota is used up ({ $said }): wait until it is renewed (midnight in California) or raise it in the Google Cloud console, then start the run again; it goes on where it was.
halt-mapillary-denied = Mapillary refuses the access token ({ $said }): make a client token at https://www.mapillary.com/dashboard/developers and set it.
halt-mapillary-quota = Mapillary's rate limit is used up ({ $said }): start the run again in an hour, or with a lower rate; it goes on where it was.
halt-misunderstood = { $service } does not understand the program's request ({ $said }): the program needs a newer version.
halt-cap = { $cap ->
    [run] The cap of the run
    [day] The cap of the day
   *[month] The cap of the month
} is reached: { $spent } of { $limit } spent. Raise it in the configuration{ $cap ->
    [run] {""}
    [day] , or wait for the next day (UTC)
   *[month] , or wait for the next month (UTC)
}, and start the run again; it goes on where it was.
halt-unreachable = { $service } did not answer, { $times } times in a row ({ $why }): look whether the network works, and start the run again later.
halt-disk-full = No space is left on the disk of { $path }: make room, or move the images to another disk.
halt-write = { $path } cannot be written ({ $why }).
halt-repairing = The ledger or the dataset is being set right: try again when that is done.
