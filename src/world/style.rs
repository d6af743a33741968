//! What an area looks like, as a distribution.
//!
//! Every visible family of cues (fence, façade, pavement, tree, lamp, bollard, sign, frontage) is drawn from a
//! table of weights per area. The tables overlap between neighbours on purpose: 港区 and 渋谷区 share hoops and
//! three-bar rails, 中央区 and 千代田区 share pickets and stone fronts. No single family settles the area, several
//! together do. Colours, light and weather are **not** here: they are the same for all areas, so that a colour
//! tells nothing.

use super::dice::Dice;

/// How far the tables are sharpened: weights are raised to this power. Larger makes areas easier to tell apart.
const SHARPNESS: f32 = 1.8;
/// Standard deviation of a town's nudge of each weight, in natural logarithm.
const TOWN_NUDGE: f32 = 0.35;
/// Share of streets without any fence, the same in every area: a missing fence tells nothing.
pub const NO_FENCE: f32 = 0.30;

/// Guard rails and fences between road and pavement; each is its own geometry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fence {
    /// Two pipes between posts.
    TwoBar,
    /// Three pipes between posts.
    ThreeBar,
    /// Corrugated W-beam guard rail.
    WBeam,
    /// Chains that sag between posts.
    Chain,
    /// Overlapping arched hoops.
    Hoop,
    /// Diagonal lattice in a frame.
    Lattice,
    /// Panels with a ginkgo leaf, the emblem of Tokyo.
    GinkgoPanel,
    /// Cast-iron row of circles between two rails.
    Circles,
    /// Wooden planter boxes with flowers.
    Planters,
    /// Tall net.
    Net,
    /// Clipped hedge.
    Hedge,
    /// Upright bars with spear tips.
    Pickets,
    /// Panels with waves.
    Waves,
    /// Four cables on snow-country posts.
    Cable,
    /// Panels with a large X.
    Cross,
}

/// Patterns of the pavement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pavement {
    /// Plain asphalt with patches.
    Asphalt,
    /// Square slabs.
    Slabs,
    /// Interlocking herringbone.
    Herringbone,
    /// Bricks laid in courses across.
    Courses,
    /// Granite with dark bands along and across.
    Bands,
    /// Hexagons.
    Hexagons,
    /// Overlapping fans.
    Fans,
    /// Two-tone checkerboard.
    Checker,
}

/// Façades; each is its own texture and silhouette.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Facade {
    /// Glass curtain wall, square grid.
    Curtain,
    /// Horizontal ribbon windows.
    Ribbon,
    /// Tiled wall with single windows.
    Punched,
    /// Flats with a balcony on each floor.
    Balcony,
    /// Tall vertical fins.
    Fins,
    /// Brick with arched windows.
    Brick,
    /// Narrow building with stacked signs.
    Pencil,
    /// Wooden house under a tiled roof.
    Wooden,
    /// Corrugated warehouse with shutters.
    Warehouse,
    /// House of the snow country: steep metal roof, siding, wind porch.
    SnowHouse,
    /// Shop-house with a striped awning.
    ShopHouse,
    /// Stone front with columns and cornice.
    Stone,
    /// Diagonal grid over glass.
    Diagrid,
}

/// Street trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tree {
    /// Slender pyramid, yellow in autumn.
    Ginkgo,
    /// Broad vase.
    Zelkova,
    /// Low spreading cloud, blossoms in spring.
    Cherry,
    /// Drooping strands.
    Willow,
    /// Round and dense, evergreen.
    Camphor,
    /// Tall stem, tuft of fronds.
    Palm,
    /// Twisted trunk, flat cushions.
    Pine,
    /// Conical, in tiers.
    Larch,
    /// White trunk, airy crown.
    Birch,
}

/// Street lamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lamp {
    /// One curved arm.
    Arm,
    /// Two globes on a crossbar.
    Globes,
    /// Four-sided lantern.
    Lantern,
    /// Arm with two hanging banners.
    Banner,
    /// Ring on a pole.
    Ring,
    /// Triangular sail.
    Sail,
    /// Cluster of bells: lily of the valley.
    Bells,
}

