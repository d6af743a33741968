//! `health`: whether the program that runs with this configuration answers, for container managers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

use crate::config::Config;

/// Longest wait for the answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// Asks `/health` of the page; the error says what is wrong.
pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let url = format!("http://{}/health", reachable(config.web.bind));
    // A proxy has no business between the two.
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().context("cannot start TLS")?;
    let asked = client.get(&url).send().await.and_then(reqwest::Response::error_for_status);
    let answer = asked.with_context(|| format!("nothing healthy at {url}"))?;
    println!("{}", answer.text().await.with_context(|| format!("no whole answer from {url}"))?);
    Ok(ExitCode::SUCCESS)
}

/// Where a program that listens there can be reached from the same machine.
fn reachable(bind: SocketAddr) -> SocketAddr {
    let near = match bind.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    if bind.ip().is_unspecified() { SocketAddr::new(near, bind.port()) } else { bind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everywhere_is_reached_here() {
        let reached = |bind: &str| reachable(bind.parse().expect("an address")).to_string();
        assert_eq!(reached("0.0.0.0:8080"), "127.0.0.1:8080");
        assert_eq!(reached("[::]:8080"), "[::1]:8080");
        assert_eq!(reached("192.168.1.5:80"), "192.168.1.5:80");
    }
}
