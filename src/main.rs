//! `kokodoko`: parse the command line, then hand over to [`kokodoko::app`].

use std::process::ExitCode;

use clap::Parser;
use kokodoko::{app, cli::Cli};

fn main() -> ExitCode {
    app::main(Cli::parse())
}
