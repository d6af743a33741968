//! The `fields` parameter: an image tells what it is asked, and its id.

use serde_json::{Map, Value, json};

use super::catalogue::Shot;
use super::error::GraphError;
use super::thumb;
use crate::domain::Coordinate;
use crate::world::serve::Options;
use crate::world::serve::query::Params;

/// Documented fields that no image here has; the Graph API leaves out what is not there.
const NEVER_THERE: [&str; 12] = [
    "altitude",
    "atomic_scale",
    "camera_parameters",
    "computed_altitude",
    "computed_rotation",
    "detections",
    "merge_cc",
    "mesh",
    "organization",
    "rig_sequence_id",
    "sfm_cluster",
    "vertical_accuracy",
];

/// Fields that an image may have.
const KNOWN: [&str; 22] = [
    "camera_type",
    "captured_at",
    "compass_angle",
    "computed_compass_angle",
    "computed_geometry",
    "creator",
    "exif_orientation",
    "geometry",
    "height",
    "id",
    "is_pano",
    "make",
    "model",
    "on_foot",
    "quality_score",
    "sequence",
    "thumb_1024_url",
    "thumb_2048_url",
    "thumb_256_url",
    "thumb_original_url",
    "timezone",
    "width",
];

/// The asked-for fields, each known.
#[derive(Debug, PartialEq, Eq)]
pub struct Fields(Vec<String>);

impl Fields {
    /// Reads `fields=a,b,c`; without it an image tells its id only.
    pub fn parse(params: &Params) -> Result<Self, GraphError> {
        let names = params.get("fields").unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
        let known = |name: &str| KNOWN.contains(&name) || NEVER_THERE.contains(&name);
        let checked = names.map(|name| if known(name) { Ok(name.to_owned()) } else { Err(GraphError::no_field(name)) });
        checked.collect::<Result<_, _>>().map(Self)
    }

    /// The object that tells these fields of an image.
    pub fn of(&self, shot: &Shot, options: &Options) -> Value {
        let told = self.0.iter().filter_map(|name| Some((name.clone(), field(shot, name, options)?)));
        let mut object: Map<String, Value> = told.collect();
        object.insert("id".to_owned(), shot.id.to_string().into());
        object.into()
    }
}

/// The value of a field, `None` where the image has none.
fn field(shot: &Shot, name: &str, options: &Options) -> Option<Value> {
    let (width, height) = shot.camera.size;
    Some(match name {
        "camera_type" => if shot.is_strip { "spherical" } else { "perspective" }.into(),
        "captured_at" => shot.captured_at.into(),
        "compass_angle" => shot.heading.into(),
        "computed_compass_angle" => shot.computed.map(|_| shot.heading)?.into(),
        "computed_geometry" => point(shot.computed?),
        "creator" => json!({ "username": format!("drawn_{}", shot.creator), "id": shot.creator.to_string() }),
        "exif_orientation" => 1.into(),
        "geometry" => point(shot.gps),
        "height" => height.into(),
        "is_pano" => shot.is_strip.into(),
        "make" => shot.camera.make.into(),
        "model" => shot.camera.model.into(),
        "on_foot" => shot.creator.is_multiple_of(2).into(),
        "quality_score" => shot.quality.into(),
        "sequence" => shot.sequence.clone().into(),
        "thumb_256_url" => thumb::link(shot, Some(256), options).into(),
        "thumb_1024_url" => thumb::link(shot, Some(1_024), options).into(),
        "thumb_2048_url" => thumb::link(shot, Some(2_048), options).into(),
        "thumb_original_url" => thumb::link(shot, None, options).into(),
        "timezone" => "Asia/Tokyo".into(),
        "width" => width.into(),
        _ => return None,
    })
}

fn point(at: Coordinate) -> Value {
    json!({ "type": "Point", "coordinates": [at.lng, at.lat] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;
    use crate::world::serve::mapillary::catalogue::shots;

    fn parse(query: &str) -> Result<Fields, GraphError> {
        Fields::parse(&Params::of(&format!("/images?{query}").parse().unwrap()))
    }

    #[test]
    fn unknown_fields_are_refused_and_absent_ones_are_not() {
        assert_eq!(parse("fields=id,colour"), Err(GraphError::no_field("colour")));
        assert_eq!(parse("fields=mesh,%20id").unwrap().0, ["mesh", "id"]);
        assert_eq!(parse("").unwrap().0, [""; 0]);
    }

    #[test]
    fn every_known_field_has_a_value_and_no_other_has() {
        let world = World::load();
        let outdoor = world.panoramas(0).iter().find(|panorama| !panorama.indoor).unwrap();
        let shot = shots(&world, outdoor).into_iter().find(|shot| shot.computed.is_some()).unwrap();
        let options = Options::new("http://127.0.0.1:1");
        let told = |names: &[&str]| parse(&format!("fields={}", names.join(","))).unwrap().of(&shot, &options);
        let object = told(&KNOWN);
        for name in KNOWN {
            assert!(!object[name].is_null(), "{name}");
        }
        assert_eq!(told(&NEVER_THERE), json!({ "id": shot.id.to_string() }));
    }
}
