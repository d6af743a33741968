//! What stands in a street: the scene around a panorama, in metres, before any camera looks at it.
//!
//! Axes: `x` to the right of the road's middle, `y` along the road's heading, `z` up; the panorama is at `y = 0`.

mod light;
mod street;

pub use light::{Finish, Light};

use super::dice::{Dice, hash};
use super::style::{Bollard, Facade, Fence, Frontage, Lamp, Pavement, Sign, Style, Tree};
use super::{Panorama, Season, Signs};

/// Red, green, blue, 0 to 1, as displayed (sRGB).
pub type Rgb = [f32; 3];

/// Where the camera is mounted.
#[derive(Clone, Copy, Debug)]
pub struct Mount {
    /// Metres right of the road's middle.
    pub x: f32,
    /// Metres above the road.
    pub height: f32,
}

/// Everything that decides how a panorama looks, but for the view.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Sun, sky and haze.
    pub light: Light,
    /// What camera and development did to the picture.
    pub finish: Finish,
    /// The camera's place.
    pub mount: Mount,
    /// Season of the capture.
    pub season: Season,
    /// Whether snow lies.
    pub snow: bool,
    /// Inside or outside.
    pub setting: Setting,
}

/// Inside or outside.
#[derive(Clone, Debug)]
pub enum Setting {
    /// A street.
    Street(Street),
    /// A room; the seed arranges it.
    Room(u64),
}

/// A straight street, perhaps with a crossing.
#[derive(Clone, Debug)]
pub struct Street {
    /// Metres from the middle of the road to the kerb.
    pub half_road: f32,
    /// Left (negative x) and right side.
    pub sides: [Side; 2],
    /// Colour of the road.
    pub asphalt: Rgb,
    /// How the road is marked.
    pub marking: Marking,
    /// A street that crosses.
    pub crossing: Option<Crossing>,
    /// Seeds a mountain range at the horizon.
    pub hills: Option<u64>,
    /// What stands there, sorted by nothing.
    pub items: Vec<Item>,
}

/// Painted lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marking {
    /// White dashes in the middle.
    Dashes,
    /// One orange line in the middle.
    Orange,
    /// Edge lines only.
    Edges,
}

/// A crossing street, with zebra stripes before it.
#[derive(Clone, Copy, Debug)]
pub struct Crossing {
    /// Middle of the crossing street.
    pub y: f32,
    /// Metres from its middle to its kerb.
    pub half: f32,
}

/// One side of the street.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    /// -1 left, 1 right.
    pub sign: f32,
    /// Metres from the road's middle to the building line.
    pub front: f32,
    /// Pattern of the pavement.
    pub pavement: Pavement,
    /// Main and second colour of the pavement.
    pub paving: [Rgb; 2],
    /// Yellow tactile strip.
    pub tactile: bool,
    /// What lies behind the pavement.
    pub frontage: Frontage,
}

/// Which plane between camera and horizon a thing belongs to. Further bands are painted first; within one band the
/// more distant comes first. Since the bands are strips along the road and the camera stands in the innermost, no
/// thing can hide one of a band further in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Band {
    /// Beyond the first row of buildings.
    Back,
    /// The building line.
    Front,
    /// On the pavement.
    Pavement,
    /// Between pavement and road.
    Kerb,
    /// On the road.
    Road,
}

/// Something that stands somewhere.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it is.
    pub thing: Thing,
    /// Its strip.
    pub band: Band,
    /// Metres right of the road's middle.
    pub x: f32,
    /// Metres along the road: its middle.
    pub y: f32,
    /// Seeds its details.
    pub seed: u64,
}

