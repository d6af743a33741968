//! Buildings: two walls, the façade's texture on them, and a roof.

use super::super::dice::Dice;
use super::super::scene::{Building, Item, Rgb, Scene};
use super::super::style::Facade;
use super::facade;
use super::painter::{Painter, Plane};
use super::sky::blend;

/// Below this many pixels per metre a façade is drawn as a plain wall.
const PLAIN: f32 = 1.2;

/// A plain block with a few rows of windows, for the back.
pub fn block(painter: &mut Painter, size: [f32; 2], colour: Rgb, item: &Item) {
    let [width, height] = size;
    let half = width / 2.0;
    painter.cuboid([item.x - half, item.y - half, 0.0], [item.x + half, item.y + half, height], colour);
    let eye = painter.camera.eye;
    let glass = blend(painter.lit(colour, [0.0, -1.0, 0.0]), painter.light.glass.map(|c| c * 0.6), 0.5);
    // The wall whose outer normal points most to the camera carries the windows.
    let plane = if (item.x - eye[0]).abs() > (item.y - eye[1]).abs() {
        let s = (eye[0] - item.x).signum();
        Plane { origin: [item.x + s * half, item.y - half, 0.0], along: [0.0, 1.0, 0.0], out: [s, 0.0, 0.0] }
    } else {
        let s = (eye[1] - item.y).signum();
        Plane { origin: [item.x - half, item.y + s * half, 0.0], along: [1.0, 0.0, 0.0], out: [0.0, s, 0.0] }
    };
    let floors = (height / 3.4) as i32;
    for floor in 1..floors {
        let v = floor as f32 * 3.4;
        painter.rect(&plane, [0.8, v, width - 0.8, v + 1.5], 0.0, glass);
    }
}

/// A building of the first row.
pub fn draw(painter: &mut Painter, scene: &Scene, building: &Building, item: &Item, distance: f32) {
    let s = item.x.signum();
    let (y0, y1) = (item.y - building.width / 2.0, item.y + building.width / 2.0);
    let back = item.x + s * building.depth;
    let eye = painter.camera.eye;
    // The wall along the road's direction that the camera can see, when it stands beside the building.
    let flank = if eye[1] < y0 {
        Some((y0, -1.0))
    } else if eye[1] > y1 {
        Some((y1, 1.0))
    } else {
        None
    };
    let detail = painter.pixels_per_m(distance);
    if let Some((y, n)) = flank {
        // Runs from the front to the back, so that details start at the corner that both walls share.
        let plane = Plane { origin: [item.x, y, 0.0], along: [s, 0.0, 0.0], out: [0.0, n, 0.0] };
        wall(painter, building, &plane, building.depth, item.seed ^ 1, detail * 0.5);
        gable(painter, scene, building, &plane, building.depth);
    }
    let plane = Plane { origin: [item.x, y0, 0.0], along: [0.0, 1.0, 0.0], out: [-s, 0.0, 0.0] };
    roof_behind(painter, scene, building, [y0, y1], [item.x, back]);
    wall(painter, building, &plane, building.width, item.seed, detail);
    roof_front(painter, scene, building, &plane, back);
    if detail > PLAIN {
        facade::street_level(painter, building, &plane, &mut Dice::new(item.seed, 12), detail);
    }
}

fn wall(painter: &mut Painter, building: &Building, plane: &Plane, width: f32, seed: u64, detail: f32) {
    let ink = painter.lit(building.wall, plane.out);
    painter.rect(plane, [0.0, 0.0, width, building.height], 0.0, ink);
    if detail > PLAIN {
        facade::draw(painter, building, plane, width, &mut Dice::new(seed, 11), detail);
    }
}

fn pitched(facade: Facade) -> Option<f32> {
    match facade {
        Facade::Wooden => Some(1.7),
        Facade::SnowHouse => Some(3.2),
        Facade::Warehouse => Some(1.6),
        _ => None,
    }
}

fn roof_colour(scene: &Scene, building: &Building) -> Rgb {
    let bare = if building.facade == Facade::Wooden { [0.34, 0.35, 0.38] } else { building.accent };
    if scene.snow { blend(bare, [0.94, 0.95, 0.98], 0.85) } else { bare }
}

