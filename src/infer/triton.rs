//! A model as NVIDIA Triton's model repository has it: `NAME/config.pbtxt` and `NAME/1/model.onnx`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::kserve::served_name;
use super::manifest::{MODEL_FILE, ModelError, ModelFiles};
use super::onnx::{Backend, Network, Outputs};
use super::queue::Run;

/// The name of the configuration in the folder of a model.
const CONFIG_FILE: &str = "config.pbtxt";
/// The only version: another network has another name.
const VERSION: &str = "1";
/// How long Triton may wait for a batch to grow, microseconds: far less than a run takes.
const BATCH_DELAY_US: u32 = 500;

/// A model that is not exported.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The network cannot be run, so its outputs are not known.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// What is there is no folder of this model.
    #[error("{} is there already, with another model: remove it, or name another folder", path.display())]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes a model into the model repository `repository`, whole or not at all; the folder of the model. Batches hold at most
/// `max_batch` photos, 1 or more, and Triton puts photos of several programs together. A model that is there already stays.
///
/// # Errors
/// See [`ExportError`].
pub fn export(files: &ModelFiles, max_batch: usize, repository: &Path) -> Result<PathBuf, ExportError> {
    let grey = vec![0.0; files.manifest.input.values()];
    let mut network = Network::load(files, &Backend::Tract)?;
    let refuse = |detail| ModelError::Backend { backend: Backend::Tract.to_string(), detail };
    let outputs = network.run(1, &grey).map_err(refuse)?;
    let name = served_name(&files.manifest);
    let config = config(&name, files.manifest.input.size, &outputs, max_batch.max(1));

    let folder = repository.join(&name);
    if folder.exists() {
        let same = fs::read(folder.join(VERSION).join(MODEL_FILE)).is_ok_and(|onnx| onnx == files.onnx)
            && fs::read_to_string(folder.join(CONFIG_FILE)).is_ok_and(|there| there == config);
        return if same { Ok(folder) } else { Err(ExportError::Exists { path: folder }) };
    }
    // Triton takes no notice of what begins with a dot.
    let unfinished = repository.join(format!(".{name}"));
    write(&unfinished.join(VERSION).join(MODEL_FILE), &files.onnx)?;
    write(&unfinished.join(CONFIG_FILE), config.as_bytes())?;
    fs::rename(&unfinished, &folder).map_err(|source| ExportError::Write { path: folder.clone(), source })?;
    Ok(folder)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    let written = || {
        fs::create_dir_all(path.parent().unwrap_or(path))?;
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    written().map_err(|source| ExportError::Write { path: path.to_owned(), source })
}

/// The model's configuration, in the text format of protocol buffers (Triton's `model_config.proto`).
fn config(name: &str, size: u32, outputs: &Outputs, max_batch: usize) -> String {
    let (rows, columns) = outputs.grid;
    let sides = |sides: &[usize]| sides.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let output = |name: &str, shape: &[usize]| {
        format!("  {{ name: \"{name}\" data_type: TYPE_FP32 dims: [ {} ] }}", sides(shape))
    };
    let labels = outputs.logits.len();
    let described = [
        output("logits", &[labels]),
        output("features", &[outputs.features.len()]),
        output("cams", &[labels, rows, columns]),
    ];
    format!(
        "name: \"{name}\"\nplatform: \"onnxruntime_onnx\"\nmax_batch_size: {max_batch}\n\
         input [\n  {{ name: \"input\" data_type: TYPE_FP32 dims: [ {} ] }}\n]\n\
         output [\n{}\n]\n\
         dynamic_batching {{ max_queue_delay_microseconds: {BATCH_DELAY_US} }}\n\
         instance_group [ {{ kind: KIND_AUTO count: 1 }} ]\n",
        sides(&[3, size as usize, size as usize]),
        described.join(",\n"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_model_becomes_a_repository() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = ModelFiles::built_in().expect("it belongs together");
        let written = export(&files, 8, folder.path()).expect("written");
        assert_eq!(written.file_name().and_then(|name| name.to_str()), Some(&*served_name(&files.manifest)));
        assert_eq!(fs::read(written.join("1/model.onnx")).expect("there"), files.onnx);
        let config = fs::read_to_string(written.join("config.pbtxt")).expect("there");
        insta::assert_snapshot!(config.replace(&files.manifest.sha256[..12], "HASH"));
        let names: Vec<_> = fs::read_dir(folder.path()).expect("readable").map(|entry| entry.expect("one")).collect();
        assert_eq!(names.len(), 1, "nothing unfinished is left");
        assert_eq!(export(&files, 8, folder.path()).expect("the same again"), written);
        assert!(matches!(export(&files, 16, folder.path()), Err(ExportError::Exists { .. })), "nothing is overwritten");
    }

    #[test]
    fn names_are_such_as_every_server_takes() {
        let mut manifest = ModelFiles::built_in().expect("it belongs together").manifest;
        manifest.name = "港区 Model_7!".to_owned();
        manifest.sha256 = "abcdef0123456789".to_owned();
        assert_eq!(served_name(&manifest), "model-7-abcdef012345");
    }
}
