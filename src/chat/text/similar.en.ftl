# Photos that look alike.

similar-title = What looks like it
similar-button = What looks like it?
similar-yours = Your photo
similar-answered = Answer: { $area } ({ $percent })
similar-intro = Of the photos I learnt from, these look most like yours to me, each from another town.
similar-distance = { $km } km from the middle of { $area }
similar-gone = This photo is gone
similar-alt = The photo that was asked about, beside photos of other places that look like it
similar-doubt = Most photos that look like it show { $other }: do not rely on this answer.
similar-none = The live model has no index of photos that look alike.
similar-missing = { $platform ->
    [discord] Which photo? Attach one to /similar.
   *[telegram] Which photo? Reply to a photo with /similar, or send a photo with /similar as its caption.
}
