//! The command line.

pub mod data;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::domain::Split;
use crate::domain::imagery::Source;

/// ここどこ? Where is this? Names the municipality of a street photo.
#[derive(Debug, Parser)]
#[command(version, about, long_about = None)]
pub struct Cli {
    /// Configuration file [default: kokodoko.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do [default: demo]
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the local page (what runs when no command is given)
    Demo(Demo),
    /// Run the bots that the configuration enables, and the page
    Serve(Serve),
    /// Say where photos were taken
    Predict(Predict),
    /// Beat the model: play a round alone, here in the terminal
    Quiz(Play),
    /// Scores of "beat the model"
    Scores(Scores),
    /// Collect street imagery by a plan of points, or only say what the plan comes to
    Collect(Collect),
    /// Train the model of the drawn world
    Train(Train),
    /// Say how good a model is, and whether it is better than another
    Evaluate(Evaluate),
    /// Which models there are, and which is live
    #[command(subcommand)]
    Models(Models),
    /// What was collected, and what it cost
    #[command(subcommand)]
    Data(data::Data),
    /// The drawn world: photos and services to try everything on
    #[command(subcommand)]
    World(World),
    /// Check the configuration and say what would run
    CheckConfig,
    /// Look whether all that is configured can work: tokens, models, disks, clock; say what to do where it cannot
    Doctor,
    /// Ask the program that runs with this configuration whether it is well (exit status 1: it is not)
    Health,
    /// Write the database and the models to a new folder; a bot may run meanwhile
    Backup {
        /// The folder, which must not be there yet
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
    /// Bring back what `backup` wrote; overwrites nothing
    Restore {
        /// The folder
        #[arg(long, value_name = "FOLDER")]
        from: PathBuf,
    },
    /// Write networks with reference outputs, for tests/parity
    #[command(hide = true)]
    ExportReference {
        /// Folder to write to
        #[arg(long)]
        out: PathBuf,
        /// One training step of each network instead
        #[arg(long)]
        steps: bool,
        /// Weights to read and write again instead, named after their network (resnet18.pth)
        #[arg(long)]
        weights: Option<PathBuf>,
    },
}

impl Command {
    /// The backend that the command line asks for.
    #[must_use]
    pub fn backend(&self) -> Option<&str> {
        match self {
            Self::Serve(options) => options.backend.as_deref(),
            _ => None,
        }
    }
}

/// Options of `serve`.
#[derive(Args, Debug, Default)]
pub struct Serve {
    /// What runs the model [default: infer.backend of the configuration]
    #[arg(long, value_parser = ["auto", "tract", "onnxruntime", "cuda", "tensorrt"])]
    pub backend: Option<String>,
}

/// Options of `demo`.
#[derive(Args, Debug, Default)]
pub struct Demo {
    /// Address to listen on [default: web.bind of the configuration]
    #[arg(long)]
    pub bind: Option<SocketAddr>,
    /// Print the page's address as the first line of standard output
    #[arg(long)]
    pub print_url: bool,
}

/// Options of `predict`.
#[derive(Args, Debug)]
pub struct Predict {
    /// Photos; `-` reads one from standard input
    #[arg(required = true)]
    pub photos: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// How many areas to name
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub top: u16,
    /// Write a heatmap (one photo only) as a PNG or JPEG: why the best area, or with --why-not why not another
    #[arg(long, value_name = "OUT")]
    pub heatmap: Option<PathBuf>,
    /// The area that the heatmap sets the best one against: 渋谷区 or Shibuya
    #[arg(long, value_name = "AREA", requires = "heatmap")]
    pub why_not: Option<String>,
    /// Write a map with the most probable areas and the guess (one photo only), as a PNG or JPEG
    #[arg(long, value_name = "OUT")]
    pub map: Option<PathBuf>,
    /// Name the photos of other places that look alike; with =OUT write a picture of them as well (one photo only)
    #[arg(long, value_name = "OUT", num_args = 0..=1, require_equals = true)]
    pub similar: Option<Option<PathBuf>>,
    /// Give photos whose file says where they were taken as test photos, for `evaluate` (`data gifts --withdraw` undoes it)
    #[arg(long)]
    pub keep: bool,
    /// Language of the answer: ja or en [default: the environment's]
    #[arg(long)]
    pub lang: Option<String>,
}

/// Options of `quiz`.
#[derive(Args, Debug)]
pub struct Play {
    /// As after /quiz: number of photos, seconds, difficulty, areas (`5 60s hard 港区 渋谷区`)
    pub words: Vec<String>,
    /// The round of the day, the same for everyone
    #[arg(long, conflicts_with_all = ["words", "rematch"])]
    pub daily: bool,
    /// The photos of another round, by its code
    #[arg(long, value_name = "CODE", conflicts_with = "words")]
    pub rematch: Option<String>,
    /// Folder for the photos [default: kokodoko-quiz]
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Your name on the leaderboard [default: the user's]
    #[arg(long)]
    pub name: Option<String>,
    /// Language: ja or en [default: the environment's]
    #[arg(long)]
    pub lang: Option<String>,
}

/// Options of `scores`.
#[derive(Args, Debug)]
pub struct Scores {
    /// What to say
    #[arg(value_enum, default_value_t = About::Score)]
    pub about: About,
    /// As after /leaderboard: `global`, and `week`, `month` or `all`; after /link: a code
    pub words: Vec<String>,
    /// Write the picture, where there is one
    #[arg(long, value_name = "OUT")]
    pub out: Option<PathBuf>,
    /// Language: ja or en [default: the environment's]
    #[arg(long)]
    pub lang: Option<String>,
}

/// What `scores` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum About {
    /// Your own scores
    Score,
    /// Who is best
    Leaderboard,
    /// You against the model
    Versus,
    /// Join this terminal with your chat account
    Link,
    /// Remove everything about you
    Forget,
}

/// Options of `collect`.
#[derive(Args, Debug)]
pub struct Collect {
    /// Where imagery comes from: mapillary, streetview or folder [default: collect.source]
    #[arg(long)]
    pub source: Option<Source>,
    /// These areas only, separated by commas: names of configured ones, or full names (東京都港区)
    #[arg(long, value_delimiter = ',', value_name = "AREAS")]
    pub areas: Vec<String>,
    /// Points in each town [default: collect.points_per_town]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub points: Option<u32>,
    /// Only say what it comes to: towns are listed, the source of imagery is not asked
    #[arg(long)]
    pub dry_run: bool,
    /// Write a map of the plan, PNG
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// Language: ja or en [default: the environment's]
    #[arg(long)]
    pub lang: Option<String>,
}

/// Options of `train`.
#[derive(Args, Debug)]
pub struct Train {
    /// Folder for model.onnx, manifest.toml and the checkpoints
    #[arg(long, required_unless_present = "augment_sheet")]
    pub out: Option<PathBuf>,
    /// What is fitted
    #[arg(long, value_enum, default_value_t = Mode::Full)]
    pub mode: Mode,
    /// Photos in folders SPLIT/AREA, as `data export` writes them [default: draw them]
    #[arg(long, value_name = "FOLDER", conflicts_with = "smoke")]
    pub data: Option<PathBuf>,
    /// Labels are cells of the globe, made of the positions of the photos to train on, instead of areas: photos may lie
    /// anywhere in the folder, with a table that has columns file_name, lat and lng
    #[arg(long)]
    pub cells: bool,
    /// Divide a cell with more photos to train on [default: 300]
    #[arg(long, value_name = "PHOTOS", requires = "cells", value_parser = clap::value_parser!(u32).range(1..))]
    pub most: Option<u32>,
    /// Drop a cell with fewer, and its photos with it [default: 20]
    #[arg(long, value_name = "PHOTOS", requires = "cells", value_parser = clap::value_parser!(u32).range(1..))]
    pub least: Option<u32>,
    /// S2 level at which no cell is divided any more; an edge is about 7,800 km / 2^LEVEL long [default: 13]
    #[arg(long, value_name = "LEVEL", requires = "cells", value_parser = clap::value_parser!(u8).range(0..=30))]
    pub deepest: Option<u8>,
    /// Name of the model in its manifest [default: drawn-world, or that of the folder --out; that of --from with -head]
    #[arg(long)]
    pub name: Option<String>,
    /// How to train: reference, drawn-world, drawn-world-gpu or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "drawn-world")]
    pub recipe: String,
    /// First weights: torchvision's (.safetensors or .pth), or the folder of an earlier training [default: random]
    #[arg(long, value_name = "PATH")]
    pub from: Option<PathBuf>,
    /// Seed of everything random [default: the recipe's, or 1]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Folder in which --mode head remembers features [default: kokodoko in the user's cache]
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Photos an area that are drawn to train on [default: 1000]
    #[arg(long, conflicts_with = "data", value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub photos: Option<u32>,
    /// A short run on few photos, to see that everything works
    #[arg(long, conflicts_with = "photos")]
    pub smoke: bool,
    /// What computes
    #[arg(long, value_enum, default_value_t = TrainDevice::Cpu)]
    pub device: TrainDevice,
    /// Go on from the last checkpoint in the folder
    #[arg(long, conflicts_with = "from")]
    pub resume: bool,
    /// Do each step in so many parts, for which less memory is enough; more where it runs out all the same
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub parts: u32,
    /// Do not fit: finish from the best checkpoint in the folder
    #[arg(long, conflicts_with_all = ["from", "resume"])]
    pub from_checkpoint: bool,
    /// Do not train: write a picture of what the recipe does to photos
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "from", "resume", "from_checkpoint"])]
    pub augment_sheet: Option<PathBuf>,
    /// End as soon as standard input ends: for the program that starts this one and may be killed
    #[arg(long, hide = true)]
    pub attended: bool,
}

