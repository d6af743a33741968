//! How good a model is, and whether another is better: on photos of places that neither was trained on.
//!
//! [`photos`] are shown to models by [`ask()`], which remembers the answers; [`score()`] judges one model,
//! [`compare()`] two on the same photos, and [`gallery`] picks the photos worth looking at;
//! [`distance`] says how far off guesses are, and compares models whose areas differ by it;
//! [`second`] says what look-alikes are worth as a second opinion. The end of a training uses
//! the same [`score()`].

pub mod ask;
pub mod compare;
pub mod distance;
pub mod gallery;
pub mod photos;
pub mod pointing;
pub mod portrait;
pub mod score;
pub mod second;
pub mod strays;

pub use ask::{Answers, AskError, Model, ask};
pub use compare::{
    Against, ByDistance, ByNames, Decision, Exam, Given, Judgement, Measured, Verdict, compare, share_names,
};
pub use distance::{DistanceError, Placed, far_off, nearer};
pub use photos::{PhotoError, TestPhoto};
pub use pointing::{Pointing, pointing};
pub use portrait::Portrait;
pub use score::{Graded, Recall, Score, score};
