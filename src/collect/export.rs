//! Export for other tools: a folder for each split and area, and a table with everything that is known.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::dataset::Dataset;
use crate::store::{StoreError, StoredImage};

/// The table; its first column is named as image-folder loaders expect.
pub const TABLE: &str = "metadata.csv";
/// Columns of the table.
const COLUMNS: [&str; 22] = [
    "file_name",
    "area",
    "town",
    "split",
    "lat",
    "lng",
    "captured",
    "heading",
    "fov",
    "pitch",
    "width",
    "height",
    "bytes",
    "sha256",
    "source",
    "image_id",
    "licence",
    "attribution",
    "link",
    "collected_at",
    "run",
    "panorama",
];

/// What an export wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Pictures.
    pub images: u64,
    /// Pictures among them that had to be copied, because the folder is on another disk.
    pub copied: u64,
    /// The table.
    pub table: PathBuf,
}

/// The export failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is something in the folder already.
    #[error("{} is not empty: name a new folder", .0.display())]
    NotEmpty(PathBuf),
    /// A file cannot be linked, copied or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The table cannot be written.
    #[error("cannot write the table: {0}")]
    Table(#[from] csv::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes every picture to `out/split/area/hash.jpg`, as a hard link where the disk allows it, and then the table.
///
/// # Errors
/// See [`ExportError`]. An export without its table is not finished.
pub async fn export(dataset: &Dataset, out: &Path) -> Result<Exported, ExportError> {
    let failed = |source| ExportError::File { path: out.to_owned(), source };
    fs::create_dir_all(out).map_err(failed)?;
    if fs::read_dir(out).map_err(failed)?.next().is_some() {
        return Err(ExportError::NotEmpty(out.to_owned()));
    }
    let unfinished = out.join(format!("{TABLE}.unfinished"));
    let mut table = csv::Writer::from_path(&unfinished)?;
    table.write_record(COLUMNS)?;
    let (mut images, mut copied, mut after) = (0, 0, None);
    loop {
        let page = dataset.page(after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for image in &page {
            let name = name(image);
            copied += u64::from(place(&dataset.path(&image.sha256, &image.format), &out.join(&name))?);
            table.write_record(record(&name, image))?;
            images += 1;
        }
    }
    table.flush().map_err(failed)?;
    let finished = out.join(TABLE);
    fs::rename(unfinished, &finished).map_err(failed)?;
    Ok(Exported { images, copied, table: finished })
}

/// Path within the export, with `/` on every system.
fn name(image: &StoredImage) -> String {
    format!("{}/{}/{}.{}", image.split.name(), folder_name(&image.place.area), image.sha256, image.format)
}

/// An area's name as that of a folder: a region may be named by anything.
fn folder_name(area: &str) -> String {
    let safe: String =
        area.chars().map(|c| if c.is_control() || r#"/\:*?"<>|"#.contains(c) { '_' } else { c }).collect();
    if safe.starts_with('.') { format!("_{safe}") } else { safe }
}

/// Links or copies a file; whether it was copied.
fn place(from: &Path, to: &Path) -> Result<bool, ExportError> {
    let failed = |path: &Path, source| ExportError::File { path: path.to_owned(), source };
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
    if fs::hard_link(from, to).is_ok() {
        return Ok(false);
    }
    fs::copy(from, to).map_err(|source| failed(from, source))?;
    Ok(true)
}

fn record(name: &str, image: &StoredImage) -> [String; COLUMNS.len()] {
    let StoredImage { sighting, place, item, .. } = image;
    let look = |value: fn(&crate::domain::imagery::Look) -> String| item.look.as_ref().map(value).unwrap_or_default();
    [
        name.to_owned(),
        place.area.clone(),
        place.town.clone(),
        image.split.name().to_owned(),
        sighting.position.lat.to_string(),
        sighting.position.lng.to_string(),
        sighting.captured.clone().unwrap_or_default(),
        image.heading().map(|heading| heading.to_string()).unwrap_or_default(),
        look(|look| look.fov.to_string()),
        look(|look| look.pitch.to_string()),
        image.size.0.to_string(),
        image.size.1.to_string(),
        image.bytes.to_string(),
        image.sha256.clone(),
        item.source.name().to_owned(),
        item.image.clone(),
        sighting.licence.clone(),
        sighting.attribution.clone(),
        sighting.link.clone().unwrap_or_default(),
        image.collected_at.to_string(),
        image.run.0.to_string(),
        item.look.is_some().to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::dataset::tests::{Bench, jpeg};
    use crate::domain::Split;

    #[tokio::test]
    async fn every_picture_is_exported_with_whom_it_is_owed_to() {
        let bench = Bench::open().await;
        for (number, town) in [(1, "芝一丁目"), (2, "芝二丁目"), (3, "芝三丁目")] {
            bench.keep(number, town).await;
        }
        let out = bench.folder.path().join("export");
        let exported = export(&bench.dataset, &out).await.expect("exported");
        assert_eq!((exported.images, exported.copied), (3, 0));
        let mut table = csv::Reader::from_path(&exported.table).expect("a table");
        assert_eq!(table.headers().expect("a head"), COLUMNS.as_slice());
        let rows: Vec<csv::StringRecord> = table.records().map(|row| row.expect("a row")).collect();
        for (row, number) in rows.iter().zip(1..) {
            assert_eq!(fs::read(out.join(&row[0])).expect("there"), jpeg(number));
            let split = Split::of_place(&row[1], &row[2]).name();
            assert!(row[0].starts_with(&format!("{split}/東京都港区/")), "{}", &row[0]);
            assert_eq!([&row[3], &row[16], &row[17]], [split, "CC-BY-SA-4.0", "Mapillary / someone"]);
        }
        assert_eq!(rows.len(), 3);
        assert!(matches!(export(&bench.dataset, &out).await, Err(ExportError::NotEmpty(_))));
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for (area, folder) in [("東京都港区", "東京都港区"), ("../../etc", "_.._.._etc"), ("a:b", "a_b"), ("..", "_..")]
        {
            assert_eq!(folder_name(area), folder);
        }
    }
}
