# The plan
plan-title = Plan: { $points } points in { $towns } towns, asked of { $source }
plan-line = { $area }: { $points } points; expected: { $hits } hits, { $images } images, { $money }, { $disk }, { $time }
plan-folder-title = Plan: photos of a folder, for { $towns } towns in { $areas } areas
plan-folder-line = { $area }: { $towns } towns
plan-total-line = Together: { $points } points; expected: { $hits } hits, { $images } images, { $money }, { $disk }, { $time }
plan-assumed = Hits: points with imagery, assumed to be { $share } of the points until 50 of an area were asked.
plan-learnt = Hits are points with imagery, by the share that earlier runs found in each area.
plan-folder = Photos of a folder are taken wherever they are: only the areas count, no points are asked.
plan-unplaced = Towns without a position in their list, left out: { $towns }.
plan-cap = More than the cap of a run, { $cap }: it would end before the plan is done.
plan-credit-borders = Borders: made from 国土数値情報（行政区域データ）, 国土交通省. Towns: Geolonia 住所データ.
plan-map-title = Where to look
plan-legend-point = point
plan-legend-town = town
plan-alt = A map of the planned points in { $areas }, and a table of what they come to
plan-column-area = Area
plan-column-towns = Towns
plan-column-points = Points
plan-column-hits = Hits
plan-column-images = Images
plan-column-money = Money
plan-column-disk = Disk
plan-column-time = Time
plan-total = Together
plan-others = { $more } more areas
plan-free = free
plan-minutes = { $minutes } min
plan-hours = { $hours } h { $minutes } min

# Sources
source-mapillary = Mapillary
source-streetview = Google Street View
source-folder = a folder
