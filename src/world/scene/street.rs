//! Furnishes a street from a town's tables.

use super::super::dice::Dice;
use super::super::style::{Bollard, Facade, Fence, Frontage, Lamp, NO_FENCE, Sign, Style, Tree};
use super::{Band, Building, Crossing, Item, Marking, Rgb, Side, Street, Thing, VehicleKind};

/// The street reaches this far both ways, metres.
const REACH: f32 = 112.0;
/// Fences, bollards and the like reach this far.
const DETAIL_REACH: f32 = 64.0;
/// Metres of one stretch of fence: the unit of its ground truth.
const FENCE_STRETCH: f32 = 6.0;

/// Walls, the same in every area.
const WALLS: [Rgb; 16] = [
    [0.88, 0.85, 0.79],
    [0.80, 0.78, 0.74],
    [0.72, 0.71, 0.70],
    [0.62, 0.61, 0.60],
    [0.78, 0.68, 0.56],
    [0.68, 0.54, 0.44],
    [0.66, 0.42, 0.34],
    [0.74, 0.76, 0.74],
    [0.64, 0.70, 0.72],
    [0.84, 0.80, 0.68],
    [0.56, 0.52, 0.48],
    [0.90, 0.89, 0.87],
    [0.60, 0.64, 0.56],
    [0.74, 0.62, 0.58],
    [0.50, 0.54, 0.60],
    [0.86, 0.76, 0.66],
];
/// Awnings, roofs, shop signs.
const ACCENTS: [Rgb; 10] = [
    [0.72, 0.27, 0.22],
    [0.20, 0.36, 0.52],
    [0.22, 0.44, 0.36],
    [0.86, 0.62, 0.22],
    [0.46, 0.30, 0.24],
    [0.30, 0.33, 0.38],
    [0.56, 0.22, 0.30],
    [0.30, 0.52, 0.60],
    [0.84, 0.80, 0.72],
    [0.42, 0.46, 0.30],
];
/// Paint of fences, lamps and bollards: every area uses all of them.
const PAINTS: [(Rgb, f32); 8] = [
    ([0.92, 0.92, 0.90], 26.0),
    ([0.84, 0.80, 0.70], 12.0),
    ([0.45, 0.33, 0.25], 16.0),
    ([0.20, 0.34, 0.28], 12.0),
    ([0.58, 0.60, 0.62], 16.0),
    ([0.18, 0.19, 0.21], 10.0),
    ([0.24, 0.36, 0.52], 8.0),
    ([0.34, 0.48, 0.44], 6.0),
];
const CARS: [(Rgb, f32); 8] = [
    ([0.92, 0.92, 0.91], 30.0),
    ([0.70, 0.72, 0.74], 20.0),
    ([0.16, 0.17, 0.19], 20.0),
    ([0.40, 0.42, 0.45], 10.0),
    ([0.62, 0.16, 0.16], 6.0),
    ([0.20, 0.32, 0.54], 6.0),
    ([0.72, 0.66, 0.52], 4.0),
    ([0.40, 0.56, 0.58], 4.0),
];
const PAVING: [[Rgb; 2]; 7] = [
    [[0.70, 0.68, 0.65], [0.52, 0.50, 0.48]],
    [[0.66, 0.60, 0.54], [0.46, 0.40, 0.35]],
    [[0.68, 0.52, 0.44], [0.48, 0.34, 0.28]],
    [[0.62, 0.63, 0.64], [0.42, 0.43, 0.45]],
    [[0.74, 0.70, 0.60], [0.54, 0.50, 0.41]],
    [[0.58, 0.56, 0.53], [0.80, 0.78, 0.73]],
    [[0.60, 0.62, 0.58], [0.42, 0.45, 0.41]],
];

/// What holds for the whole street.
struct Plan<'a> {
    style: &'a Style,
    snow: bool,
    half_road: f32,
    sides: [Side; 2],
    crossing: Option<Crossing>,
    fence: Option<(Fence, Rgb)>,
    tree: Tree,
    lamp: (Lamp, Rgb),
    bollard: (Bollard, Rgb),
    sign: (Sign, Rgb),
    wires: bool,
    /// Walls of this street: a few, so that its colours belong together.
    walls: [Rgb; 5],
    accents: [Rgb; 4],
}

