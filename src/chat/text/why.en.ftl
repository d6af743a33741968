# Maps of the evidence (heatmaps): buttons, legend, how to read them.

why-button = Why { $area }?
why-not-button = Why not { $area }?
why-more = Other areas…
why-note = The brighter the colours, the more that spot spoke for { $area }. I did not look at the dimmed edges.
why-not-note = The brighter the colours, the more that spot spoke for { $area } rather than { $other }. I did not look at the dimmed edges.
why-not-alt = The photo with bright colours where the evidence for { $area } rather than { $other } lies
why-legend-weak = weak evidence
why-legend-strong = strong evidence
why-gone = I no longer have that photo: I forget photos after { $minutes } minutes. Please send it again.