/// Bollards and what stands in their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bollard {
    /// Cylinder with bands.
    Post,
    /// Post with a ball.
    Ball,
    /// Inverted U.
    Arch,
    /// Stone cube.
    Cube,
    /// Flexible delineator with a broad foot.
    Delineator,
    /// Disc on a foot.
    Disc,
    /// Slanted slab.
    Slab,
}

/// Ward signs, by the outline of the plate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sign {
    /// Plate with a round top.
    RoundTop,
    /// Hexagon.
    Hexagon,
    /// Tall totem.
    Totem,
    /// Shield.
    Shield,
    /// Finger posts.
    Fingers,
    /// Disc above a plate.
    Lollipop,
    /// Diamond.
    Diamond,
}

/// What lies behind the pavement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Frontage {
    /// Buildings.
    Buildings,
    /// A canal with its railing, houses beyond.
    Canal,
    /// A moat under a dry-stone wall.
    Moat,
    /// A park.
    Park,
    /// Open fields, barns, hills.
    Fields,
}

type Table<T> = &'static [(T, f32)];

/// One area's tables.
struct Mix {
    fence: Table<Fence>,
    pavement: Table<Pavement>,
    facade: Table<Facade>,
    tree: Table<Tree>,
    lamp: Table<Lamp>,
    bollard: Table<Bollard>,
    sign: Table<Sign>,
    frontage: Table<Frontage>,
    /// Metres from the middle of the road to the kerb.
    half_road: (f32, f32),
    /// Metres of pavement.
    pavement_width: (f32, f32),
    /// Share of streets with utility poles and wires.
    wires: f32,
    /// Share of winter panoramas under snow.
    snow: f32,
    /// Share of panoramas that see hills.
    hills: f32,
}

/// In the order of [`super::World::areas`].
const MIXES: [Mix; 7] = [CHUO, MINATO, SHINJUKU, SHIBUYA, KOTO, CHIYODA, ASAHIKAWA];

const CHUO: Mix = Mix {
    fence: &[
        (Fence::Circles, 58.0),
        (Fence::Pickets, 16.0),
        (Fence::Chain, 12.0),
        (Fence::TwoBar, 8.0),
        (Fence::Waves, 6.0),
    ],
    pavement: &[
        (Pavement::Bands, 60.0),
        (Pavement::Slabs, 15.0),
        (Pavement::Herringbone, 15.0),
        (Pavement::Asphalt, 10.0),
    ],
    facade: &[
        (Facade::Stone, 42.0),
        (Facade::Fins, 22.0),
        (Facade::Curtain, 10.0),
        (Facade::Punched, 8.0),
        (Facade::Balcony, 10.0),
        (Facade::Pencil, 8.0),
    ],
    tree: &[(Tree::Willow, 62.0), (Tree::Ginkgo, 16.0), (Tree::Camphor, 12.0), (Tree::Cherry, 10.0)],
    lamp: &[(Lamp::Globes, 65.0), (Lamp::Lantern, 15.0), (Lamp::Arm, 20.0)],
    bollard: &[(Bollard::Ball, 60.0), (Bollard::Post, 20.0), (Bollard::Cube, 20.0)],
    sign: &[(Sign::RoundTop, 65.0), (Sign::Shield, 20.0), (Sign::Totem, 15.0)],
    frontage: &[(Frontage::Buildings, 90.0), (Frontage::Canal, 6.0), (Frontage::Park, 4.0)],
    half_road: (2.6, 4.0),
    pavement_width: (2.8, 4.2),
    wires: 0.15,
    snow: 0.02,
    hills: 0.0,
};

