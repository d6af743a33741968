//! Some photos of each area, from many towns, to be looked at.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::dataset::Dataset;
use crate::store::StoreError;

/// Most areas that are shown: a picture of more is too high for some programs.
const AREAS: usize = 60;

/// An area with some of its photos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Full Japanese name.
    pub area: String,
    /// How many pictures there are of it.
    pub images: u64,
    /// Files with their towns.
    pub photos: Vec<(PathBuf, String)>,
}

/// Up to `count` photos of each area, by name: the first of each of its towns, the towns spread over all that have any.
///
/// # Errors
/// When the database fails.
pub async fn showcase(dataset: &Dataset, count: usize) -> Result<Vec<Shown>, StoreError> {
    let mut areas: BTreeMap<String, (u64, BTreeMap<String, PathBuf>)> = BTreeMap::new();
    let mut after = None;
    loop {
        let page = dataset.page(after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for image in page {
            let path = dataset.path(&image.sha256, &image.format);
            let (images, towns) = areas.entry(image.place.area).or_default();
            *images += 1;
            towns.entry(image.place.town).or_insert(path);
        }
    }
    let show = |(area, (images, towns)): (String, (u64, BTreeMap<String, PathBuf>))| {
        let towns: Vec<(String, PathBuf)> = towns.into_iter().collect();
        let shown = count.min(towns.len());
        let spread = (0..shown).map(|i| &towns[i * towns.len() / shown]);
        let photos = spread.map(|(town, path)| (path.clone(), town.clone())).collect();
        Shown { area, images, photos }
    };
    Ok(areas.into_iter().take(AREAS).map(show).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::dataset::tests::Bench;

    #[tokio::test]
    async fn towns_are_spread() {
        let bench = Bench::open().await;
        for number in 0..20 {
            bench.keep(number, &format!("{:02}丁目", number / 2)).await;
        }
        let shown = showcase(&bench.dataset, 5).await.expect("readable");
        let towns: Vec<&str> = shown[0].photos.iter().map(|(_, town)| town.as_str()).collect();
        assert_eq!((shown.len(), shown[0].images), (1, 20));
        assert_eq!(towns, ["00丁目", "02丁目", "04丁目", "06丁目", "08丁目"]);
        assert_eq!(showcase(&bench.dataset, 99).await.expect("readable")[0].photos.len(), 10);
    }
}