/// What a training fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// The whole network
    Full,
    /// The last layer alone, on the network of the configured model or of --from: minutes instead of hours
    Head,
}

/// What computes a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TrainDevice {
    /// The processor
    Cpu,
    /// The first NVIDIA GPU; the program must be built with the feature `cuda`
    Cuda,
}

/// Options of `evaluate`.
#[derive(Args, Debug)]
pub struct Evaluate {
    /// Folder of the model [default: the live one, that is, the configuration's]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Folder of a model to compare it with, or `live`; by distance where their areas differ
    #[arg(long, value_name = "DIR")]
    pub against: Option<PathBuf>,
    /// Folder of an exported dataset, whose test split is used, or `drawn`
    #[arg(long, value_name = "DIR", default_value = "drawn")]
    pub data: PathBuf,
    /// Folder for report.html, report.json and pictures
    #[arg(long, value_name = "DIR", default_value = "kokodoko-report")]
    pub out: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print progress as well, one JSON object a line, the result as the last
    #[arg(long, conflicts_with = "json")]
    pub progress: bool,
    /// End as soon as standard input ends, as with `train`
    #[arg(long, hide = true)]
    pub attended: bool,
    /// Only the first photos, for a quick look
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub photos: Option<u32>,
    /// Only say what look-alikes are worth as a second opinion on the same photos, as JSON
    #[arg(long, conflicts_with_all = ["against", "json", "progress"])]
    pub similar: bool,
    /// Folder in which answers are remembered [default: kokodoko in the user's cache]
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Language of the table, and the one that the page opens in: ja or en [default: the environment's]
    #[arg(long)]
    pub lang: Option<String>,
}

/// Models.
#[derive(Debug, Subcommand)]
pub enum Models {
    /// Name every model, the live one marked
    List {
        /// Language: ja or en [default: the environment's]
        #[arg(long)]
        lang: Option<String>,
    },
    /// Compare a model with the live one, on photos of places that neither was trained on
    Compare {
        /// Its name: that of its folder below `models.folder`
        name: String,
    },
    /// Make a model live, if the comparison with the live one says that it is better
    Promote {
        /// Its name: that of its folder below `models.folder`
        name: String,
        /// Whatever a comparison says, for this reason; it is kept
        #[arg(long, value_name = "REASON")]
        force: Option<String>,
    },
    /// Make the model live that was live before
    Rollback,
    /// Show the photos most like an area to the live model, with heatmaps: pictures in --out
    Gallery {
        /// The area: 港区 or Minato [default: an overview of all]
        area: Option<String>,
        /// Where and in which language
        #[command(flatten)]
        show: Show,
    },
    /// Show what the live model takes for what, with photos: pictures in --out
    Confusions {
        /// Where and in which language
        #[command(flatten)]
        show: Show,
    },
    /// Draw a map of the towns that the live model finds, and of those that it misses: a picture in --out
    Atlas {
        /// The area: 港区 or Minato [default: all]
        area: Option<String>,
        /// Where and in which language
        #[command(flatten)]
        show: Show,
    },
    /// Make the index of look-alikes of a model, of photos that it was trained on
    Index {
        /// Its name: that of its folder below `models.folder`
        name: String,
        /// Folder of the photos that it was trained on, as `data export` writes it [default: draw them]
        #[arg(long, value_name = "FOLDER")]
        data: Option<PathBuf>,
        /// Seed of its training, for drawn photos
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Most photos of an area
        #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        per_area: u32,
    },
    /// Write a model for servers that run it for several bots (`infer.backend = "kserve"`)
    Export {
        /// Its name: that of its folder below `models.folder` [default: the live one]
        name: Option<String>,
        /// NVIDIA Triton's model repository, a folder
        #[arg(long, value_name = "FOLDER")]
        triton: PathBuf,
    },
}

/// How pictures of a model are shown.
#[derive(Args, Debug)]
pub struct Show {
    /// Folder for the pictures
    #[arg(long, value_name = "DIR", default_value = "kokodoko-model")]
    pub out: PathBuf,
    /// Language: ja or en [default: the environment's]
    #[arg(long)]
    pub lang: Option<String>,
}

/// The drawn world.
#[derive(Debug, Subcommand)]
pub enum World {
    /// Write photos with a table of the truth (truth.csv)
    Render(Render),
    /// Answer as Street View, Geolonia and Mapillary do
    Serve {
        /// Address to listen on; loopback only
        #[arg(long, default_value = "127.0.0.1:8600")]
        bind: SocketAddr,
    },
    /// Measure whether heatmaps point at what betrays the area: the pointing game and the occlusion test, as JSON
    Heatmaps(Heatmaps),
    /// Compare scores that tell photos which are no street, on drawn streets, rooms, screenshots, shapes and noise
    Outliers(Outliers),
    /// Write one picture with many photos, areas in rows
    Sheet {
        /// The picture, PNG
        #[arg(long)]
        out: PathBuf,
        /// Photos in a row
        #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=20))]
        columns: u32,
        /// Seed
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

/// Options of `world heatmaps`.
#[derive(Args, Debug)]
pub struct Heatmaps {
    /// Folder of the model [default: the configuration's]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// How many photos, the areas in turn; each is drawn up to four times
    #[arg(long, value_name = "N", default_value_t = 1050, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub photos: u32,
    /// From which towns: validation to compare ways, test to report
    #[arg(long, default_value = "test")]
    pub split: Split,
}

/// Options of `world outliers`.
#[derive(Args, Debug)]
pub struct Outliers {
    /// Folder of the model [default: the live one]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Photos of each area in validation and test split, twice as many in the train split, and pictures of each other kind
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    pub photos: u32,
    /// Write what was fitted into the folder of the model, whose answers then name no area where there is no street
    #[arg(long, requires = "model")]
    pub write: bool,
    /// The model's new version, with --write
    #[arg(long, requires = "write")]
    pub version: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `world render`.
#[derive(Args, Debug)]
pub struct Render {
    /// Folder to write to
    #[arg(long)]
    pub out: PathBuf,
    /// How many photos, the areas in turn
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub count: u32,
    /// Seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// From which towns: train, validation, test or quiz
    #[arg(long, default_value = "test")]
    pub split: Split,
    /// Write into each file where it was "taken", as cameras with a receiver do
    #[arg(long)]
    pub positions: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_names_every_command() {
        insta::assert_snapshot!(Cli::command().render_help().to_string());
    }
}
