//! `kokodoko`: parse the command line, then hand over to [`kokodoko::app`].

use std::process::ExitCode;

use clap::Parser;
use kokodoko::{app, cli::Cli};

/// Status of a program that writes to nobody, as shells know it: 128 and the number of SIGPIPE.
const NOBODY_READS: i32 = 141;

fn main() -> ExitCode {
    end_quietly_where_nobody_reads();
    app::main(Cli::parse())
}

/// `println!` panics once whoever reads has seen enough (`kokodoko check-config | head -1`), which is no fault.
fn end_quietly_where_nobody_reads() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let words = panic.payload_as_str().unwrap_or_default();
        if words.starts_with("failed printing to stdout") && words.contains("os error 32") {
            std::process::exit(NOBODY_READS);
        }
        report(panic);
    }));
}