/// Draws a street.
pub fn draw(style: &Style, snow: bool, dice: &mut Dice) -> Street {
    let half_road = dice.range(style.half_road.0, style.half_road.1);
    let pavement = dice.weighted(&style.pavement);
    let paving = dice.pick(&PAVING);
    let tactile = dice.chance(0.35);
    let sides = [-1.0, 1.0].map(|sign| Side {
        sign,
        front: half_road + dice.range(style.pavement_width.0, style.pavement_width.1),
        pavement,
        paving,
        tactile,
        frontage: dice.weighted(&style.frontage),
    });
    let crossing = dice.chance(0.45).then(|| Crossing {
        y: dice.range(13.0, 40.0) * if dice.chance(0.5) { 1.0 } else { -1.0 },
        half: dice.range(2.6, 4.5),
    });
    let plan = Plan {
        style,
        snow,
        half_road,
        sides,
        crossing,
        fence: (!dice.chance(NO_FENCE)).then(|| (dice.weighted(&style.fence), dice.weighted(&PAINTS))),
        tree: dice.weighted(&style.tree),
        lamp: (dice.weighted(&style.lamp), dice.weighted(&PAINTS)),
        bollard: (dice.weighted(&style.bollard), dice.weighted(&PAINTS)),
        sign: (dice.weighted(&style.sign), dice.pick(&ACCENTS)),
        wires: dice.chance(style.wires),
        walls: std::array::from_fn(|_| dice.pick(&WALLS)),
        accents: std::array::from_fn(|_| dice.pick(&ACCENTS)),
    };
    let mut items = Vec::with_capacity(256);
    for side in &plan.sides {
        frontage(&plan, side, dice, &mut items);
        kerb(&plan, side, dice, &mut items);
        pavement_items(&plan, side, dice, &mut items);
    }
    closing(&plan, dice, &mut items);
    at_crossing(&plan, dice, &mut items);
    traffic(&plan, dice, &mut items);
    let grey = dice.range(0.44, 0.62);
    Street {
        half_road,
        sides: plan.sides,
        asphalt: [grey, grey * 1.005, grey * 1.02],
        marking: dice.weighted(&[(Marking::Dashes, 5.0), (Marking::Orange, 2.5), (Marking::Edges, 2.5)]),
        crossing,
        hills: dice.chance(style.hills).then(|| dice.bits()),
        items,
    }
}

impl Plan<'_> {
    /// Whether a stretch of the kerb lies on the crossing street (with `margin` metres on both sides).
    fn crossed(&self, from: f32, to: f32, margin: f32) -> bool {
        self.crossing.is_some_and(|c| to > c.y - c.half - margin && from < c.y + c.half + margin)
    }
}

fn item(thing: Thing, band: Band, x: f32, y: f32, dice: &mut Dice) -> Item {
    Item { thing, band, x, y, seed: dice.bits() }
}

fn frontage(plan: &Plan, side: &Side, dice: &mut Dice, items: &mut Vec<Item>) {
    let set_back = match side.frontage {
        Frontage::Buildings => 0.0,
        Frontage::Canal => 26.0,
        Frontage::Moat => 24.0,
        Frontage::Park => 30.0,
        Frontage::Fields => 90.0,
    };
    match side.frontage {
        Frontage::Buildings => {}
        Frontage::Canal | Frontage::Moat => parapet(plan, side, dice, items),
        Frontage::Park => park(plan, side, dice, items),
        Frontage::Fields => fields(plan, side, dice, items),
    }
    if side.frontage != Frontage::Fields {
        row_of_buildings(plan, side, set_back, dice, items);
        back_row(plan, side, set_back, dice, items);
    }
}

