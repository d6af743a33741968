//! Services as their published descriptions say they are: stateful, strict, on loopback. A request that the
//! real service would not understand fails the test.

pub mod discord;
pub mod flaky;
pub mod kserve;
pub mod telegram;