/// The triangle under a pitched roof, on the wall across the ridge. Snow-country gables look to the road instead.
fn gable(painter: &mut Painter, scene: &Scene, building: &Building, plane: &Plane, depth: f32) {
    let Some(rise) = pitched(building.facade).filter(|_| building.facade != Facade::SnowHouse) else { return };
    let h = building.height;
    let ink = painter.lit(building.wall, plane.out);
    painter.shape(plane, &[[0.0, h], [depth, h], [depth / 2.0, h + rise]], ink);
    let edge = painter.lit(roof_colour(scene, building), plane.out);
    for (from, to) in [([-0.4, h - 0.1], [depth / 2.0, h + rise]), ([depth + 0.4, h - 0.1], [depth / 2.0, h + rise])] {
        painter.line(plane.at(from[0], from[1], 0.3), plane.at(to[0], to[1], 0.3), 0.3, edge);
    }
}

/// What rises behind the upper edge of the façade: tanks, lift houses, the far slope of a roof.
fn roof_behind(painter: &mut Painter, scene: &Scene, building: &Building, [y0, y1]: [f32; 2], [front, back]: [f32; 2]) {
    let h = building.height;
    let (low, high) = (front.min(back), front.max(back));
    let tall =
        matches!(building.facade, Facade::Curtain | Facade::Ribbon | Facade::Balcony | Facade::Fins | Facade::Pencil);
    if tall {
        let grey = blend(building.wall, [0.5, 0.5, 0.5], 0.4);
        painter.cuboid([low + 3.0, y0 + 2.0, h], [high - 3.0, y0 + 5.0, h + 2.4], grey);
    }
    if building.facade == Facade::SnowHouse {
        let colour = roof_colour(scene, building);
        let (middle, ridge) = ((y0 + y1) / 2.0, h + 3.2);
        for (edge, n) in [(y0 - 0.4, -1.0), (y1 + 0.4, 1.0)] {
            let ink = painter.lit(colour, [0.0, n * 0.6, 0.8]);
            painter.polygon(
                &[[front, edge, h - 0.2], [back, edge, h - 0.2], [back, middle, ridge], [front, middle, ridge]],
                ink,
            );
        }
    }
}

fn roof_front(painter: &mut Painter, scene: &Scene, building: &Building, plane: &Plane, back: f32) {
    let (w, h) = (building.width, building.height);
    let colour = roof_colour(scene, building);
    match building.facade {
        Facade::SnowHouse => {
            let wall = painter.lit(building.wall, plane.out);
            painter.shape(plane, &[[0.0, h], [w, h], [w / 2.0, h + 3.1]], wall);
            let edge = painter.lit(colour, plane.out);
            for (u, end) in [(-0.5, w / 2.0), (w + 0.5, w / 2.0)] {
                painter.line(plane.at(u, h - 0.3, 0.2), plane.at(end, h + 3.2, 0.2), 0.42, edge);
            }
            let glass = painter.light.glass.map(|c| c * 0.7);
            painter.rect(plane, [w / 2.0 - 0.6, h + 0.4, w / 2.0 + 0.6, h + 1.6], 0.02, glass);
        }
        Facade::Wooden | Facade::Warehouse => {
            let rise = pitched(building.facade).unwrap_or(1.5);
            let depth = (back - plane.origin[0]).abs() / 2.0;
            let ink = painter.lit(colour, [plane.out[0] * 0.5, 0.0, 0.85]);
            let corners = [
                plane.at(-0.4, h - 0.15, 0.6),
                plane.at(w + 0.4, h - 0.15, 0.6),
                plane.at(w + 0.4, h + rise, -depth),
                plane.at(-0.4, h + rise, -depth),
            ];
            painter.polygon(&corners, ink);
            let eaves = painter.lit(colour.map(|c| c * 0.7), plane.out);
            painter.rect(plane, [-0.4, h - 0.3, w + 0.4, h - 0.05], 0.6, eaves);
        }
        _ => {
            let cap = painter.lit(blend(building.wall, if scene.snow { [0.95; 3] } else { [0.3; 3] }, 0.35), plane.out);
            painter.rect(plane, [-0.05, h - 0.35, w + 0.05, h + 0.15], 0.05, cap);
        }
    }
}