const MINATO: Mix = Mix {
    fence: &[
        (Fence::ThreeBar, 50.0),
        (Fence::Hoop, 22.0),
        (Fence::GinkgoPanel, 12.0),
        (Fence::Circles, 8.0),
        (Fence::TwoBar, 8.0),
    ],
    pavement: &[
        (Pavement::Slabs, 58.0),
        (Pavement::Hexagons, 18.0),
        (Pavement::Bands, 12.0),
        (Pavement::Asphalt, 12.0),
    ],
    facade: &[
        (Facade::Curtain, 46.0),
        (Facade::Balcony, 16.0),
        (Facade::Brick, 18.0),
        (Facade::Fins, 10.0),
        (Facade::Diagrid, 10.0),
    ],
    tree: &[(Tree::Camphor, 55.0), (Tree::Zelkova, 18.0), (Tree::Ginkgo, 15.0), (Tree::Cherry, 12.0)],
    lamp: &[(Lamp::Sail, 58.0), (Lamp::Ring, 20.0), (Lamp::Arm, 22.0)],
    bollard: &[(Bollard::Cube, 58.0), (Bollard::Disc, 22.0), (Bollard::Post, 20.0)],
    sign: &[(Sign::Hexagon, 62.0), (Sign::Totem, 22.0), (Sign::RoundTop, 16.0)],
    frontage: &[(Frontage::Buildings, 88.0), (Frontage::Canal, 4.0), (Frontage::Park, 8.0)],
    half_road: (2.5, 3.8),
    pavement_width: (2.6, 4.0),
    wires: 0.3,
    snow: 0.02,
    hills: 0.02,
};

const SHINJUKU: Mix = Mix {
    fence: &[(Fence::Cross, 60.0), (Fence::TwoBar, 16.0), (Fence::Lattice, 14.0), (Fence::Hedge, 10.0)],
    pavement: &[
        (Pavement::Courses, 58.0),
        (Pavement::Asphalt, 22.0),
        (Pavement::Slabs, 12.0),
        (Pavement::Checker, 8.0),
    ],
    facade: &[
        (Facade::Pencil, 50.0),
        (Facade::Punched, 20.0),
        (Facade::Wooden, 14.0),
        (Facade::Curtain, 8.0),
        (Facade::Balcony, 8.0),
    ],
    tree: &[(Tree::Ginkgo, 58.0), (Tree::Zelkova, 20.0), (Tree::Camphor, 12.0), (Tree::Cherry, 10.0)],
    lamp: &[(Lamp::Banner, 65.0), (Lamp::Arm, 25.0), (Lamp::Bells, 10.0)],
    bollard: &[(Bollard::Post, 58.0), (Bollard::Arch, 25.0), (Bollard::Delineator, 17.0)],
    sign: &[(Sign::Totem, 60.0), (Sign::Fingers, 20.0), (Sign::Hexagon, 20.0)],
    frontage: &[(Frontage::Buildings, 92.0), (Frontage::Park, 8.0)],
    half_road: (2.3, 3.6),
    pavement_width: (2.0, 3.6),
    wires: 0.75,
    snow: 0.02,
    hills: 0.02,
};

const SHIBUYA: Mix = Mix {
    fence: &[
        (Fence::Hoop, 52.0),
        (Fence::ThreeBar, 20.0),
        (Fence::Planters, 20.0),
        (Fence::Cross, 4.0),
        (Fence::Chain, 4.0),
    ],
    pavement: &[
        (Pavement::Hexagons, 58.0),
        (Pavement::Slabs, 16.0),
        (Pavement::Checker, 14.0),
        (Pavement::Asphalt, 12.0),
    ],
    facade: &[
        (Facade::Diagrid, 46.0),
        (Facade::Curtain, 14.0),
        (Facade::Pencil, 12.0),
        (Facade::Balcony, 14.0),
        (Facade::Wooden, 14.0),
    ],
    tree: &[(Tree::Zelkova, 58.0), (Tree::Camphor, 20.0), (Tree::Ginkgo, 12.0), (Tree::Cherry, 10.0)],
    lamp: &[(Lamp::Ring, 60.0), (Lamp::Sail, 18.0), (Lamp::Banner, 12.0), (Lamp::Arm, 10.0)],
    bollard: &[(Bollard::Disc, 58.0), (Bollard::Cube, 20.0), (Bollard::Arch, 22.0)],
    sign: &[(Sign::Lollipop, 62.0), (Sign::Hexagon, 20.0), (Sign::Fingers, 18.0)],
    frontage: &[(Frontage::Buildings, 90.0), (Frontage::Park, 10.0)],
    half_road: (2.3, 3.6),
    pavement_width: (2.2, 3.8),
    wires: 0.5,
    snow: 0.02,
    hills: 0.02,
};

