//! `doctor`: whether what the configuration wants can work here, and what to do where it cannot.
//!
//! Nothing is changed by it: the database is only read, folders are tried with a file that is removed at once, and the
//! services are asked who we are. A bot may run meanwhile.

mod ask;
mod discord;
mod machine;
mod telegram;

use std::collections::HashSet;
use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use self::ask::Asker;
use crate::clock::{SharedClock, SystemClock};
use crate::collect::client::Client;
use crate::collect::wire::system_jitter;
use crate::config::Config;
use crate::domain::imagery::Source;
use crate::domain::{Coordinate, Platform};

/// By how much the clock may differ from a service's.
const MOST_SKEW: SignedDuration = SignedDuration::from_secs(30);
/// Where imagery is asked for: Shibuya crossing.
const SOMEWHERE: (f64, f64) = (35.659_5, 139.700_5);

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// As it should be.
    Good,
    /// It works; somebody may want to know.
    Note,
    /// It does not work.
    Bad,
}

/// What one look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub mark: Mark,
    /// What was looked at, in one word.
    pub about: &'static str,
    /// What was found.
    pub found: String,
    /// What to do.
    pub cure: Option<String>,
}

impl Finding {
    fn good(about: &'static str, found: impl Into<String>) -> Self {
        Self { mark: Mark::Good, about, found: found.into(), cure: None }
    }

    fn note(about: &'static str, found: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { mark: Mark::Note, about, found: found.into(), cure: Some(cure.into()) }
    }

    fn bad(about: &'static str, found: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { mark: Mark::Bad, about, found: found.into(), cure: Some(cure.into()) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.mark {
            Mark::Good => "ok",
            Mark::Note => "note",
            Mark::Bad => "BAD",
        };
        write!(f, "{mark:<5} {:<10} {}", self.about, self.found)?;
        match &self.cure {
            Some(cure) => write!(f, "\n{:17}-> {cure}", ""),
            None => Ok(()),
        }
    }
}

/// Looks at everything and says what was found; the exit status is 1 when something does not work.
pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let clock: SharedClock = Arc::new(SystemClock);
    let mut bad = 0;
    for finding in examine(&config, &clock).await {
        bad += u32::from(finding.mark == Mark::Bad);
        println!("{finding}");
    }
    println!();
    match bad {
        0 => println!("Everything that is configured can work."),
        1 => println!("One thing does not work."),
        many => println!("{many} things do not work."),
    }
    Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Everything that was looked at, in the order in which a stranger would mend it.
pub async fn examine(config: &Config, clock: &SharedClock) -> Vec<Finding> {
    let mut findings = machine::examine(config).await;
    let mut asker = Asker::new(clock.clone());
    if let Some(settings) = &config.telegram {
        findings.extend(telegram::examine(settings, &mut asker).await);
    }
    if let Some(settings) = &config.discord {
        findings.extend(discord::examine(settings, &mut asker).await);
    }
    findings.extend(imagery(config, clock).await);
    findings.extend(skew(asker.skew()));
    findings.push(admins(config));
    if config.telegram.is_none() && config.discord.is_none() {
        let cure = "set KOKODOKO_TELEGRAM__ENABLED=true or KOKODOKO_DISCORD__ENABLED=true, with the token";
        findings.push(Finding::note("chats", "no bot is enabled; `serve` shows the page alone", cure));
    }
    findings
}

/// Asks those sources of imagery that have a key.
async fn imagery(config: &Config, clock: &SharedClock) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (about, source) in [("mapillary", Source::Mapillary), ("streetview", Source::StreetView)] {
        let mut settings = config.collect.clone();
        settings.source = source;
        if settings.ready(source).is_err() {
            continue;
        }
        let client = Client::new(&settings, Vec::new(), clock.clone(), system_jitter(), CancellationToken::new());
        let asked = match client {
            Ok(client) => {
                let at = Coordinate::new(SOMEWHERE.0, SOMEWHERE.1).expect("a place on Earth");
                client.near(at, settings.density.search_radius_m).await.map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        findings.push(match asked {
            Ok(_) => Finding::good(about, "takes the key"),
            Err(why) => Finding::bad(about, why, "collecting cannot begin before this is mended"),
        });
    }
    findings
}

/// `None` when nobody has told the time.
fn skew(skew: Option<SignedDuration>) -> Option<Finding> {
    let skew = skew?;
    let (seconds, side) = (skew.as_secs().abs(), if skew.is_positive() { "behind" } else { "ahead of" });
    Some(if skew.abs() <= MOST_SKEW {
        Finding::good("clock", "agrees with the services'")
    } else {
        let cure = "switch on time synchronisation (timedatectl set-ntp true)";
        Finding::bad("clock", format!("{seconds} s {side} the services'"), cure)
    })
}

fn admins(config: &Config) -> Finding {
    let known: HashSet<_> = config.admins.iter().chain(&config.owners).collect();
    let count = |platform| known.iter().filter(|admin| admin.platform == platform).count();
    match (count(Platform::Telegram), count(Platform::Discord)) {
        (0, 0) => {
            let cure = "set KOKODOKO_ADMIN__TELEGRAM='[NUMBER]' or KOKODOKO_ADMIN__DISCORD='[NUMBER]'";
            Finding::note("admins", "nobody: /collect, /train and /promote are closed to all", cure)
        }
        (telegram, discord) => Finding::good("admins", format!("{telegram} on Telegram, {discord} on Discord")),
    }
}
