//! What strangers can make the program read, one function a kind of bytes: none of them panics, hangs or takes more
//! memory than it may. `tests/fuzz` calls them with libFuzzer, and the tests below with seeds that are changed at random.

/// What is done with some bytes. Panics where a promise is broken.
pub type Target = fn(&[u8]);

/// Every target with its name, which is that of its seeds in `tests/fuzz/seeds`.
pub const TARGETS: [(&str, Target); 12] = [
    ("photo", crate::infer::hostile::photo),
    ("exif", crate::collect::hostile::exif),
    ("command", crate::chat::hostile::command),
    ("press", crate::chat::hostile::press),
    ("manifest", crate::infer::hostile::manifest),
    ("config", crate::config::hostile::config),
    ("telegram", crate::front::telegram::hostile::update),
    ("discord", crate::front::discord::hostile::event),
    ("streetview", crate::collect::hostile::streetview),
    ("mapillary", crate::collect::hostile::mapillary),
    ("geolonia", crate::collect::hostile::geolonia),
    ("kserve", crate::infer::hostile::kserve),
];

/// Runs one target.
///
/// # Panics
/// When there is none of this name, and where a promise is broken.
pub fn run(name: &str, bytes: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target of this name");
    target(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Runs of each target, unless `KOKODOKO_HOSTILE_RUNS` says otherwise; libFuzzer does millions.
    const RUNS: usize = 3_000;

    fn runs() -> usize {
        let runs = std::env::var("KOKODOKO_HOSTILE_RUNS").ok();
        runs.map_or(RUNS, |runs| runs.parse().expect("KOKODOKO_HOSTILE_RUNS is a number"))
    }

    fn seeds(name: &str) -> Vec<Vec<u8>> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(name);
        let mut files: Vec<_> =
            std::fs::read_dir(folder).expect("seeds").map(|file| file.expect("a file").path()).collect();
        files.sort();
        files.into_iter().map(|file| std::fs::read(file).expect("readable")).collect()
    }

    fn piece(bytes: &[u8], dice: &mut ChaCha8Rng) -> Vec<u8> {
        let from = dice.random_range(0..=bytes.len());
        bytes[from..(from + dice.random_range(0..16)).min(bytes.len())].to_vec()
    }

    /// One change: a bit, a byte, a piece gone, doubled or taken from another seed.
    fn change(bytes: &mut Vec<u8>, others: &[Vec<u8>], dice: &mut ChaCha8Rng) {
        let at = dice.random_range(0..=bytes.len());
        match dice.random_range(0..6) {
            0 | 1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << dice.random_range(0..8);
                }
            }
            2 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = [0, 0x7f, 0xff, b'"', b'-', b'9'][dice.random_range(0..6)];
                }
            }
            3 => drop(bytes.drain(at..(at + dice.random_range(0..16)).min(bytes.len()))),
            4 => {
                let piece = piece(bytes, dice);
                bytes.splice(at..at, piece);
            }
            _ => {
                let piece = piece(&others[dice.random_range(0..others.len())], dice);
                bytes.splice(at..at, piece);
            }
        }
    }

    #[test]
    fn no_promise_is_broken_by_seeds_that_are_changed_at_random() {
        for (name, target) in TARGETS {
            let seeds = seeds(name);
            let mut dice = ChaCha8Rng::seed_from_u64(2_026);
            seeds.iter().for_each(|seed| target(seed));
            for _ in 0..runs() {
                let mut bytes = seeds[dice.random_range(0..seeds.len())].clone();
                for _ in 0..dice.random_range(1..8) {
                    change(&mut bytes, &seeds, &mut dice);
                }
                let run = std::panic::catch_unwind(|| target(&bytes));
                assert!(run.is_ok(), "{name}: {:?}", String::from_utf8_lossy(&bytes));
            }
        }
    }

    /// Else the runs above would look at refusals alone.
    #[test]
    fn seeds_are_what_their_targets_read() {
        let parsed = |name: &str| seeds(name).len();
        assert!(TARGETS.iter().all(|(name, _)| parsed(name) > 0));
        let limits = crate::infer::decode::Limits::default();
        for photo in seeds("photo") {
            crate::infer::decode::decode(&photo, &limits).expect("a photo");
        }
        for update in seeds("telegram") {
            let value: serde_json::Value = serde_json::from_slice(&update).expect("JSON");
            assert!(value["update_id"].is_u64());
        }
    }
}
