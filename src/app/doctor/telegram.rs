//! What Telegram says of the bot.

use secrecy::ExposeSecret;
use serde_json::Value;

use super::Finding;
use super::ask::{Asker, Silence, moment};
use crate::config::Telegram;

const ABOUT: &str = "telegram";
/// Updates that wait; more means that nobody has fetched them for some time.
const MANY: u64 = 100;

pub(super) async fn examine(settings: &Telegram, asker: &mut Asker) -> Vec<Finding> {
    let server = settings.api_url.as_deref().unwrap_or("https://api.telegram.org").trim_end_matches('/');
    let url = |method: &str| format!("{server}/bot{}/{method}", settings.token.expose_secret());
    let me = match asker.get(&url("getMe"), None).await {
        Ok(answer) => answer["result"].clone(),
        Err(silence) => return vec![unheard(silence)],
    };
    let name = format!("@{} ({}), the token is good", me["username"].as_str().unwrap_or("?"), me["id"]);
    let mut findings = vec![Finding::good(ABOUT, name)];
    if me["can_join_groups"] == false {
        let cure = "@BotFather, /setjoingroups, Enable, if groups are to have it";
        findings.push(Finding::note(ABOUT, "the bot cannot be added to groups", cure));
    }
    findings.push(if me["can_read_all_group_messages"] == true {
        let cure = "@BotFather, /setprivacy, Enable; then remove the bot from its groups and add it again";
        Finding::note(ABOUT, "privacy mode is off: Telegram sends it all that groups say, needlessly", cure)
    } else {
        Finding::good(ABOUT, "privacy mode is on: in groups it sees commands, mentions and answers to it, as it needs")
    });
    match asker.get(&url("getWebhookInfo"), None).await {
        Ok(answer) => findings.extend(webhook(settings, &answer["result"])),
        Err(silence) => findings.push(unheard(silence)),
    }
    findings
}

fn unheard(silence: Silence) -> Finding {
    match silence {
        Silence::Refused => {
            let cure = "copy the token again from @BotFather into `telegram.token_file` or KOKODOKO_TELEGRAM__TOKEN";
            Finding::bad(ABOUT, "Telegram refuses the token", cure)
        }
        Silence::Trouble(why) => {
            let cure = "see that this machine reaches the internet, or correct `telegram.api_url`";
            Finding::bad(ABOUT, format!("cannot be reached: {why}"), cure)
        }
    }
}

fn webhook(settings: &Telegram, info: &Value) -> Vec<Finding> {
    let set = info["url"].as_str().unwrap_or_default();
    let mut findings = Vec::new();
    match &settings.webhook {
        None if !set.is_empty() => {
            let cure = "nothing, if that program is gone: `serve` takes the webhook away";
            findings.push(Finding::note(ABOUT, "a webhook is set, though `telegram.mode` is \"polling\"", cure));
        }
        Some(hook) if set != hook.public_url => {
            findings.push(Finding::note(ABOUT, "the webhook is not set yet", "nothing: `serve` sets it"));
        }
        _ => {}
    }
    if let (Some(hook), Some(said)) = (&settings.webhook, info["last_error_message"].as_str()) {
        let when = moment(&info["last_error_date"]).map_or_else(String::new, |at| format!(" at {at}"));
        let cure =
            format!("{} must lead to {} here, with a certificate that Telegram trusts", hook.public_url, hook.listen);
        findings.push(Finding::note(ABOUT, format!("the last call of the webhook failed{when}: {said}"), cure));
    }
    let waiting = info["pending_update_count"].as_u64().unwrap_or_default();
    if waiting > MANY {
        let found = format!("{waiting} updates wait");
        findings.push(Finding::note(ABOUT, found, "nothing: `serve` answers them; Telegram keeps them for a day"));
    }
    findings
}
