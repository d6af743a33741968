//! Pinhole camera: from metres around the street to pixels.

use super::super::View;
use super::super::scene::Mount;

/// A point or direction: `[right of the road's axis, along the road, up]`, metres.
pub type V3 = [f32; 3];

/// Nothing nearer than this is drawn, metres.
const NEAR: f32 = 0.12;
/// The picture's frame is widened by this factor for clipping, so that anti-aliased edges stay outside.
const MARGIN: f32 = 1.08;

/// Component-wise sum.
pub fn add(a: V3, b: V3) -> V3 {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// `a` scaled by `k`.
pub fn scale(a: V3, k: f32) -> V3 {
    [a[0] * k, a[1] * k, a[2] * k]
}

/// Scalar product.
pub fn dot(a: V3, b: V3) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn mix(a: V3, b: V3, t: f32) -> V3 {
    add(scale(a, 1.0 - t), scale(b, t))
}

/// Position, direction and frame of a camera.
#[derive(Clone, Debug)]
pub struct Camera {
    /// Where it stands.
    pub eye: V3,
    right: V3,
    up: V3,
    forward: V3,
    /// Focal length in pixels.
    pub focal: f32,
    /// Picture width in pixels.
    pub width: f32,
    /// Picture height in pixels.
    pub height: f32,
    /// Pitch in radians.
    pub pitch: f32,
    slope: [f32; 2],
}

impl Camera {
    /// A camera at `mount` in a street that heads to `road_heading`.
    pub fn new(mount: &Mount, road_heading: f32, view: &View) -> Self {
        // Through f64, whose sine and cosine round to the same f32 whatever mathematics library is linked.
        let yaw = f64::from(view.heading - road_heading).to_radians();
        let pitch = f64::from(view.pitch.clamp(-90.0, 90.0)).to_radians();
        let (sin_yaw, cos_yaw) = (yaw.sin() as f32, yaw.cos() as f32);
        let (sin_pitch, cos_pitch) = (pitch.sin() as f32, pitch.cos() as f32);
        let half = f64::from(view.fov.clamp(1.0, 170.0)).to_radians() / 2.0;
        let (width, height) = (view.width as f32, view.height as f32);
        let focal = width / 2.0 / half.tan() as f32;
        Self {
            eye: [mount.x, 0.0, mount.height],
            right: [cos_yaw, -sin_yaw, 0.0],
            up: [-sin_yaw * sin_pitch, -cos_yaw * sin_pitch, cos_pitch],
            forward: [sin_yaw * cos_pitch, cos_yaw * cos_pitch, sin_pitch],
            focal,
            width,
            height,
            pitch: pitch as f32,
            slope: [width / 2.0 / focal * MARGIN, height / 2.0 / focal * MARGIN],
        }
    }

    /// `[right, up, depth]` of a point, metres from the camera.
    pub fn see(&self, p: V3) -> V3 {
        let d = add(p, scale(self.eye, -1.0));
        [dot(d, self.right), dot(d, self.up), dot(d, self.forward)]
    }

    /// Horizontal direction to the right, for surfaces that face the camera.
    pub fn rightward(&self) -> V3 {
        self.right
    }

    /// Metres to a point on the ground.
    pub fn ground_distance(&self, x: f32, y: f32) -> f32 {
        (x - self.eye[0]).hypot(y - self.eye[1])
    }

    /// Pixels of a seen point; its depth must be positive.
    pub fn pixel(&self, seen: V3) -> [f32; 2] {
        let k = self.focal / seen[2];
        [self.width / 2.0 + seen[0] * k, self.height / 2.0 - seen[1] * k]
    }

    /// How far inside each of the five planes of the view a seen point lies; negative is outside.
    fn insides(&self, s: V3) -> [f32; 5] {
        let [x, y] = [s[2] * self.slope[0], s[2] * self.slope[1]];
        [s[2] - NEAR, x - s[0], x + s[0], y - s[1], y + s[1]]
    }

    /// Clips a convex or concave polygon of seen points to the view, in place; `spare` is scratch space.
    /// Returns false when nothing is left.
    pub fn clip(&self, polygon: &mut Vec<V3>, spare: &mut Vec<V3>) -> bool {
        let mut outside = [0_usize; 5];
        for point in polygon.iter() {
            let insides = self.insides(*point);
            (0..5).for_each(|plane| outside[plane] += usize::from(insides[plane] < 0.0));
        }
        if outside.contains(&polygon.len()) {
            return false;
        }
        for plane in (0..5).filter(|&plane| outside[plane] > 0) {
            self.clip_plane(plane, polygon, spare);
            std::mem::swap(polygon, spare);
        }
        polygon.len() >= 3
    }

    fn clip_plane(&self, plane: usize, from: &[V3], into: &mut Vec<V3>) {
        into.clear();
        for (i, &b) in from.iter().enumerate() {
            let a = from[(i + from.len() - 1) % from.len()];
            let (inside_a, inside_b) = (self.insides(a)[plane], self.insides(b)[plane]);
            if (inside_a < 0.0) != (inside_b < 0.0) {
                into.push(mix(a, b, inside_a / (inside_a - inside_b)));
            }
            if inside_b >= 0.0 {
                into.push(b);
            }
        }
    }

    /// Clips a segment of seen points to the view.
    pub fn clip_segment(&self, a: V3, b: V3) -> Option<(V3, V3)> {
        let (inside_a, inside_b) = (self.insides(a), self.insides(b));
        let (mut from, mut to) = (0.0_f32, 1.0_f32);
        for plane in 0..5 {
            let (p, q) = (inside_a[plane], inside_b[plane]);
            match (p < 0.0, q < 0.0) {
                (true, true) => return None,
                (true, false) => from = from.max(p / (p - q)),
                (false, true) => to = to.min(p / (p - q)),
                (false, false) => {}
            }
        }
        (from < to).then(|| (mix(a, b, from), mix(a, b, to)))
    }
}