fn row_of_buildings(plan: &Plan, side: &Side, set_back: f32, dice: &mut Dice, items: &mut Vec<Item>) {
    let band = if set_back > 0.0 { Band::Back } else { Band::Front };
    let mut y = -REACH + dice.range(0.0, 6.0);
    while y < REACH {
        let facade = dice.weighted(&plan.style.facade);
        let building = building(plan, facade, dice);
        let width = building.width;
        if set_back == 0.0 && plan.crossed(y, y + width, side.front - plan.half_road) {
            y += 1.0;
            continue;
        }
        let x = side.sign * (side.front + set_back + if house(facade) { dice.range(0.0, 0.8) } else { 0.0 });
        items.push(item(Thing::Building(building), band, x, y + width / 2.0, dice));
        y += width + if house(facade) { dice.range(0.6, 2.4) } else { dice.range(0.0, 0.6) };
    }
}

fn house(facade: Facade) -> bool {
    matches!(facade, Facade::Wooden | Facade::SnowHouse)
}

fn building(plan: &Plan, facade: Facade, dice: &mut Dice) -> Building {
    let (width, height) = match facade {
        Facade::Curtain => ((13.0, 24.0), (18.0, 52.0)),
        Facade::Ribbon => ((14.0, 24.0), (15.0, 40.0)),
        Facade::Punched => ((9.0, 16.0), (11.0, 26.0)),
        Facade::Balcony => ((11.0, 20.0), (12.0, 36.0)),
        Facade::Fins => ((11.0, 20.0), (16.0, 40.0)),
        Facade::Brick => ((10.0, 17.0), (10.0, 22.0)),
        Facade::Pencil => ((5.0, 9.0), (13.0, 28.0)),
        Facade::Wooden => ((7.0, 10.0), (5.2, 6.2)),
        Facade::Warehouse => ((15.0, 26.0), (7.5, 12.0)),
        Facade::SnowHouse => ((8.0, 12.0), (4.8, 6.0)),
        Facade::ShopHouse => ((6.0, 10.0), (6.0, 10.0)),
        Facade::Stone => ((12.0, 22.0), (13.0, 30.0)),
        Facade::Diagrid => ((10.0, 19.0), (13.0, 36.0)),
    };
    Building {
        facade,
        width: dice.range(width.0, width.1),
        height: dice.range(height.0, height.1),
        depth: dice.range(9.0, 16.0),
        wall: dice.pick(&plan.walls),
        accent: dice.pick(&plan.accents),
    }
}

fn back_row(plan: &Plan, side: &Side, set_back: f32, dice: &mut Dice, items: &mut Vec<Item>) {
    let mut y = -REACH;
    while y < REACH {
        let size = [dice.range(12.0, 26.0), dice.range(8.0, 34.0)];
        let block = Thing::Block { size, colour: dice.pick(&plan.walls) };
        let x = side.sign * (side.front + set_back + dice.range(22.0, 46.0));
        items.push(item(block, Band::Back, x, y, dice));
        y += size[0] + dice.range(0.0, 8.0);
    }
}

fn parapet(plan: &Plan, side: &Side, dice: &mut Dice, items: &mut Vec<Item>) {
    let colour = dice.weighted(&PAINTS);
    let mut y = -DETAIL_REACH;
    while y < DETAIL_REACH {
        if !plan.crossed(y, y + FENCE_STRETCH, 1.0) {
            let parapet = Thing::Parapet { length: FENCE_STRETCH, colour };
            items.push(item(parapet, Band::Front, side.sign * side.front, y + FENCE_STRETCH / 2.0, dice));
        }
        y += FENCE_STRETCH;
    }
}

fn park(plan: &Plan, side: &Side, dice: &mut Dice, items: &mut Vec<Item>) {
    for _ in 0..34 {
        let species = dice.weighted(&plan.style.tree);
        let x = side.sign * (side.front + dice.range(2.5, 24.0));
        let y = dice.range(-80.0, 80.0);
        items.push(item(Thing::Tree { species, height: dice.range(5.0, 11.0) }, Band::Back, x, y, dice));
    }
}