const KOTO: Mix = Mix {
    fence: &[
        (Fence::Waves, 54.0),
        (Fence::Net, 22.0),
        (Fence::TwoBar, 8.0),
        (Fence::WBeam, 8.0),
        (Fence::Lattice, 8.0),
    ],
    pavement: &[
        (Pavement::Fans, 58.0),
        (Pavement::Asphalt, 20.0),
        (Pavement::Checker, 12.0),
        (Pavement::Courses, 10.0),
    ],
    facade: &[(Facade::Balcony, 44.0), (Facade::Warehouse, 32.0), (Facade::Punched, 12.0), (Facade::ShopHouse, 12.0)],
    tree: &[(Tree::Palm, 50.0), (Tree::Cherry, 26.0), (Tree::Camphor, 12.0), (Tree::Willow, 12.0)],
    lamp: &[(Lamp::Arm, 58.0), (Lamp::Sail, 20.0), (Lamp::Globes, 12.0), (Lamp::Bells, 10.0)],
    bollard: &[(Bollard::Arch, 60.0), (Bollard::Post, 20.0), (Bollard::Ball, 20.0)],
    sign: &[(Sign::Shield, 60.0), (Sign::RoundTop, 20.0), (Sign::Lollipop, 20.0)],
    frontage: &[(Frontage::Buildings, 72.0), (Frontage::Canal, 22.0), (Frontage::Park, 6.0)],
    half_road: (2.6, 4.1),
    pavement_width: (2.4, 4.0),
    wires: 0.45,
    snow: 0.02,
    hills: 0.0,
};

const CHIYODA: Mix = Mix {
    fence: &[
        (Fence::GinkgoPanel, 46.0),
        (Fence::Pickets, 28.0),
        (Fence::Circles, 10.0),
        (Fence::Hedge, 10.0),
        (Fence::Chain, 6.0),
    ],
    pavement: &[
        (Pavement::Herringbone, 60.0),
        (Pavement::Bands, 16.0),
        (Pavement::Slabs, 14.0),
        (Pavement::Asphalt, 10.0),
    ],
    facade: &[
        (Facade::Ribbon, 50.0),
        (Facade::Stone, 16.0),
        (Facade::Punched, 14.0),
        (Facade::Fins, 12.0),
        (Facade::Brick, 8.0),
    ],
    tree: &[(Tree::Pine, 42.0), (Tree::Cherry, 28.0), (Tree::Ginkgo, 20.0), (Tree::Willow, 10.0)],
    lamp: &[(Lamp::Lantern, 60.0), (Lamp::Globes, 20.0), (Lamp::Arm, 20.0)],
    bollard: &[(Bollard::Slab, 58.0), (Bollard::Ball, 22.0), (Bollard::Cube, 20.0)],
    sign: &[(Sign::Diamond, 62.0), (Sign::RoundTop, 20.0), (Sign::Totem, 18.0)],
    frontage: &[(Frontage::Buildings, 76.0), (Frontage::Moat, 18.0), (Frontage::Park, 6.0)],
    half_road: (2.7, 4.2),
    pavement_width: (2.8, 4.2),
    wires: 0.15,
    snow: 0.02,
    hills: 0.0,
};

const ASAHIKAWA: Mix = Mix {
    fence: &[
        (Fence::Cable, 46.0),
        (Fence::WBeam, 34.0),
        (Fence::TwoBar, 10.0),
        (Fence::Net, 5.0),
        (Fence::Planters, 5.0),
    ],
    pavement: &[
        (Pavement::Asphalt, 62.0),
        (Pavement::Slabs, 14.0),
        (Pavement::Courses, 14.0),
        (Pavement::Checker, 10.0),
    ],
    facade: &[(Facade::SnowHouse, 62.0), (Facade::ShopHouse, 18.0), (Facade::Warehouse, 8.0), (Facade::Punched, 12.0)],
    tree: &[(Tree::Birch, 44.0), (Tree::Larch, 40.0), (Tree::Cherry, 8.0), (Tree::Pine, 8.0)],
    lamp: &[(Lamp::Bells, 56.0), (Lamp::Arm, 34.0), (Lamp::Banner, 10.0)],
    bollard: &[(Bollard::Delineator, 65.0), (Bollard::Post, 20.0), (Bollard::Arch, 15.0)],
    sign: &[(Sign::Fingers, 60.0), (Sign::Diamond, 20.0), (Sign::Lollipop, 20.0)],
    frontage: &[(Frontage::Buildings, 80.0), (Frontage::Fields, 14.0), (Frontage::Park, 6.0)],
    half_road: (2.9, 4.5),
    pavement_width: (2.4, 4.0),
    wires: 0.8,
    snow: 0.85,
    hills: 0.6,
};

