# Photos whose file says where they were taken, kept as test photos by consent.

gift-ask = { $count ->
    [1] Your photo's file says that it was taken in { $areas }.
   *[other] { $count } of your photos have files that say where they were taken: { $areas }.
} I did not use that for my guess.

    Shall I keep { $count ->
    [1] it as a test photo
   *[other] them as test photos
}, to measure how well I do on real streets? I would store the { $count ->
    [1] picture without anything else that its file says
   *[other] pictures without anything else that their files say
}, the area, the position to about 100 m, the time, and your number here, so that you can take it back.
gift-area = { $area } ({ $count })
gift-separator = {", "}
gift-yes = Yes, keep
gift-no = No
gift-kept = { $count ->
    [1] Thank you! I keep it as a test photo: { $areas }.
   *[other] Thank you! I keep { $count } test photos: { $areas }.
} I shall never be trained on { $count ->
    [1] it. You can take it back
   *[other] them. You can take them back
} with the button, or with everything else by /forget.
gift-where = { $area }, near { $lat }, { $lng }
gift-known = { $count ->
    [1] Thank you! I have this photo already, and one copy is enough.
   *[other] Thank you! { $count } of them I have already, and one copy is enough.
}
gift-enough = Thank you! You have given { $most } photos, which is as many as I keep of one person.
gift-refused = All right, I keep nothing.
gift-take-back = Take it back
gift-withdrawn = { $count ->
    [1] Done: the photo is deleted.
   *[other] Done: { $count } photos are deleted.
}
gift-nothing-back = There is nothing of yours to take back here.
gift-not-theirs = Only whoever sent the photo can decide that.
gift-gone = I no longer have that photo: I forget photos after { $minutes } minutes. Please send it again.
gift-failed = That did not work; it is my fault. Please try again later.
gift-off = I don't collect test photos here.
gift-no-position = The file of this photo does not say that it was taken in an area that I know.
