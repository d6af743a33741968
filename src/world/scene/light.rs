//! Light, weather and camera: drawn alike for every area, so that colours betray none.

use super::super::dice::Dice;
use super::Rgb;

/// Sun, sky and haze of a moment.
#[derive(Clone, Debug)]
pub struct Light {
    /// Sky at the zenith.
    pub sky_top: Rgb,
    /// Sky at the horizon.
    pub sky_low: Rgb,
    /// Unit vector towards the sun, in street axes.
    pub sun_direction: [f32; 3],
    /// Direct light.
    pub sun: Rgb,
    /// Light from everywhere.
    pub ambient: Rgb,
    /// Colour into which distance fades.
    pub haze: Rgb,
    /// Share of colour lost per metre.
    pub haze_per_m: f32,
    /// What window panes show by day.
    pub glass: Rgb,
    /// Share of windows with a lamp behind them.
    pub lit_windows: f32,
    /// Opacity of cast shadows.
    pub shadow: f32,
    /// Number of clouds.
    pub clouds: usize,
    /// Colour of clouds.
    pub cloud: Rgb,
    /// Street lamps burn.
    pub lamps: bool,
    /// Seeds the clouds.
    pub seed: u64,
}

/// A named weather, before chance varies it.
#[derive(Clone, Copy)]
struct Weather {
    sky: [Rgb; 2],
    sun: Rgb,
    ambient: Rgb,
    haze: Rgb,
    haze_per_m: f32,
    elevation: (f32, f32),
    glass: Rgb,
    lit: f32,
    shadow: f32,
    clouds: (usize, usize),
    cloud: Rgb,
}

const CLEAR: Weather = Weather {
    sky: [[0.36, 0.60, 0.86], [0.80, 0.89, 0.94]],
    sun: [0.46, 0.43, 0.36],
    ambient: [0.69, 0.71, 0.76],
    haze: [0.78, 0.86, 0.92],
    haze_per_m: 0.0028,
    elevation: (0.5, 1.1),
    glass: [0.42, 0.54, 0.64],
    lit: 0.02,
    shadow: 0.30,
    clouds: (1, 6),
    cloud: [0.98, 0.98, 0.97],
};
const BRIGHT: Weather = Weather {
    sky: [[0.62, 0.74, 0.84], [0.90, 0.92, 0.91]],
    sun: [0.30, 0.29, 0.26],
    ambient: [0.79, 0.80, 0.81],
    haze: [0.86, 0.89, 0.90],
    haze_per_m: 0.004,
    elevation: (0.5, 1.1),
    glass: [0.50, 0.57, 0.62],
    lit: 0.03,
    shadow: 0.16,
    clouds: (4, 9),
    cloud: [0.96, 0.96, 0.95],
};
const OVERCAST: Weather = Weather {
    sky: [[0.66, 0.70, 0.74], [0.84, 0.85, 0.85]],
    sun: [0.10, 0.10, 0.10],
    ambient: [0.83, 0.84, 0.85],
    haze: [0.80, 0.82, 0.83],
    haze_per_m: 0.006,
    elevation: (0.6, 1.0),
    glass: [0.48, 0.52, 0.55],
    lit: 0.08,
    shadow: 0.06,
    clouds: (5, 10),
    cloud: [0.74, 0.77, 0.80],
};
const GOLDEN: Weather = Weather {
    sky: [[0.47, 0.58, 0.74], [0.98, 0.80, 0.58]],
    sun: [0.66, 0.44, 0.22],
    ambient: [0.66, 0.60, 0.62],
    haze: [0.95, 0.79, 0.62],
    haze_per_m: 0.005,
    elevation: (0.18, 0.40),
    glass: [0.66, 0.58, 0.52],
    lit: 0.12,
    shadow: 0.28,
    clouds: (2, 7),
    cloud: [0.99, 0.85, 0.72],
};
const DUSK: Weather = Weather {
    sky: [[0.22, 0.27, 0.46], [0.84, 0.62, 0.58]],
    sun: [0.10, 0.07, 0.08],
    ambient: [0.52, 0.49, 0.59],
    haze: [0.64, 0.52, 0.58],
    haze_per_m: 0.006,
    elevation: (0.1, 0.3),
    glass: [0.36, 0.36, 0.46],
    lit: 0.45,
    shadow: 0.0,
    clouds: (2, 6),
    cloud: [0.66, 0.50, 0.56],
};
const FOG: Weather = Weather {
    sky: [[0.78, 0.80, 0.81], [0.86, 0.87, 0.87]],
    sun: [0.06, 0.06, 0.06],
    ambient: [0.84, 0.85, 0.86],
    haze: [0.84, 0.85, 0.86],
    haze_per_m: 0.014,
    elevation: (0.5, 0.9),
    glass: [0.56, 0.59, 0.61],
    lit: 0.12,
    shadow: 0.0,
    clouds: (0, 1),
    cloud: [0.84, 0.85, 0.86],
};