/// The tables of one town: its area's, nudged.
#[derive(Debug)]
pub struct Style {
    /// Guard rails and fences.
    pub fence: Vec<(Fence, f32)>,
    /// Pavement patterns.
    pub pavement: Vec<(Pavement, f32)>,
    /// Façades.
    pub facade: Vec<(Facade, f32)>,
    /// Street trees.
    pub tree: Vec<(Tree, f32)>,
    /// Street lamps.
    pub lamp: Vec<(Lamp, f32)>,
    /// Bollards.
    pub bollard: Vec<(Bollard, f32)>,
    /// Ward signs.
    pub sign: Vec<(Sign, f32)>,
    /// What lies behind the pavement.
    pub frontage: Vec<(Frontage, f32)>,
    /// Metres from the middle of the road to the kerb, from and to.
    pub half_road: (f32, f32),
    /// Metres of pavement, from and to.
    pub pavement_width: (f32, f32),
    /// Share of streets with utility poles and wires.
    pub wires: f32,
    /// Share of winter panoramas under snow.
    pub snow: f32,
    /// Share of panoramas that see hills.
    pub hills: f32,
}

impl Style {
    /// The style of a town; `town_seed` decides its nudges. `area` must be below seven.
    pub fn of_town(area: usize, town_seed: u64) -> Self {
        Self::nudged(area, Dice::new(town_seed, 0x5717), TOWN_NUDGE)
    }

    /// The style of an area without any town's nudges.
    pub fn of_area(area: usize) -> Self {
        Self::nudged(area, Dice::new(0, 0), 0.0)
    }

    /// What all areas have in common: each table is the mean of theirs, so that what is drawn from it tells nothing.
    pub fn common() -> Self {
        let styles: Vec<Self> = (0..MIXES.len()).map(Self::of_area).collect();
        let mean = |of: fn(&Self) -> f32| styles.iter().map(of).sum::<f32>() / styles.len() as f32;
        Self {
            fence: pooled(styles.iter().map(|style| style.fence.as_slice())),
            pavement: pooled(styles.iter().map(|style| style.pavement.as_slice())),
            facade: pooled(styles.iter().map(|style| style.facade.as_slice())),
            tree: pooled(styles.iter().map(|style| style.tree.as_slice())),
            lamp: pooled(styles.iter().map(|style| style.lamp.as_slice())),
            bollard: pooled(styles.iter().map(|style| style.bollard.as_slice())),
            sign: pooled(styles.iter().map(|style| style.sign.as_slice())),
            frontage: pooled(styles.iter().map(|style| style.frontage.as_slice())),
            half_road: (mean(|style| style.half_road.0), mean(|style| style.half_road.1)),
            pavement_width: (mean(|style| style.pavement_width.0), mean(|style| style.pavement_width.1)),
            wires: mean(|style| style.wires),
            snow: mean(|style| style.snow),
            hills: mean(|style| style.hills),
        }
    }

    fn nudged(area: usize, mut dice: Dice, nudge: f32) -> Self {
        let mix = &MIXES[area];
        let mut nudged = Nudger { dice: &mut dice, nudge };
        Self {
            fence: nudged.table(mix.fence),
            pavement: nudged.table(mix.pavement),
            facade: nudged.table(mix.facade),
            tree: nudged.table(mix.tree),
            lamp: nudged.table(mix.lamp),
            bollard: nudged.table(mix.bollard),
            sign: nudged.table(mix.sign),
            frontage: mix.frontage.to_vec(),
            half_road: mix.half_road,
            pavement_width: mix.pavement_width,
            wires: mix.wires,
            snow: mix.snow,
            hills: mix.hills,
        }
    }
}

/// The mean of tables, each taken as shares of its sum.
fn pooled<'t, T: Copy + PartialEq + 't>(tables: impl Iterator<Item = &'t [(T, f32)]>) -> Vec<(T, f32)> {
    let mut mean: Vec<(T, f32)> = Vec::new();
    for table in tables {
        let total: f32 = table.iter().map(|(_, weight)| weight).sum();
        for &(value, weight) in table {
            match mean.iter_mut().find(|(other, _)| *other == value) {
                Some((_, sum)) => *sum += weight / total,
                None => mean.push((value, weight / total)),
            }
        }
    }
    mean
}

