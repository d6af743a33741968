//! Draws a scene: ground and sky, then everything that stands there, far to near.

mod bollard;
mod building;
mod camera;
mod facade;
mod fence;
mod finish;
mod furniture;
mod glyph;
mod ground;
mod lamp;
mod painter;
mod pavement;
mod people;
mod room;
mod sign;
mod sky;
#[cfg(test)]
mod tests;
mod tree;
mod vehicle;

use image::RgbImage;

use super::scene::{Item, Scene, Setting, Street, Thing};
use super::{Cue, CueKind, Panorama, Rendered, Signs, View, World};
use camera::Camera;
use painter::{Bounds, Painter};

/// Cues smaller than this are not worth a box, pixels.
const SMALLEST_CUE: f32 = 6.0;
/// Largest side of a picture that is drawn, pixels.
pub const LARGEST_SIDE: u32 = 4_096;

/// Draws what a camera sees at a panorama. The same arguments give the same bytes on every machine.
///
/// `view.width` and `view.height` are taken as at least 1 and at most [`LARGEST_SIDE`].
#[must_use]
pub fn render(world: &World, panorama: &Panorama, view: &View) -> Rendered {
    render_with(world, panorama, view, Signs::ALL)
}

/// [`render`] of a street that shows some signs of its area only.
#[must_use]
pub fn render_with(world: &World, panorama: &Panorama, view: &View, signs: Signs) -> Rendered {
    let scene = Scene::with(&world.areas()[panorama.area].area, panorama, signs);
    draw(&scene, panorama.road_heading, view)
}

/// Draws a scene.
fn draw(scene: &Scene, road_heading: f32, view: &View) -> Rendered {
    let side = |pixels: u32| pixels.clamp(1, LARGEST_SIDE);
    let view = View { width: side(view.width), height: side(view.height), ..*view };
    let camera = Camera::new(&scene.mount, road_heading, &view);
    let mut painter = Painter::new(&camera, &scene.light).expect("both sides are between 1 and LARGEST_SIDE");
    let cues = match &scene.setting {
        Setting::Street(street) => draw_street(&mut painter, scene, street),
        Setting::Room(seed) => {
            room::draw(&mut painter, *seed);
            Vec::new()
        }
    };
    let image: RgbImage = finish::develop(&painter.finish(), &scene.finish);
    Rendered { image, cues }
}

fn draw_street(painter: &mut Painter, scene: &Scene, street: &Street) -> Vec<Cue> {
    sky::draw(painter, scene, street);
    ground::draw(painter, scene, street);
    let mut order: Vec<(&Item, f32)> = street.items.iter().map(|item| (item, nearness(item, painter.camera))).collect();
    order.sort_by(|(a, near_a), (b, near_b)| a.band.cmp(&b.band).then(near_b.total_cmp(near_a)));
    let mut cues = Vec::new();
    for (item, distance) in order {
        painter.at_distance(distance);
        painter.start_bounds();
        draw_item(painter, scene, item, distance);
        cues.extend(kind_of(&item.thing).and_then(|kind| cue(kind, painter.bounds(), painter.camera)));
    }
    cues
}

/// Metres from the camera to the nearest part of a thing, measured along the ground.
fn nearness(item: &Item, camera: &Camera) -> f32 {
    let half = match &item.thing {
        Thing::Building(building) => building.width / 2.0,
        Thing::Fence { length, .. } | Thing::Parapet { length, .. } | Thing::SnowBank { length, .. } => length / 2.0,
        _ => 0.0,
    };
    let y = (item.y.abs() - half).max(0.0);
    camera.ground_distance(item.x, y)
}

fn draw_item(painter: &mut Painter, scene: &Scene, item: &Item, distance: f32) {
    match &item.thing {
        Thing::Building(building) => building::draw(painter, scene, building, item, distance),
        Thing::Block { size, colour } => building::block(painter, *size, *colour, item),
        Thing::Fence { style, length, colour } => fence::draw(painter, *style, *length, *colour, item, distance),
        Thing::Parapet { length, colour } => fence::parapet(painter, *length, *colour, item),
        Thing::Tree { species, height } => tree::draw(painter, scene, *species, *height, item, distance),
        Thing::Vehicle { kind, colour, heading } => vehicle::draw(painter, *kind, *colour, *heading, item),
        Thing::Person => people::person(painter, item),
        Thing::Bicycle => people::bicycle(painter, item),
        _ => furniture::draw(painter, scene, item, distance),
    }
}

fn kind_of(thing: &Thing) -> Option<CueKind> {
    match thing {
        Thing::Fence { .. } => Some(CueKind::Fence),
        Thing::Building(_) => Some(CueKind::Building),
        Thing::Tree { .. } => Some(CueKind::Tree),
        Thing::Sign { .. } => Some(CueKind::Sign),
        Thing::Lamp { .. } | Thing::Bollard { .. } | Thing::Vending => Some(CueKind::Furniture),
        Thing::SnowPole | Thing::SnowBank { .. } => Some(CueKind::Snow),
        _ => None,
    }
}

/// The box around what was drawn, clipped to the picture; `None` when it is outside or too small.
fn cue(kind: CueKind, bounds: Bounds, camera: &Camera) -> Option<Cue> {
    let (x0, x1) = (bounds.x0.max(0.0).floor(), bounds.x1.min(camera.width).ceil());
    let (y0, y1) = (bounds.y0.max(0.0).floor(), bounds.y1.min(camera.height).ceil());
    let (width, height) = (x1 - x0, y1 - y0);
    let large = width.max(height) >= SMALLEST_CUE && width >= 1.0 && height >= 1.0;
    large.then_some(Cue { kind, x: x0 as u32, y: y0 as u32, width: width as u32, height: height as u32 })
}
