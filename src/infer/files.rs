//! Files that are written whole or not at all, so that a reader never sees half of one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Writes a file under another name first, then renames it.
///
/// # Errors
/// When it cannot be written; what was there before stays.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let written = File::create(&fresh).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    let renamed = written.and_then(|()| fs::rename(&fresh, path));
    if renamed.is_err() {
        // Nobody needs half a file; that it cannot be removed either is no news.
        drop(fs::remove_file(&fresh));
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inside").join("model.onnx");
        replace(&path, b"old").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        // A disk without room: the old file stays, and nothing else.
        #[cfg(target_os = "linux")]
        {
            std::os::unix::fs::symlink("/dev/full", path.with_file_name("model.onnx.new")).unwrap();
            let error = replace(&path, b"newer").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
            assert_eq!(fs::read(&path).unwrap(), b"new");
            assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        }
        // A folder stands in the way: the rename fails, nothing is left.
        let blocked = folder.path().join("blocked");
        fs::create_dir_all(blocked.join("full")).unwrap();
        replace(&blocked, b"new").unwrap_err();
        assert!(blocked.join("full").exists() && !folder.path().join("blocked.new").exists());
    }
}