/// Weathers by weight.
const WEATHERS: [(Weather, f32); 6] =
    [(CLEAR, 36.0), (BRIGHT, 22.0), (OVERCAST, 18.0), (GOLDEN, 12.0), (DUSK, 8.0), (FOG, 4.0)];

impl Light {
    /// A light drawn from the one table that all areas share.
    pub fn draw(dice: &mut Dice) -> Self {
        let weather = dice.weighted(&WEATHERS);
        let warmth = dice.bell() * 0.02;
        let warm = |c: Rgb| [c[0] * (1.0 + warmth), c[1], c[2] * (1.0 - warmth)];
        let strength = dice.range(0.92, 1.08);
        let azimuth = f64::from(dice.unit()) * std::f64::consts::TAU;
        let elevation = f64::from(dice.range(weather.elevation.0, weather.elevation.1));
        let flat = elevation.cos() as f32;
        Self {
            sky_top: warm(weather.sky[0]),
            sky_low: warm(weather.sky[1]),
            sun_direction: [azimuth.sin() as f32 * flat, azimuth.cos() as f32 * flat, elevation.sin() as f32],
            sun: warm(weather.sun).map(|c| c * strength),
            ambient: weather.ambient,
            haze: warm(weather.haze),
            haze_per_m: weather.haze_per_m * dice.range(0.7, 1.4),
            glass: weather.glass,
            lit_windows: weather.lit,
            shadow: weather.shadow,
            clouds: weather.clouds.0 + dice.below(weather.clouds.1 - weather.clouds.0 + 1),
            cloud: warm(weather.cloud),
            lamps: weather.lit > 0.3,
            seed: dice.bits(),
        }
    }

    /// Lamps at a ceiling.
    pub fn indoor() -> Self {
        Self {
            sky_top: [0.9, 0.9, 0.88],
            sky_low: [0.9, 0.9, 0.88],
            sun_direction: [0.3, 0.2, 0.93],
            sun: [0.25, 0.24, 0.22],
            ambient: [0.74, 0.73, 0.71],
            haze: [0.8, 0.8, 0.8],
            haze_per_m: 0.0,
            glass: [0.6, 0.7, 0.75],
            lit_windows: 0.5,
            shadow: 0.0,
            clouds: 0,
            cloud: [1.0; 3],
            lamps: true,
            seed: 0,
        }
    }
}

/// What camera and development do to a picture.
#[derive(Clone, Copy, Debug)]
pub struct Finish {
    /// Factor of each channel: white balance and exposure.
    pub gain: Rgb,
    /// Contrast around middle grey, 1 leaves it.
    pub contrast: f32,
    /// Saturation, 1 leaves it.
    pub saturation: f32,
    /// Darkening of the corners, 0 to 1.
    pub vignette: f32,
    /// Blur radius as a share of the picture's width; 0 for a sharp one.
    pub blur: f32,
    /// Amplitude of the grain, in steps of 8-bit values.
    pub grain: f32,
    /// Seeds the grain.
    pub seed: u64,
}

impl Finish {
    /// A camera drawn from the one table that all areas share.
    pub fn draw(dice: &mut Dice) -> Self {
        let exposure = (0.07 + dice.bell() * 0.10).exp();
        let (warm, green) = (dice.bell() * 0.045, dice.bell() * 0.015);
        Self {
            gain: [exposure * (1.0 + warm), exposure * (1.0 + green), exposure * (1.0 - warm)],
            contrast: dice.range(0.86, 1.14),
            saturation: dice.range(0.75, 1.15),
            vignette: if dice.chance(0.5) { dice.range(0.0, 0.30) } else { 0.0 },
            blur: if dice.chance(0.2) { dice.range(0.0006, 0.0022) } else { 0.0 },
            grain: if dice.chance(0.5) { dice.range(0.5, 4.0) } else { 0.0 },
            seed: dice.bits(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sun_direction_is_a_unit_vector_above_the_horizon() {
        for seed in 0..200 {
            let light = Light::draw(&mut Dice::new(seed, 1));
            let [x, y, z] = light.sun_direction;
            assert!((x * x + y * y + z * z - 1.0).abs() < 1e-4);
            assert!(z > 0.0);
        }
    }
}
