//! The sizes that Mapillary keeps its pictures in.

/// A size, by its width; the height follows from the camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// 256 pixels wide.
    Small,
    /// 1,024 pixels wide.
    Middle,
    /// 2,048 pixels wide.
    Large,
}

impl Size {
    /// The smallest that is at least so many pixels wide, or the largest.
    #[must_use]
    pub fn for_width(pixels: u32) -> Self {
        match pixels {
            0..=256 => Self::Small,
            257..=1_024 => Self::Middle,
            _ => Self::Large,
        }
    }

    /// Its width, pixels.
    #[must_use]
    pub fn width(self) -> u32 {
        match self {
            Self::Small => 256,
            Self::Middle => 1_024,
            Self::Large => 2_048,
        }
    }

    /// The field of an image that links to it.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Small => "thumb_256_url",
            Self::Middle => "thumb_1024_url",
            Self::Large => "thumb_2048_url",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_never_narrower_than_asked_where_that_can_be() {
        for (asked, given) in [(64, 256), (256, 256), (257, 1_024), (640, 1_024), (1_025, 2_048), (4_000, 2_048)] {
            assert_eq!(Size::for_width(asked).width(), given, "{asked}");
        }
    }
}