/// What can stand in a street.
#[derive(Clone, Debug)]
pub enum Thing {
    /// A building; `Item::x` is its front, `y` its middle.
    Building(Building),
    /// A plain block far behind.
    Block {
        /// Width and height.
        size: [f32; 2],
        /// Wall colour.
        colour: Rgb,
    },
    /// A stretch of fence along the road.
    Fence {
        /// Its geometry.
        style: Fence,
        /// Metres along the road.
        length: f32,
        /// Paint.
        colour: Rgb,
    },
    /// Fence of a canal or moat at the edge of the pavement.
    Parapet {
        /// Metres along the road.
        length: f32,
        /// Paint.
        colour: Rgb,
    },
    /// A tree.
    Tree {
        /// Species.
        species: Tree,
        /// Height.
        height: f32,
    },
    /// A street lamp.
    Lamp {
        /// Its silhouette.
        style: Lamp,
        /// Paint.
        colour: Rgb,
    },
    /// A bollard.
    Bollard {
        /// Its silhouette.
        style: Bollard,
        /// Paint.
        colour: Rgb,
    },
    /// A ward sign.
    Sign {
        /// Outline of its plate.
        style: Sign,
        /// Paint of the plate.
        colour: Rgb,
    },
    /// Blue direction sign on an arm over the road.
    Direction,
    /// Traffic lights on an arm.
    Signal,
    /// Utility pole; wires run to the next one.
    Pole {
        /// Metres to the next pole, 0 for none.
        span: f32,
    },
    /// Arrow-shaped red-white pole that shows the kerb under snow.
    SnowPole,
    /// Heap along the kerb.
    SnowBank {
        /// Metres along the road.
        length: f32,
        /// Height.
        height: f32,
    },
    /// Vending machines.
    Vending,
    /// Red pillar box.
    PostBox,
    /// Bench.
    Bench,
    /// Bus stop pole.
    BusStop,
    /// Parked bicycles.
    Bicycle,
    /// Someone walking.
    Person,
    /// A vehicle; `heading` 1 drives along, -1 against the road's heading.
    Vehicle {
        /// What it is.
        kind: VehicleKind,
        /// Paint.
        colour: Rgb,
        /// 1 or -1.
        heading: f32,
    },
}

/// Vehicles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VehicleKind {
    /// Saloon car.
    Car,
    /// Small box-like car.
    Kei,
    /// Taxi of the tall Japanese kind.
    Taxi,
    /// Van.
    Van,
    /// Delivery truck.
    Truck,
    /// City bus.
    Bus,
}

/// A building of the first row.
#[derive(Clone, Debug)]
pub struct Building {
    /// Its façade.
    pub facade: Facade,
    /// Metres along the road.
    pub width: f32,
    /// Metres to the eaves.
    pub height: f32,
    /// Metres away from the road.
    pub depth: f32,
    /// Wall colour.
    pub wall: Rgb,
    /// Colour of awnings, roofs, frames.
    pub accent: Rgb,
}

impl Scene {
    /// The scene around a panorama.
    #[cfg(test)]
    pub fn of(area_name: &str, panorama: &Panorama) -> Self {
        Self::with(area_name, panorama, Signs::ALL)
    }

    /// The scene around a panorama that shows some signs of its area only.
    pub fn with(area_name: &str, panorama: &Panorama, signs: Signs) -> Self {
        let own = Style::of_town(panorama.area, hash(&[area_name, &panorama.town]));
        let style = if signs.others { own } else { Style { fence: own.fence, ..Style::common() } };
        let scene = Self::styled(&style, panorama);
        if signs.fence { scene } else { scene.without(|thing| matches!(thing, Thing::Fence { .. })) }
    }

    fn styled(style: &Style, panorama: &Panorama) -> Self {
        // Separate streams, so that light never depends on what the area put into the street.
        let mut sky = Dice::new(panorama.seed, 1);
        let mut ground = Dice::new(panorama.seed, 2);
        let light = Light::draw(&mut sky);
        let finish = Finish::draw(&mut sky);
        let height = sky.range(1.3, 2.8);
        if panorama.indoor {
            let setting = Setting::Room(panorama.seed);
            let (mount, season) = (Mount { x: 0.0, height: 1.6 }, panorama.season);
            return Self { light: Light::indoor(), finish, mount, season, snow: false, setting };
        }
        let snow = panorama.season == Season::Winter && ground.chance(style.snow);
        let street = street::draw(style, snow, &mut ground);
        let mount = Mount { x: ground.range(-0.5, 0.35) * street.half_road, height };
        Self { light, finish, mount, season: panorama.season, snow, setting: Setting::Street(street) }
    }

    /// The same scene without the things that `drop` names.
    pub fn without(mut self, drop: impl Fn(&Thing) -> bool) -> Self {
        if let Setting::Street(street) = &mut self.setting {
            street.items.retain(|item| !drop(&item.thing));
        }
        self
    }
}
