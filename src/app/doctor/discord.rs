//! What Discord says of the bot.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::Finding;
use super::ask::{Asker, Silence};
use crate::config::Discord;

const ABOUT: &str = "discord";
/// Flags of an application that may read what messages say: in any number of servers, in up to a hundred.
const MESSAGE_CONTENT: u64 = 1 << 18 | 1 << 19;
/// Session starts that should be left for the day.
const FEW_STARTS: u64 = 10;

pub(super) async fn examine(settings: &Discord, asker: &mut Asker) -> Vec<Finding> {
    let server = settings.api_url.as_deref().unwrap_or("https://discord.com").trim_end_matches('/');
    let secret = SecretString::from(format!("Bot {}", settings.token.expose_secret()));
    let url = |path: &str| format!("{server}/api/v10/{path}");
    let me = match asker.get(&url("users/@me"), Some(&secret)).await {
        Ok(me) => me,
        Err(silence) => return vec![unheard(silence)],
    };
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let name = format!("{} ({}), the token is good", text(&me["username"]), text(&me["id"]));
    let mut findings = vec![Finding::good(ABOUT, name)];
    match asker.get(&url("oauth2/applications/@me"), Some(&secret)).await {
        Ok(application) => findings.extend(examine_application(&application)),
        Err(silence) => findings.push(unheard(silence)),
    }
    match asker.get(&url("gateway/bot"), Some(&secret)).await {
        Ok(gateway) => findings.push(examine_gateway(&gateway)),
        Err(silence) => findings.push(unheard(silence)),
    }
    findings
}

fn unheard(silence: Silence) -> Finding {
    match silence {
        Silence::Refused => {
            let cure = "reset the token on the Bot page of the developer portal and copy it into `discord.token_file` or \
                        KOKODOKO_DISCORD__TOKEN";
            Finding::bad(ABOUT, "Discord refuses the token", cure)
        }
        Silence::Trouble(why) => {
            let cure = "see that this machine reaches the internet, or correct `discord.api_url`";
            Finding::bad(ABOUT, format!("cannot be reached: {why}"), cure)
        }
    }
}

fn examine_application(application: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let flags = application["flags"].as_u64().unwrap_or_default();
    findings.push(if flags & MESSAGE_CONTENT == 0 {
        Finding::good(ABOUT, "no privileged intent, and none is needed")
    } else {
        let cure = "switch off \"Message Content Intent\" on the Bot page of the developer portal";
        Finding::note(ABOUT, "the bot may read what all messages say, which it does not need", cure)
    });
    if application["bot_require_code_grant"] == true {
        let cure = "switch off \"Requires OAuth2 Code Grant\" on the Bot page of the developer portal";
        findings.push(Finding::bad(ABOUT, "nobody can add the bot to a server", cure));
    }
    if application["bot_public"] == false {
        let cure = "switch on \"Public Bot\" there if others are to add it";
        findings.push(Finding::note(ABOUT, "only its owner can add the bot to servers", cure));
    }
    findings
}

fn examine_gateway(gateway: &Value) -> Finding {
    let limit = &gateway["session_start_limit"];
    let (left, total) = (limit["remaining"].as_u64().unwrap_or_default(), limit["total"].as_u64().unwrap_or_default());
    let found = format!("{left} of {total} starts of a day are left, {} shard(s) recommended", gateway["shards"]);
    if left <= FEW_STARTS {
        Finding::bad(ABOUT, found, "find out what starts the bot again and again; Discord resets the token at 0")
    } else {
        Finding::good(ABOUT, found)
    }
}
