//! ここどこ? — where is this? A bot that names the municipality of a street photo.
//!
//! Imports flow one way: `front` → `chat` → services (`collect`, `infer`, `jobs`, `quiz`, `store`, `train`, `world`) → `domain`;
//! `app` composes them and nothing imports `app`. `tests/layers.rs` enforces it.

pub mod album;
pub mod app;
pub mod backup;
pub mod causes;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod collect;
pub mod config;
pub mod domain;
pub mod front;
#[cfg(any(test, fuzzing))]
pub mod hostile;
pub mod infer;
pub mod jobs;
pub mod judge;
pub mod metrics;
pub mod models;
pub mod quiz;
pub mod retention;
pub mod store;
pub mod train;
pub mod world;

/// Every program that links the crate has it: the server, the benchmarks and the tests. Fuzzing has its own, which watches.
#[cfg(not(any(target_env = "msvc", fuzzing)))]
#[global_allocator]
static MEMORY: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
