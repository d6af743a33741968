//! The quiz's pictures as values that can be sent to another thread.

use crate::chat::picture::board::{self, BoardPicture};
use crate::chat::picture::grid;
use crate::chat::picture::reveal::{self, RevealPicture};
use crate::chat::picture::versus::{self, VersusPicture};
use crate::quiz::Photos;

/// A picture still to be drawn.
pub(super) enum Drawing {
    /// The numbered photos of a round.
    Grid {
        /// JPEGs.
        photos: Photos,
        /// The line above them.
        title: String,
    },
    /// A round's results.
    Reveal(RevealPicture),
    /// A leaderboard.
    Board(BoardPicture),
    /// A person against the model.
    Versus(VersusPicture),
}

impl Drawing {
    /// File extension of what is drawn: photos as JPEG, charts as PNG.
    pub(super) fn extension(&self) -> &'static str {
        match self {
            Self::Grid { .. } | Self::Reveal(_) => "jpg",
            Self::Board(_) | Self::Versus(_) => "png",
        }
    }

    /// Draws it; blocks the thread for a moment.
    pub(super) fn draw(&self) -> Vec<u8> {
        match self {
            Self::Grid { photos, title } => grid::grid(photos, title),
            Self::Reveal(picture) => reveal::reveal(picture),
            Self::Board(picture) => board::board(picture),
            Self::Versus(picture) => versus::versus(picture),
        }
    }
}
