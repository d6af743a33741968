//! Cars, vans, trucks, buses: two or three prisms on wheels.

use super::super::scene::{Item, Rgb, VehicleKind};
use super::camera::V3;
use super::painter::{Ink, Painter};
use super::sky::blend;

/// A side view: closed outline `[along, up]`, counter-clockwise from the rear bottom, and which edges are glass.
struct Profile {
    outline: &'static [[f32; 2]],
    glass_edges: &'static [usize],
    /// Side windows, `[from, bottom, to, top, lean]`.
    windows: &'static [[f32; 5]],
    half_width: f32,
    wheels: [f32; 2],
    wheel_radius: f32,
}

const CAR: Profile = Profile {
    outline: &[
        [-2.2, 0.3],
        [2.2, 0.3],
        [2.2, 0.72],
        [1.25, 0.92],
        [0.45, 1.42],
        [-1.1, 1.44],
        [-1.75, 0.96],
        [-2.2, 0.9],
    ],
    glass_edges: &[3, 5],
    windows: &[[-1.5, 0.95, -0.35, 1.36, 0.32], [-0.25, 0.95, 0.95, 1.36, -0.48]],
    half_width: 0.86,
    wheels: [-1.35, 1.35],
    wheel_radius: 0.32,
};
const KEI: Profile = Profile {
    outline: &[[-1.7, 0.28], [1.7, 0.28], [1.7, 0.85], [1.35, 1.02], [0.95, 1.68], [-1.6, 1.72], [-1.7, 1.0]],
    glass_edges: &[3, 5],
    windows: &[[-1.5, 1.02, -0.3, 1.58, 0.04], [-0.2, 1.02, 1.1, 1.58, -0.3]],
    half_width: 0.74,
    wheels: [-1.15, 1.2],
    wheel_radius: 0.28,
};
const VAN: Profile = Profile {
    outline: &[[-2.3, 0.3], [2.3, 0.3], [2.3, 0.95], [2.1, 1.15], [1.6, 1.92], [-2.25, 1.96], [-2.3, 1.1]],
    glass_edges: &[3, 5],
    windows: &[[-2.1, 1.15, -0.8, 1.75, 0.0], [-0.65, 1.15, 0.5, 1.75, 0.0], [0.65, 1.15, 1.85, 1.75, -0.36]],
    half_width: 0.86,
    wheels: [-1.4, 1.45],
    wheel_radius: 0.33,
};
const TRUCK: Profile = Profile {
    outline: &[[1.3, 0.4], [3.0, 0.4], [3.0, 1.2], [2.9, 1.4], [2.7, 2.25], [1.3, 2.3]],
    glass_edges: &[3],
    windows: &[[1.6, 1.35, 2.6, 2.0, -0.1]],
    half_width: 0.98,
    wheels: [-1.7, 2.2],
    wheel_radius: 0.4,
};
const BUS: Profile = Profile {
    outline: &[[-4.8, 0.4], [4.8, 0.4], [4.85, 1.2], [4.75, 2.9], [-4.8, 2.95]],
    glass_edges: &[2],
    windows: &[
        [-4.4, 1.35, -2.9, 2.4, 0.0],
        [-2.7, 1.35, -1.2, 2.4, 0.0],
        [-1.0, 1.35, 0.5, 2.4, 0.0],
        [0.7, 1.35, 2.2, 2.4, 0.0],
        [3.7, 0.6, 4.5, 2.5, 0.0],
    ],
    half_width: 1.2,
    wheels: [-2.9, 2.6],
    wheel_radius: 0.48,
};

/// Draws a vehicle.
pub fn draw(painter: &mut Painter, kind: VehicleKind, colour: Rgb, heading: f32, item: &Item) {
    let profile = match kind {
        VehicleKind::Car => &CAR,
        VehicleKind::Kei | VehicleKind::Taxi => &KEI,
        VehicleKind::Van => &VAN,
        VehicleKind::Truck => &TRUCK,
        VehicleKind::Bus => &BUS,
    };
    let colour = if kind == VehicleKind::Taxi { [0.10, 0.14, 0.30] } else { colour };
    let low = profile.outline.iter().map(|p| p[0]).fold(f32::MAX, f32::min).min(if kind == VehicleKind::Truck {
        -3.0
    } else {
        9.0
    });
    let high = profile.outline.iter().map(|p| p[0]).fold(f32::MIN, f32::max);
    let ink = Ink([0.05, 0.06, 0.09], 0.35);
    let (w, half) = (profile.half_width + 0.15, (high - low) / 2.0 + 0.1);
    painter.polygon(
        &[
            [item.x - w, item.y - half, 0.0],
            [item.x + w, item.y - half, 0.0],
            [item.x + w, item.y + half, 0.0],
            [item.x - w, item.y + half, 0.0],
        ],
        ink,
    );
    let mut body = Body { painter, profile, item, heading, colour };
    if kind == VehicleKind::Truck {
        // The box stands behind the cab; which of them is nearer decides the order.
        let cab_first = (body.painter.camera.eye[1] - item.y) * heading < 0.0;
        if cab_first {
            body.shell();
        }
        body.cargo();
        if !cab_first {
            body.shell();
        }
    } else {
        body.shell();
    }
    body.ends(low, high);
    if kind == VehicleKind::Taxi {
        let lamp = body.painter.lit([0.96, 0.86, 0.50], [0.0, 0.0, 1.0]);
        let plane = body.painter.billboard(item.x, item.y);
        body.painter.rect(&plane, [-0.28, 1.70, 0.28, 1.90], 0.0, lamp);
    }
}

