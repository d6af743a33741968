//! Fills polygons in perspective: the one place that talks to tiny-skia.
//!
//! Polygons of the same colour that follow each other are gathered into one path and filled at once, which is what
//! makes a street of thousands of windows cheap. Filling uses the non-zero rule after all polygons were turned the
//! same way, so overlapping ones unite.

use tiny_skia::{FillRule, Paint, Path, PathBuilder, Pixmap, Transform};

use super::super::scene::{Light, Rgb};
use super::camera::{Camera, V3, add, dot, scale};

/// A colour with opacity, both 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ink(pub Rgb, pub f32);

impl From<Rgb> for Ink {
    fn from(colour: Rgb) -> Self {
        Self(colour, 1.0)
    }
}

/// Smallest rectangle around what was drawn, pixels; empty when `x0 > x1`.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Left.
    pub x0: f32,
    /// Top.
    pub y0: f32,
    /// Right.
    pub x1: f32,
    /// Bottom.
    pub y1: f32,
}

impl Bounds {
    const EMPTY: Self = Self { x0: f32::MAX, y0: f32::MAX, x1: f32::MIN, y1: f32::MIN };

    fn include(&mut self, [x, y]: [f32; 2]) {
        (self.x0, self.y0) = (self.x0.min(x), self.y0.min(y));
        (self.x1, self.y1) = (self.x1.max(x), self.y1.max(y));
    }
}

/// A vertical rectangle in space on which flat things are drawn: a wall, a panel, a billboard.
#[derive(Clone, Copy, Debug)]
pub struct Plane {
    /// Lower left corner.
    pub origin: V3,
    /// Unit vector along the lower edge.
    pub along: V3,
    /// Unit vector towards the viewer.
    pub out: V3,
}

impl Plane {
    /// The point `u` along, `v` up and `out` in front.
    pub fn at(&self, u: f32, v: f32, out: f32) -> V3 {
        let flat = add(self.origin, add(scale(self.along, u), scale(self.out, out)));
        [flat[0], flat[1], flat[2] + v]
    }
}

/// Paints into one picture.
pub struct Painter<'a> {
    /// The camera.
    pub camera: &'a Camera,
    /// The light.
    pub light: &'a Light,
    pixmap: Pixmap,
    gathered: PathBuilder,
    gathered_ink: [u8; 4],
    bounds: Bounds,
    haze: f32,
    polygon: Vec<V3>,
    spare: Vec<V3>,
    pixels: Vec<[f32; 2]>,
}

impl<'a> Painter<'a> {
    /// A painter with an empty picture; `None` when a side is 0 or the picture is too large.
    pub fn new(camera: &'a Camera, light: &'a Light) -> Option<Self> {
        Some(Self {
            camera,
            light,
            pixmap: Pixmap::new(camera.width as u32, camera.height as u32)?,
            gathered: PathBuilder::new(),
            gathered_ink: [0; 4],
            bounds: Bounds::EMPTY,
            haze: 0.0,
            polygon: Vec::new(),
            spare: Vec::new(),
            pixels: Vec::new(),
        })
    }

    /// The finished picture.
    pub fn finish(mut self) -> Pixmap {
        self.flush();
        self.pixmap
    }

    /// What follows lies about `distance` metres away: far things fade into the haze.
    pub fn at_distance(&mut self, distance: f32) {
        self.haze = 1.0 - (-f64::from(distance * self.light.haze_per_m)).exp() as f32;
    }

    /// Starts to measure what is drawn.
    pub fn start_bounds(&mut self) {
        self.bounds = Bounds::EMPTY;
    }

    /// What was drawn since [`Self::start_bounds`].
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Pixels per metre at a distance.
    pub fn pixels_per_m(&self, distance: f32) -> f32 {
        self.camera.focal / distance.max(0.3)
    }

    /// A surface colour under the light, by the surface's normal.
    pub fn lit(&self, colour: Rgb, normal: V3) -> Rgb {
        let facing = dot(normal, self.light.sun_direction).max(0.0);
        let sky = 0.85 + 0.15 * normal[2];
        std::array::from_fn(|i| colour[i] * (self.light.ambient[i] * sky + self.light.sun[i] * facing))
    }

