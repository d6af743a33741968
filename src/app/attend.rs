//! A child ends with its parent: it reads its standard input, which ends when the parent does, however that dies.

use std::io::Read;
use std::process::exit;

/// Ends the program, from now on, as soon as standard input ends.
///
/// # Errors
/// When no thread can be started.
pub(super) fn end_with_input() -> std::io::Result<()> {
    let watch = || {
        let mut input = std::io::stdin().lock();
        let mut bytes = [0; 64];
        while input.read(&mut bytes).is_ok_and(|read| read > 0) {}
        tracing::warn!("whoever started this is gone: stopping");
        exit(1);
    };
    std::thread::Builder::new().name("attend".to_owned()).spawn(watch).map(drop)
}