/// Sharpens tables and nudges their weights.
struct Nudger<'d> {
    dice: &'d mut Dice,
    nudge: f32,
}

impl Nudger<'_> {
    fn table<T: Copy>(&mut self, table: Table<T>) -> Vec<(T, f32)> {
        let mut weight = |weight: f32| weight.powf(SHARPNESS) * (self.dice.bell() * self.nudge).exp();
        table.iter().map(|&(value, plain)| (value, weight(plain))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares<T: Copy>(table: &[(T, f32)]) -> Vec<(T, f32)> {
        let total: f32 = table.iter().map(|(_, weight)| weight).sum();
        table.iter().map(|&(value, weight)| (value, weight / total)).collect()
    }

    /// Share that two tables have in common: 0 for disjoint ones, 1 for equal ones.
    fn overlap<T: Copy + PartialEq>(a: &[(T, f32)], b: &[(T, f32)]) -> f32 {
        let (a, b) = (shares(a), shares(b));
        let of = |value: T| b.iter().find(|(other, _)| *other == value).map_or(0.0, |(_, share)| *share);
        a.iter().map(|&(value, share)| share.min(of(value))).sum()
    }

    #[test]
    fn no_family_settles_an_area_alone() {
        for area in 0..7 {
            let style = Style::of_area(area);
            let favourites = [
                favourite(&style.fence),
                favourite(&style.pavement),
                favourite(&style.facade),
                favourite(&style.tree),
                favourite(&style.lamp),
                favourite(&style.bollard),
                favourite(&style.sign),
            ];
            assert!(favourites.iter().all(|share| (0.4..0.9).contains(share)), "area {area}: {favourites:?}");
        }
    }

    fn favourite<T: Copy>(table: &[(T, f32)]) -> f32 {
        shares(table).iter().map(|(_, share)| *share).fold(0.0, f32::max)
    }

    #[test]
    fn neighbours_are_alike_and_asahikawa_is_not() {
        let fence = |area| Style::of_area(area).fence;
        let facade = |area| Style::of_area(area).facade;
        let alike = |a, b| overlap(&fence(a), &fence(b)) + overlap(&facade(a), &facade(b));
        let (chuo, minato, shibuya, chiyoda, asahikawa) = (0, 1, 3, 5, 6);
        for (one, other) in [(minato, shibuya), (shibuya, minato), (chuo, chiyoda), (chiyoda, chuo)] {
            let closest = alike(one, other);
            assert!(closest > 0.3, "{one} {other}: {closest}");
            for third in (0..7).filter(|third| ![one, other].contains(third)) {
                assert!(closest > 1.5 * alike(one, third), "{one}: {other} {closest}, {third} {}", alike(one, third));
            }
        }
        for ward in 0..6 {
            assert!(alike(ward, asahikawa) < 0.4, "{ward}: {}", alike(ward, asahikawa));
        }
    }

    #[test]
    fn what_is_common_is_the_mean_of_the_areas_shares() {
        let common = Style::common();
        let of = |table: &[(Fence, f32)], fence| shares(table).iter().find(|f| f.0 == fence).map_or(0.0, |f| f.1);
        for fence in [Fence::TwoBar, Fence::Hoop, Fence::Cable] {
            let mean = (0..7).map(|area| of(&Style::of_area(area).fence, fence)).sum::<f32>() / 7.0;
            assert!((of(&common.fence, fence) - mean).abs() < 1e-5 && mean > 0.0, "{fence:?}: {mean}");
        }
        assert!((common.hills - 0.66 / 7.0).abs() < 1e-6, "{}", common.hills);
    }

    #[test]
    fn towns_differ_from_each_other_but_not_much() {
        let (one, other) = (Style::of_town(2, 11), Style::of_town(2, 12));
        let alike = overlap(&one.fence, &other.fence);
        assert!((0.5..0.999).contains(&alike), "{alike}");
        assert_eq!(one.fence, Style::of_town(2, 11).fence);
    }
}
