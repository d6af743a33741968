//! Development aid: a contact sheet of each area.
use kokodoko::{
    domain::Split,
    world::{World, photo::photos, sheet::contact_sheet},
};
fn main() {
    let mut args = std::env::args().skip(1);
    let out = args.next().unwrap();
    let size: u32 = args.next().unwrap().parse().unwrap();
    let per_area: usize = args.next().unwrap().parse().unwrap();
    let seed: u64 = args.next().unwrap().parse().unwrap();
    let t = std::time::Instant::now();
    let world = World::load();
    println!("load {:?}", t.elapsed());
    for a in 0..7 {
        println!("{} towns {} panos {}", world.areas()[a].area, world.towns(a).len(), world.panoramas(a).len());
    }
    let specs: Vec<_> = photos(&world, seed, &Split::ALL, per_area).map(|s| s.sized(size, size)).collect();
    let t = std::time::Instant::now();
    let mut images: Vec<Vec<_>> = vec![vec![]; 7];
    for s in &specs {
        images[s.area].push(s.render(&world).image);
    }
    println!("render {:?} each", t.elapsed() / specs.len() as u32);
    let flat: Vec<_> = images.concat();
    contact_sheet(&flat, per_area).save(out).unwrap();
}