struct Body<'p, 'a> {
    painter: &'p mut Painter<'a>,
    profile: &'static Profile,
    item: &'p Item,
    heading: f32,
    colour: Rgb,
}

impl Body<'_, '_> {
    fn at(&self, side: f32, [u, v]: [f32; 2]) -> V3 {
        [self.item.x + side * self.profile.half_width, self.item.y + u * self.heading, v]
    }

    /// The side that the camera sees: -1, 1, or 0 when it stands straight before or behind.
    fn visible_side(&self) -> f32 {
        let offset = self.painter.camera.eye[0] - self.item.x;
        if offset.abs() <= self.profile.half_width { 0.0 } else { offset.signum() }
    }

    fn shell(&mut self) {
        let outline = self.profile.outline;
        for (i, &a) in outline.iter().enumerate() {
            let b = outline[(i + 1) % outline.len()];
            // Outward normal of the edge; the outline runs counter-clockwise in `[along, up]`.
            let (du, dv) = (b[0] - a[0], b[1] - a[1]);
            let length = du.hypot(dv).max(1e-3);
            let normal = [0.0, dv / length * self.heading, -du / length];
            let to_eye = {
                let p = self.at(0.0, a);
                let e = self.painter.camera.eye;
                normal[1] * (e[1] - p[1]) + normal[2] * (e[2] - p[2])
            };
            if to_eye <= 0.0 {
                continue;
            }
            let glass = self.profile.glass_edges.contains(&i);
            let ink =
                if glass { self.painter.light.glass.map(|c| c * 0.6) } else { self.painter.lit(self.colour, normal) };
            self.painter.polygon(&[self.at(-1.0, a), self.at(1.0, a), self.at(1.0, b), self.at(-1.0, b)], ink);
        }
        self.flank();
    }

    fn flank(&mut self) {
        let side = self.visible_side();
        if side == 0.0 {
            return;
        }
        let ink = self.painter.lit(self.colour, [side, 0.0, 0.0]);
        let points: Vec<V3> = self.profile.outline.iter().map(|&p| self.at(side, p)).collect();
        self.painter.polygon(&points, ink);
        let glass = self.painter.light.glass.map(|c| c * 0.55);
        for &[u0, v0, u1, v1, lean] in self.profile.windows {
            let (left, right) = if lean > 0.0 { (u0 + lean, u1) } else { (u0, u1 + lean) };
            let corners = [
                self.at(side, [u0, v0]),
                self.at(side, [u1, v0]),
                self.at(side, [right, v1]),
                self.at(side, [left, v1]),
            ];
            self.painter.polygon(&corners, glass);
        }
        self.wheels(side);
    }

    fn wheels(&mut self, side: f32) {
        let r = self.profile.wheel_radius;
        for (size, tone) in [(r, [0.10, 0.10, 0.11]), (r * 0.55, [0.62, 0.63, 0.65])] {
            let ink = self.painter.lit(tone, [side, 0.0, 0.0]);
            for u in self.profile.wheels {
                let points: Vec<V3> = (0..12)
                    .map(|i| {
                        let angle = f64::from(i) / 12.0 * std::f64::consts::TAU;
                        self.at(side, [u + size * angle.cos() as f32, r + size * angle.sin() as f32])
                    })
                    .collect();
                self.painter.polygon(&points, ink);
            }
        }
    }

    fn cargo(&mut self) {
        let (a, b) = (self.item.y - 3.0 * self.heading, self.item.y + 1.2 * self.heading);
        let (x, w) = (self.item.x, self.profile.half_width + 0.02);
        let box_colour = blend(self.colour, [0.92, 0.92, 0.90], 0.6);
        self.painter.cuboid([x - w, a.min(b), 0.8], [x + w, a.max(b), 2.9], box_colour);
        self.painter.cuboid([x - w * 0.9, a.min(b), 0.45], [x + w * 0.9, a.max(b), 0.8], [0.2, 0.2, 0.22]);
        let side = self.visible_side();
        if side != 0.0 {
            self.wheels(side);
        }
    }

    /// Lamps and number plate of the end that the camera sees.
    fn ends(&mut self, low: f32, high: f32) {
        let ahead = (self.painter.camera.eye[1] - self.item.y) * self.heading > 0.0;
        let (u, tone) = if ahead { (high, [0.97, 0.95, 0.84]) } else { (low, [0.74, 0.14, 0.12]) };
        let lamp = self.painter.lit(tone, [0.0, 0.0, 1.0]);
        let plate = self.painter.lit([0.94, 0.94, 0.90], [0.0, 0.0, 0.6]);
        let y = self.item.y + u * self.heading;
        let (x, w) = (self.item.x, self.profile.half_width);
        let mut patch = |x0: f32, x1: f32, v0: f32, v1: f32, ink: Rgb| {
            self.painter.polygon(&[[x0, y, v0], [x1, y, v0], [x1, y, v1], [x0, y, v1]], ink);
        };
        patch(x - w + 0.06, x - w + 0.36, 0.60, 0.74, lamp);
        patch(x + w - 0.36, x + w - 0.06, 0.60, 0.74, lamp);
        patch(x - 0.18, x + 0.18, 0.42, 0.56, plate);
    }
}
