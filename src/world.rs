//! The drawn world: a deterministic stand-in for street imagery.
//!
//! Nothing outside this module (and the commands that drive it) knows that pictures are drawn:
//! photos leave it as JPEG bytes, as they would leave Street View or Mapillary.

pub mod render;
pub mod scene;

use image::RgbImage;
use serde::Serialize;

use crate::domain::{Area, Coordinate};

/// Season in which a panorama was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Season {
    /// March to May.
    Spring,
    /// June to August.
    Summer,
    /// September to November.
    Autumn,
    /// December to February.
    Winter,
}

/// One camera position with everything around it: the drawn world's unit of place.
#[derive(Clone, Debug, PartialEq)]
pub struct Panorama {
    /// Stable identifier, 22 characters of URL-safe base64, as Street View's are.
    pub id: String,
    /// Index into [`World::areas`].
    pub area: usize,
    /// Town (字, `赤坂一丁目`) whose disc holds the position; the unit of splits.
    pub town: String,
    /// Where the camera stands, inside the area's border.
    pub position: Coordinate,
    /// Compass direction of the road, degrees, 0 to 360.
    pub road_heading: f32,
    /// Capture year and month.
    pub captured: (i32, u32),
    /// Season of the capture.
    pub season: Season,
    /// Taken inside a building: what `source=outdoor` leaves out.
    pub indoor: bool,
    /// Seeds all that is random in the scene.
    pub seed: u64,
}

/// A camera's look at a panorama.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Compass direction, degrees, 0 to 360.
    pub heading: f32,
    /// Horizontal field of view, degrees, 10 to 120.
    pub fov: f32,
    /// Up (positive) or down from the horizon, degrees, -90 to 90.
    pub pitch: f32,
    /// Picture width in pixels.
    pub width: u32,
    /// Picture height in pixels.
    pub height: u32,
}

/// A kind of thing that betrays the area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CueKind {
    /// Guard rail or fence between road and pavement.
    Fence,
    /// Pattern of the pavement.
    Pavement,
    /// A building façade of a telling material or height.
    Building,
    /// Street or ward sign.
    Sign,
    /// Tree or planting.
    Tree,
    /// Lying snow, snow pole.
    Snow,
    /// Bollard, lamp, vending machine and the like.
    Furniture,
}

/// Where a cue is in the picture: ground truth for heatmaps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cue {
    /// What it is.
    pub kind: CueKind,
    /// Left edge, pixels from the left, clipped to the picture.
    pub x: u32,
    /// Top edge, pixels from the top, clipped to the picture.
    pub y: u32,
    /// Width in pixels, at least 1.
    pub width: u32,
    /// Height in pixels, at least 1.
    pub height: u32,
}

/// A drawn picture with its truth.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// RGB, 8 bits a channel, upright.
    pub image: RgbImage,
    /// Visible cues, far to near.
    pub cues: Vec<Cue>,
}

/// A photo as it would come from a camera or a service.
#[derive(Clone, Debug)]
pub struct Photo {
    /// Index into [`World::areas`].
    pub area: usize,
    /// Where and when it was taken.
    pub panorama: Panorama,
    /// How the camera looked.
    pub view: View,
    /// Baseline JPEG.
    pub jpeg: Vec<u8>,
    /// Ground truth.
    pub cues: Vec<Cue>,
}

/// All areas, towns and panoramas.
#[derive(Debug)]
pub struct World {
    areas: Vec<Area>,
}
