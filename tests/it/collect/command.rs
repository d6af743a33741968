//! `kokodoko collect`, as an admin runs it.

use std::path::Path;
use std::process::Stdio;

use kokodoko::domain::spend::Period;
use kokodoko::store::Store;
use serde_json::json;
use tokio::process::Command;

use crate::wire::{Service, WORLD};

/// A square of 1.6 km in 港区, as a region of its own.
fn region() -> String {
    let middle = WORLD.panoramas(1)[1_500].position;
    let corner = |east, north| {
        let at = middle.offset_m(east, north);
        [at.lng, at.lat]
    };
    let ring = [corner(-800.0, -800.0), corner(800.0, -800.0), corner(800.0, 800.0), corner(-800.0, 800.0)];
    let ring = [ring[0], ring[1], ring[2], ring[3], ring[0]];
    json!({ "type": "Feature", "properties": {}, "geometry": { "type": "Polygon", "coordinates": [ring] } }).to_string()
}

fn configure(root: &Path, base: &str) {
    std::fs::write(root.join("region.geojson"), region()).expect("a file");
    let path = |name: &str| root.join(name).display().to_string();
    let config = format!(
        "[collect]\nareas = []\nregions = [{{ name = \"芝\", name_en = \"Shiba\", file = \"{}\" }}]\n\
         points_per_town = 6\nheadings_per_point = 2\nwidth = 64\nheight = 64\nsearch_radius_m = 200\n\
         data_folder = \"{}\"\nrequests_per_second = 500.0\nconcurrency = 4\n\
         [quiz]\ndatabase = \"{}\"\n\
         [streetview]\naccept_google_terms = true\napi_url = \"{base}\"\n",
        path("region.geojson"),
        path("images"),
        path("kokodoko.sqlite"),
    );
    std::fs::write(root.join("kokodoko.toml"), config).expect("a file");
}

fn command(root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kokodoko"));
    command.env_clear().env("KOKODOKO_STREETVIEW__KEY", "drawn-world").current_dir(root);
    command.args(["collect", "--source", "streetview"]).stdin(Stdio::null());
    command
}

#[tokio::test]
async fn a_killed_program_goes_on_and_buys_nothing_twice() {
    let service = Service::start().await;
    let root = tempfile::tempdir().expect("a folder");
    configure(root.path(), &service.base);
    let mut killed = command(root.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    while service.books().await.streetview.images_billed < 5 {
        assert!(killed.try_wait().expect("a child").is_none(), "it ended before it had bought anything");
    }
    killed.kill().await.expect("it is killed");

    let ended = command(root.path()).args(["--lang", "en"]).output().await.expect("it starts");
    let (told, errors) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{told}\n{errors}");
    assert!(told.contains("Everything that the plan can give is there."), "{told}");
    assert!(!errors.contains("drawn-world") && errors.contains("points"), "{errors}");

    for file in std::fs::read_dir(root.path()).expect("a folder") {
        let path = file.expect("an entry").path();
        let bytes = if path.is_file() { std::fs::read(&path).expect("readable") } else { Vec::new() };
        assert!(!bytes.windows(11).any(|bytes| bytes == b"drawn-world"), "the key is in {}", path.display());
    }

    let books = service.books().await.streetview;
    assert!(books.images.values().all(|times| *times == 1), "{books:?}");
    let store = Store::open(&root.path().join("kokodoko.sqlite")).await.expect("the database opens");
    let spent = store.spent(Period::All, None).await.expect("the database answers");
    let sold = spent.images_billed..=spent.images_billed + spent.images_in_doubt;
    // Four on the wire, and those that were being written to the disk.
    assert!(sold.contains(&books.images_billed) && spent.images_in_doubt <= 16, "{spent:?} {}", books.images_billed);
    let stored = store.images_after(None, 1_000).await.expect("the database answers");
    assert_eq!(stored.len() as u64, spent.images_billed);
    store.close().await;
    check_the_files(root.path(), &stored[0].sha256).await;
    assert!(stored.len() > 10 && stored.iter().all(|image| image.place.area == "芝"), "{} pictures", stored.len());
}

/// A file that is gone is found, set right, and bought again only by an admin's word.
async fn check_the_files(root: &Path, gone: &str) {
    let check = async |words: &[&str]| {
        let mut check = Command::new(env!("CARGO_BIN_EXE_kokodoko"));
        check.env_clear().current_dir(root).args(["data", "check"]).args(words);
        let done = check.output().await.expect("it starts");
        (done.status.code(), String::from_utf8_lossy(&done.stdout).into_owned())
    };
    // What the kill left.
    check(&["--repair"]).await;
    assert_eq!(check(&[]).await.0, Some(0));
    let file = root.join("images").join(&gone[..2]).join(&gone[2..4]).join(format!("{gone}.jpg"));
    std::fs::remove_file(file).expect("it is there");
    assert_eq!(check(&[]).await.0, Some(1));
    let (status, told) = check(&["--repair"]).await;
    assert!(status == Some(0) && told.contains("1 pictures that were paid for"), "{status:?} {told}");
    let (status, told) = check(&["--repair", "--buy-again"]).await;
    assert!(status == Some(0) && told.contains("may be bought again"), "{status:?} {told}");
}

#[tokio::test]
async fn a_halt_is_told_in_the_language_of_the_terminal() {
    let service = Service::start_with(|options| options.google_key = "another".to_owned()).await;
    let root = tempfile::tempdir().expect("a folder");
    configure(root.path(), &service.base);
    for (lang, said) in [("ja", "Street View がキーを拒否しました"), ("en", "Street View refuses the key")] {
        let halted = command(root.path()).args(["--lang", lang]).output().await.expect("it starts");
        let errors = String::from_utf8_lossy(&halted.stderr);
        assert!(!halted.status.success() && errors.contains(said), "{errors}");
    }
}