fn fields(plan: &Plan, side: &Side, dice: &mut Dice, items: &mut Vec<Item>) {
    for _ in 0..7 {
        let facade = dice.weighted(&[(Facade::SnowHouse, 3.0), (Facade::Warehouse, 1.0)]);
        let x = side.sign * (side.front + dice.range(14.0, 60.0));
        let thing = Thing::Building(building(plan, facade, dice));
        let y = dice.range(-100.0, 100.0);
        items.push(item(thing, Band::Back, x, y, dice));
    }
    for _ in 0..14 {
        let species = dice.weighted(&[(Tree::Larch, 3.0), (Tree::Birch, 2.0)]);
        let x = side.sign * (side.front + dice.range(8.0, 80.0));
        let y = dice.range(-110.0, 110.0);
        items.push(item(Thing::Tree { species, height: dice.range(7.0, 14.0) }, Band::Back, x, y, dice));
    }
}

fn kerb(plan: &Plan, side: &Side, dice: &mut Dice, items: &mut Vec<Item>) {
    let x = side.sign * (plan.half_road + 0.25);
    let one_sided = dice.chance(0.12);
    let fence = plan.fence.filter(|_| !(one_sided && side.sign > 0.0));
    let mut y = -DETAIL_REACH + dice.range(0.0, FENCE_STRETCH);
    while y < DETAIL_REACH {
        let middle = y + FENCE_STRETCH / 2.0;
        let free = !plan.crossed(y, y + FENCE_STRETCH, 3.0);
        // Driveways interrupt a fence now and then, but not right at the camera.
        let gap = dice.chance(0.08) && middle.abs() > 6.0;
        if let Some((style, colour)) = fence.filter(|_| free && !gap) {
            items.push(item(Thing::Fence { style, length: FENCE_STRETCH, colour }, Band::Kerb, x, middle, dice));
        } else if free && dice.chance(0.7) {
            let (style, colour) = plan.bollard;
            for step in [1.0, 3.0, 5.0] {
                items.push(item(Thing::Bollard { style, colour }, Band::Kerb, x, y + step, dice));
            }
        }
        if plan.snow && free && dice.chance(0.6) {
            let bank = Thing::SnowBank { length: FENCE_STRETCH, height: dice.range(0.25, 0.75) };
            items.push(item(bank, Band::Kerb, x - side.sign * 0.3, middle, dice));
        }
        y += FENCE_STRETCH;
    }
}

fn pavement_items(plan: &Plan, side: &Side, dice: &mut Dice, items: &mut Vec<Item>) {
    let kerb = side.sign * (plan.half_road + 0.75);
    let wall = side.sign * (side.front - 0.7);
    let middle = (kerb + wall) / 2.0;
    if dice.chance(0.78) {
        let spacing = dice.range(7.0, 11.0);
        along(plan, spacing, 80.0, dice, |y, dice| {
            items.push(item(
                Thing::Tree { species: plan.tree, height: dice.range(5.0, 8.0) },
                Band::Pavement,
                kerb,
                y,
                dice,
            ));
        });
    }
    let (style, colour) = plan.lamp;
    let spacing = dice.range(14.0, 20.0);
    along(plan, spacing, 70.0, dice, |y, dice| {
        items.push(item(Thing::Lamp { style, colour }, Band::Pavement, kerb, y, dice));
    });
    let (style, colour) = plan.sign;
    let spacing = dice.range(14.0, 24.0);
    along(plan, spacing, 50.0, dice, |y, dice| {
        items.push(item(Thing::Sign { style, colour }, Band::Pavement, kerb, y, dice));
    });
    if plan.wires && dice.chance(0.7) {
        let spacing = dice.range(22.0, 30.0);
        along(plan, spacing, REACH, dice, |y, dice| {
            items.push(item(Thing::Pole { span: spacing }, Band::Pavement, kerb, y, dice));
        });
    }
    if plan.style.snow > 0.5 && dice.chance(0.75) {
        along(plan, 18.0, 80.0, dice, |y, dice| items.push(item(Thing::SnowPole, Band::Pavement, kerb, y, dice)));
    }
    sprinkle(plan, middle, wall, side, dice, items);
}

