//! The architecture, enforced: imports flow `front -> chat -> services -> domain`, `app` sees all, nothing imports
//! `app`, and only `front` names a chat service's library.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Layers from the bottom. A module may import modules of lower layers, and of its own only where [`SAME_LAYER`]
/// says so.
const LAYERS: [&[&str]; 6] = [
    &["domain"],
    &[
        "album",
        "backup",
        "causes",
        "clock",
        "collect",
        "infer",
        "jobs",
        "judge",
        "metrics",
        "models",
        "quiz",
        "retention",
        "store",
        "train",
        "world",
    ],
    &["chat"],
    &["front"],
    &["cli", "config"],
    &["app", "hostile"],
];
/// Services that build on another service.
const SAME_LAYER: &[(&str, &str)] = &[
    ("album", "collect"),
    ("album", "infer"),
    ("album", "world"),
    ("backup", "store"),
    ("collect", "clock"),
    ("collect", "infer"),
    ("collect", "metrics"),
    ("collect", "store"),
    ("infer", "causes"),
    ("infer", "metrics"),
    ("jobs", "clock"),
    ("jobs", "store"),
    ("judge", "infer"),
    ("judge", "world"),
    ("models", "clock"),
    ("models", "infer"),
    ("models", "judge"),
    ("models", "store"),
    ("quiz", "collect"),
    ("quiz", "clock"),
    ("quiz", "infer"),
    ("quiz", "store"),
    ("quiz", "world"),
    ("retention", "clock"),
    ("retention", "store"),
    ("train", "collect"),
    ("train", "infer"),
    ("train", "judge"),
    ("train", "store"),
    ("train", "world"),
];
/// Libraries and the only modules that may name them.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("resvg::", &["chat/picture"]),
    ("sqlx::", &["store"]),
    ("teloxide::", &["front/telegram"]),
    ("serenity::", &["front/discord"]),
    ("axum::", &["front/", "world/serve", "app/"]),
    ("ort::", &["infer/onnx"]),
    ("burn::", &["train"]),
    ("tiny_skia::", &["world/", "chat/picture"]),
    ("fluent_bundle::", &["chat/text"]),
    ("prometheus_client::", &["metrics", "infer/meters", "collect/meters", "front/meters", "front/web/metrics"]),
    ("clap::", &["cli", "main"]),
];

struct Source {
    /// Path below `src`, without `.rs`: `infer/queue`.
    name: String,
    /// First part of the name: `infer`.
    module: String,
    /// Lines without comments.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of src is readable") {
            let path = entry.expect("an entry of src is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(source(&root, &path));
            }
        }
    }
    assert!(found.len() > 20, "only {} sources found", found.len());
    found
}

fn source(root: &Path, path: &Path) -> Source {
    let name = path.strip_prefix(root).expect("below src").with_extension("").to_string_lossy().replace('\\', "/");
    let text = fs::read_to_string(path).expect("a source is readable");
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let module = name.split('/').next().unwrap_or(&name).to_owned();
    Source { name, module, code }
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// Modules named as `crate::module`, in `use` and in paths.
fn imports(code: &str) -> BTreeSet<String> {
    let after = code.split("crate::").skip(1);
    after
        .flat_map(|rest| {
            let group = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(group, _)| group);
            let names = group.unwrap_or(rest).split(',').take(if group.is_some() { usize::MAX } else { 1 });
            names
                .map(|name| name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>())
                .collect::<Vec<_>>()
        })
        .filter(|name| layer(name).is_some())
        .collect()
}

#[test]
fn imports_flow_one_way() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(own) = layer(&source.module) else {
            assert!(["lib", "main"].contains(&source.module.as_str()), "src/{}.rs belongs to no layer", source.name);
            continue;
        };
        for import in imports(&source.code).iter().filter(|import| **import != source.module) {
            let other = layer(import).expect("imports are filtered");
            let allowed = other < own || SAME_LAYER.contains(&(source.module.as_str(), import.as_str()));
            if !allowed {
                wrong.push(format!("src/{}.rs imports {import}", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the flow:\n{}", wrong.join("\n"));
}

#[test]
fn libraries_stay_where_they_belong() {
    let mut wrong = Vec::new();
    for source in sources() {
        for &(library, homes) in LIBRARIES {
            let named = source.code.split(library).collect::<Vec<_>>();
            let word = named.windows(2).any(|pair| !pair[0].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
            if word && !homes.iter().any(|home| source.name.starts_with(home)) {
                wrong.push(format!("src/{}.rs names {library}", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "libraries outside their home:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_file_is_beside_its_folder() {
    let names: BTreeMap<String, ()> = sources().into_iter().map(|source| (source.name, ())).collect();
    let orphans: Vec<&String> = names
        .keys()
        .filter(|name| name.rsplit_once('/').is_some_and(|(folder, _)| !names.contains_key(folder)))
        .collect();
    assert!(orphans.is_empty(), "folders without their module file: {orphans:?}");
}