    /// A polygon of points in space; its ink is taken as lit.
    pub fn polygon(&mut self, points: &[V3], ink: impl Into<Ink>) {
        self.polygon.clear();
        let camera = self.camera;
        self.polygon.extend(points.iter().map(|&point| camera.see(point)));
        if !camera.clip(&mut self.polygon, &mut self.spare) {
            return;
        }
        self.pixels.clear();
        self.pixels.extend(self.polygon.iter().map(|&seen| camera.pixel(seen)));
        self.gather(ink.into());
    }

    /// A line in space that is `width` metres thick.
    pub fn line(&mut self, from: V3, to: V3, width: f32, ink: impl Into<Ink>) {
        let Some((a, b)) = self.camera.clip_segment(self.camera.see(from), self.camera.see(to)) else { return };
        let (p, q) = (self.camera.pixel(a), self.camera.pixel(b));
        let (dx, dy) = (q[0] - p[0], q[1] - p[1]);
        let length = dx.hypot(dy).max(1e-3);
        let mut ink = ink.into();
        let (half_p, half_q) = (width * self.camera.focal / a[2] / 2.0, width * self.camera.focal / b[2] / 2.0);
        // Thinner than half a pixel, a line fades instead of thinning, else it would break into dots.
        let thickest = half_p.max(half_q);
        if thickest < 0.25 {
            ink.1 *= (thickest / 0.25).max(0.15);
        }
        let (half_p, half_q) = (half_p.clamp(0.25, 4_000.0), half_q.clamp(0.25, 4_000.0));
        let (nx, ny) = (-dy / length, dx / length);
        self.pixels.clear();
        self.pixels.extend([
            [p[0] + nx * half_p, p[1] + ny * half_p],
            [q[0] + nx * half_q, q[1] + ny * half_q],
            [q[0] - nx * half_q, q[1] - ny * half_q],
            [p[0] - nx * half_p, p[1] - ny * half_p],
        ]);
        self.gather(ink);
    }

    /// A rectangle on a plane, `out` metres in front of it.
    pub fn rect(&mut self, plane: &Plane, [u0, v0, u1, v1]: [f32; 4], out: f32, ink: impl Into<Ink>) {
        let corners = [plane.at(u0, v0, out), plane.at(u1, v0, out), plane.at(u1, v1, out), plane.at(u0, v1, out)];
        self.polygon(&corners, ink);
    }

    /// A polygon on a plane.
    pub fn shape(&mut self, plane: &Plane, points: &[[f32; 2]], ink: impl Into<Ink>) {
        let points: Vec<V3> = points.iter().map(|&[u, v]| plane.at(u, v, 0.0)).collect();
        self.polygon(&points, ink);
    }

    /// An ellipse on a plane.
    pub fn oval(&mut self, plane: &Plane, [u, v]: [f32; 2], [ru, rv]: [f32; 2], ink: impl Into<Ink>) {
        let depth = self.camera.see(plane.at(u, v, 0.0))[2].max(0.3);
        let radius = ru.max(rv) * self.camera.focal / depth;
        let corners = &ROUND[usize::from(radius > 5.0) + usize::from(radius > 30.0)];
        let mut points = [[0.0; 3]; 24];
        for (point, [cos, sin]) in points.iter_mut().zip(corners.iter()) {
            *point = plane.at(u + ru * cos, v + rv * sin, 0.0);
        }
        self.polygon(&points[..corners.len()], ink);
    }

    /// An ellipse that lies flat at height `z`.
    pub fn flat_oval(&mut self, [x, y, z]: V3, [rx, ry]: [f32; 2], ink: impl Into<Ink>) {
        let mut points = [[0.0; 3]; 16];
        for (point, [cos, sin]) in points.iter_mut().zip(ROUND[1].iter()) {
            *point = [x + rx * cos, y + ry * sin, z];
        }
        self.polygon(&points, ink);
    }