fn sprinkle(plan: &Plan, middle: f32, wall: f32, side: &Side, dice: &mut Dice, items: &mut Vec<Item>) {
    for _ in 0..3 + dice.below(8) {
        let y = dice.range(-45.0, 45.0);
        let x = middle + dice.range(-0.4, 0.4);
        items.push(item(Thing::Person, Band::Pavement, x, y, dice));
    }
    let built = side.frontage == Frontage::Buildings;
    for _ in 0..5 {
        let choices: &[(Thing, f32)] = &[
            (Thing::Vending, if built { 3.0 } else { 0.0 }),
            (Thing::Bicycle, 3.0),
            (Thing::Bench, 1.0),
            (Thing::PostBox, 1.0),
            (Thing::BusStop, 1.0),
        ];
        let weights: Vec<(usize, f32)> = choices.iter().enumerate().map(|(i, (_, weight))| (i, *weight)).collect();
        let thing = choices[dice.weighted(&weights)].0.clone();
        let y = dice.range(-40.0, 40.0);
        if !plan.crossed(y, y, 3.0) {
            items.push(item(thing, Band::Pavement, wall, y, dice));
        }
    }
}

/// Calls `place` at regular distances along the kerb, off the crossing.
fn along(plan: &Plan, spacing: f32, reach: f32, dice: &mut Dice, mut place: impl FnMut(f32, &mut Dice)) {
    let mut y = -reach + dice.range(0.0, spacing);
    while y < reach {
        if !plan.crossed(y, y, 2.0) {
            place(y, dice);
        }
        y += spacing;
    }
}

/// Blocks that close the view at both ends of the street.
fn closing(plan: &Plan, dice: &mut Dice, items: &mut Vec<Item>) {
    let low = plan.style.hills > 0.3;
    for end in [-1.0, 1.0] {
        let mut x = -60.0;
        while x < 60.0 {
            let size = [dice.range(10.0, 22.0), if low { dice.range(4.0, 9.0) } else { dice.range(8.0, 40.0) }];
            let block = Thing::Block { size, colour: dice.pick(&plan.walls) };
            items.push(item(block, Band::Back, x + size[0] / 2.0, end * (REACH + 30.0), dice));
            x += size[0] + dice.range(0.0, 3.0);
        }
    }
}

fn at_crossing(plan: &Plan, dice: &mut Dice, items: &mut Vec<Item>) {
    let Some(crossing) = plan.crossing else { return };
    for side in &plan.sides {
        for end in [-1.0, 1.0] {
            let x = side.sign * (plan.half_road + 0.5);
            let y = crossing.y + end * (crossing.half + 2.0);
            let thing = if dice.chance(0.6) { Thing::Signal } else { Thing::Direction };
            items.push(item(thing, Band::Pavement, x + side.sign * 0.3, y, dice));
            let (style, colour) = plan.bollard;
            for step in [1.4, 2.6] {
                let y = y + end * (step - 1.4);
                items.push(item(Thing::Bollard { style, colour }, Band::Kerb, x, y, dice));
            }
        }
    }
}

fn traffic(plan: &Plan, dice: &mut Dice, items: &mut Vec<Item>) {
    use VehicleKind::{Bus, Car, Kei, Taxi, Truck, Van};
    let kinds = [(Car, 36.0), (Kei, 24.0), (Taxi, 12.0), (Van, 14.0), (Truck, 10.0), (Bus, 4.0)];
    for _ in 0..1 + dice.below(6) {
        let lane = if dice.chance(0.5) { -1.0 } else { 1.0 };
        let y = dice.range(9.0, 70.0) * if dice.chance(0.5) { 1.0 } else { -1.0 };
        // Left-hand traffic: whoever drives along the heading keeps to the left.
        let vehicle = Thing::Vehicle { kind: dice.weighted(&kinds), colour: dice.weighted(&CARS), heading: -lane };
        let parked = dice.chance(0.4);
        let x = lane * if parked { plan.half_road - 1.05 } else { plan.half_road * 0.5 };
        items.push(item(vehicle, Band::Road, x, y, dice));
    }
}
