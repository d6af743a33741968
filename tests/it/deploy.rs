//! The files by which it is run as a service: what they set exists, and what keeps it apart from the machine is there.

use std::collections::BTreeMap;
use std::fs;

use kokodoko::config::Config;

const DOCKERFILE: &str = "Dockerfile";
const COMPOSE: &str = "compose.yaml";
const UNIT: &str = "config/systemd/kokodoko.service";
const GPU: &str = "config/systemd/gpu.conf";

fn read(name: &str) -> String {
    fs::read_to_string(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The settings that a file makes, by name; comments are left out.
fn settings(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let words = lines.flat_map(str::split_whitespace).map(|word| word.trim_start_matches("Environment="));
    let pairs = words.filter_map(|word| word.split_once('='));
    let ours = pairs.filter(|(name, _)| name.starts_with("KOKODOKO_"));
    ours.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn what_the_files_set_are_settings_and_lie_on_the_volume() {
    for (name, folder, more) in [
        (DOCKERFILE, "/data", vec![("ORT_DYLIB_PATH", "/opt/ort/onnxruntime/capi/libonnxruntime.so")]),
        (UNIT, "/var/lib/kokodoko", vec![]),
        (GPU, "", vec![("ORT_DYLIB_PATH", "/opt/ort/onnxruntime/capi/libonnxruntime.so")]),
    ] {
        let set = settings(&read(name));
        assert!(!set.is_empty(), "{name}");
        let more = more.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = Config::load(None, set.into_iter().chain(more)).unwrap_or_else(|error| panic!("{name}: {error}"));
        if folder.is_empty() {
            continue;
        }
        let gifts = config.gifts.as_ref().expect("people are asked");
        for path in [&config.database, &config.models_folder, &config.collect.data_folder, &config.train.folder, gifts]
        {
            assert!(path.starts_with(folder), "{name} keeps {} elsewhere than in {folder}", path.display());
        }
    }
}

#[test]
fn the_image_runs_as_nobody_in_particular_and_looks_after_its_health() {
    let text = read(DOCKERFILE);
    let stages: Vec<&str> = text.split("\nFROM ").collect();
    let base = stages.iter().find(|stage| stage.starts_with("${BASE} AS base")).expect("a stage that runs");
    for line in [
        "USER 10001:10001",
        "VOLUME /data",
        "ENTRYPOINT [\"kokodoko\"]",
        "COPY --from=build /out/kokodoko /usr/local/bin/kokodoko",
    ] {
        assert!(base.lines().any(|found| found == line), "{line}");
    }
    let health = base.lines().find(|line| line.starts_with("HEALTHCHECK ")).expect("a check");
    assert!(health.ends_with("CMD [\"kokodoko\", \"health\"]"), "{health}");
    for stage in stages.iter().filter(|stage| stage.starts_with("base")) {
        assert!(!stage.contains("USER "), "who runs is said once: {stage}");
    }
    assert_eq!(stages.last().map(|stage| stage.trim()), Some("base"), "the processor unless somebody asks for more");
    assert!(read(".dockerignore").lines().any(|line| line == "target"));
}

#[test]
fn both_services_of_compose_are_kept_apart_from_the_machine() {
    let text = read(COMPOSE);
    for line in [
        "  read_only: true",
        "    - ALL",
        "    - no-new-privileges:true",
        "    - data:/data",
        "    - \"127.0.0.1:8080:8080\"",
        "    profiles: [nvidia]",
        "      target: cuda",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}");
    }
    assert_eq!(text.matches("<<: *bot").count(), 2);
    assert!(!text.contains('\t'), "YAML knows no tabs");
}

#[test]
fn it_ends_quietly_where_nobody_reads_what_it_says() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kokodoko"));
    let ended = command.arg("check-config").stdout(writer).output().expect("it runs");
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(141), ""));
}

#[test]
fn the_unit_is_confined() {
    let text = read(UNIT);
    for line in [
        "DynamicUser=yes",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        "MemoryDenyWriteExecute=yes",
        "SystemCallFilter=@system-service",
        "StateDirectory=kokodoko",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}");
    }
    let set = text.lines().filter(|line| !line.starts_with('#'));
    assert!(set.into_iter().all(|line| !line.contains("TOKEN")), "tokens stand in a file of their own");
}