    /// A plane through `(x, y)` at height 0 that faces the camera; `u` runs to the right of the picture.
    pub fn billboard(&self, x: f32, y: f32) -> Plane {
        let along = self.camera.rightward();
        Plane { origin: [x, y, 0.0], along, out: [along[1], -along[0], 0.0] }
    }

    /// A box between two corners: the faces that the camera sees, each lit by its normal.
    pub fn cuboid(&mut self, low: V3, high: V3, colour: Rgb) {
        let [x0, y0, z0] = low;
        let [x1, y1, z1] = high;
        let eye = self.camera.eye;
        if eye[2] > z1 {
            let ink = self.lit(colour, [0.0, 0.0, 1.0]);
            self.polygon(&[[x0, y0, z1], [x1, y0, z1], [x1, y1, z1], [x0, y1, z1]], ink);
        }
        if eye[2] < z0 {
            let ink = self.lit(colour, [0.0, 0.0, -1.0]);
            self.polygon(&[[x0, y0, z0], [x1, y0, z0], [x1, y1, z0], [x0, y1, z0]], ink);
        }
        for (seen, x, n) in [(eye[0] < x0, x0, -1.0), (eye[0] > x1, x1, 1.0)] {
            if seen {
                let ink = self.lit(colour, [n, 0.0, 0.0]);
                self.polygon(&[[x, y0, z0], [x, y1, z0], [x, y1, z1], [x, y0, z1]], ink);
            }
        }
        for (seen, y, n) in [(eye[1] < y0, y0, -1.0), (eye[1] > y1, y1, 1.0)] {
            if seen {
                let ink = self.lit(colour, [0.0, n, 0.0]);
                self.polygon(&[[x0, y, z0], [x1, y, z0], [x1, y, z1], [x0, y, z1]], ink);
            }
        }
    }

    /// Fills each row of the picture with a colour; rows are counted from 0 (top) to 1 (bottom).
    pub fn rows(&mut self, colour: impl Fn(f32) -> Rgb) {
        self.flush();
        let (width, height) = (self.pixmap.width() as usize, self.camera.height);
        for (y, row) in self.pixmap.data_mut().chunks_exact_mut(width * 4).enumerate() {
            let [r, g, b] = colour((y as f32 + 0.5) / height).map(byte);
            row.chunks_exact_mut(4).for_each(|pixel| pixel.copy_from_slice(&[r, g, b, 255]));
        }
    }

    fn gather(&mut self, ink: Ink) {
        let haze = self.light.haze;
        let [r, g, b]: [u8; 3] = std::array::from_fn(|i| byte(ink.0[i] + (haze[i] - ink.0[i]) * self.haze));
        let ink = [r, g, b, byte(ink.1)];
        if ink != self.gathered_ink {
            self.flush();
            self.gathered_ink = ink;
        }
        let points = &self.pixels;
        let area: f32 = points.iter().zip(points.iter().cycle().skip(1)).map(|(p, q)| p[0] * q[1] - q[0] * p[1]).sum();
        points.iter().for_each(|&point| self.bounds.include(point));
        let count = points.len();
        for i in 0..count {
            let [x, y] = points[if area < 0.0 { count - 1 - i } else { i }];
            if i == 0 {
                self.gathered.move_to(x, y);
            } else {
                self.gathered.line_to(x, y);
            }
        }
        self.gathered.close();
    }

    fn flush(&mut self) {
        if self.gathered.is_empty() {
            return;
        }
        let Some(path) = std::mem::take(&mut self.gathered).finish() else { return };
        let [r, g, b, a] = self.gathered_ink;
        let mut paint = Paint { anti_alias: true, ..Paint::default() };
        paint.set_color_rgba8(r, g, b, a);
        self.pixmap.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
        self.gathered = Path::clear(path);
    }
}

fn byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}

/// Cosines and sines of 8, 16 and 24 even steps around a circle.
static ROUND: std::sync::LazyLock<[Vec<[f32; 2]>; 3]> = std::sync::LazyLock::new(|| {
    [8, 16, 24].map(|n| {
        let angle = |i: i32| f64::from(i) / f64::from(n) * std::f64::consts::TAU;
        (0..n).map(|i| [angle(i).cos() as f32, angle(i).sin() as f32]).collect()
    })
});
