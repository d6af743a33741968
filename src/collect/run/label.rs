//! Where a picture was taken: by its own position, never by the point that was asked.

use crate::collect::folder::{Entry, Photo};
use crate::collect::plan::{AreaPlan, Plan};
use crate::domain::Coordinate;
use crate::store::Place;

/// The place of a position: the first area whose border holds it, and there the town. `None` outside all of them.
pub(super) fn place(plan: &Plan, at: Coordinate) -> Option<(usize, Place)> {
    let mut areas = plan.areas.iter().enumerate();
    areas.find_map(|(index, area)| {
        let inside = area.border.contains(at);
        inside.then(|| (index, named(area, area.town_at(at).map_or("", |town| &town.name))))
    })
}

/// The place of a photo of the admin's own, and its position: its own, or the middle of the place that its folders
/// name. `None` when it says neither, or when its position lies elsewhere than its folder says.
pub(super) fn photo(plan: &Plan, entry: &Entry, photo: &Photo) -> Option<(usize, Place, Coordinate)> {
    let by_folder = entry.area.as_ref().and_then(|name| plan.areas.iter().position(|area| area.area.area == *name));
    match (photo.position, by_folder) {
        (Some(at), folder) => {
            let (index, found) = place(plan, at)?;
            folder.is_none_or(|folder| folder == index).then_some((index, found, at))
        }
        (None, Some(index)) => {
            let area = &plan.areas[index];
            Some((index, named(area, &entry.town), middle(area, &entry.town)?))
        }
        (None, None) => None,
    }
}

fn named(area: &AreaPlan, town: &str) -> Place {
    Place { area: area.area.area.clone(), town: town.to_owned() }
}

/// The position of a town, or the mean of all of them where there is no such town.
fn middle(area: &AreaPlan, town: &str) -> Option<Coordinate> {
    let own = area.towns.iter().find(|known| known.name == town);
    let towns = own.map_or(area.towns.as_slice(), std::slice::from_ref);
    let centers: Vec<Coordinate> = towns.iter().flat_map(|town| &town.discs).map(|disc| disc.center).collect();
    let count = centers.len() as f64;
    let lat = centers.iter().map(|at| at.lat).sum::<f64>() / count;
    let lng = centers.iter().map(|at| at.lng).sum::<f64>() / count;
    Coordinate::new(lat, lng)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::plan::Town;
    use crate::domain::{Area, Border};

    fn area(name: &str, west: f64) -> AreaPlan {
        let ring = vec![[west, 35.0], [west + 0.01, 35.0], [west + 0.01, 35.01], [west, 35.01]];
        let town = |name: &str, lng| Town { name: name.to_owned(), centers: vec![Coordinate { lat: 35.005, lng }] };
        let towns = [town("東", west + 0.008), town("西", west + 0.002)];
        AreaPlan::new(Area::new("東京都", name, name), Border::new(vec![ring]), &towns, 1)
    }

    fn plan() -> Plan {
        Plan { areas: vec![area("港区", 139.0), area("渋谷区", 139.01)] }
    }

    fn told(found: Option<(usize, Place)>) -> Option<(usize, String)> {
        found.map(|(index, place)| (index, format!("{} {}", place.area, place.town)))
    }

    #[test]
    fn the_panorama_decides_not_the_point() {
        let at = |lng| told(place(&plan(), Coordinate { lat: 35.004, lng }));
        assert_eq!(at(139.001), Some((0, "東京都港区 西".to_owned())));
        assert_eq!(at(139.0095), Some((0, "東京都港区 東".to_owned())));
        assert_eq!(at(139.0105), Some((1, "東京都渋谷区 西".to_owned())), "across the border");
        assert_eq!(at(139.03), None);
    }

    #[test]
    fn a_photo_is_where_it_says_unless_its_folder_contradicts() {
        let entry = |area: Option<&str>, town: &str| Entry {
            path: "a.jpg".into(),
            area: area.map(str::to_owned),
            town: town.to_owned(),
        };
        let photo =
            |position| Photo { id: String::new(), position, captured: None, heading: None, attribution: String::new() };
        let at = Some(Coordinate { lat: 35.004, lng: 139.001 });
        let label = |entry: Entry, position| {
            let (index, place, at) = super::photo(&plan(), &entry, &photo(position))?;
            Some((told(Some((index, place)))?.1, format!("{:.4}", at.lng)))
        };
        let expect = |place: &str, lng: &str| Some((place.to_owned(), lng.to_owned()));
        assert_eq!(label(entry(None, ""), at), expect("東京都港区 西", "139.0010"));
        assert_eq!(label(entry(Some("東京都港区"), "何処"), at), expect("東京都港区 西", "139.0010"));
        assert_eq!(label(entry(Some("東京都渋谷区"), ""), at), None);
        assert_eq!(label(entry(Some("東京都渋谷区"), "東"), None), expect("東京都渋谷区 東", "139.0180"));
        assert_eq!(label(entry(Some("東京都渋谷区"), ""), None), expect("東京都渋谷区 ", "139.0150"));
        assert_eq!(label(entry(None, ""), None), None);
    }
}
