//! `check-config`: what would run.

use std::process::ExitCode;

use crate::config::Config;
use crate::domain::Platform;

/// Says what the valid configuration leads to; secrets are only said to be there.
pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    print!("{}", describe(&config));
    let core = super::core(&config).await?;
    let model = core.identity();
    println!("model     {} {} loads on {}", model.name, model.version, model.backend);
    Ok(ExitCode::SUCCESS)
}

fn describe(config: &Config) -> String {
    let telegram = config.telegram.as_ref().map_or_else(
        || "off".to_owned(),
        |telegram| {
            let how = telegram.webhook.as_ref().map_or("long polling".to_owned(), |hook| {
                format!("webhook at {}, listening on {}", hook.public_url, hook.listen)
            });
            let server = telegram.api_url.as_deref().unwrap_or("Telegram's own server");
            format!("on, {how}, {server}, token set")
        },
    );
    let discord = config.discord.as_ref().map_or_else(
        || "off".to_owned(),
        |discord| {
            let proxy = discord.api_url.as_ref().map_or_else(String::new, |proxy| format!(", through {proxy}"));
            format!("on{proxy}, token set")
        },
    );
    let count = |platform| config.admins.iter().filter(|admin| admin.platform == platform).count();
    let owners = match config.owners.len() {
        0 => "each an owner".to_owned(),
        count => format!("{count} owners"),
    };
    let admins =
        format!("{} on Telegram, {} on Discord, {owners}", count(Platform::Telegram), count(Platform::Discord));
    let train = &config.train;
    let training = format!(
        "{} on {} photos, {}; reports in {}, models in {}",
        train.mode.name(),
        train.data.name(),
        train.device.name(),
        train.folder.display(),
        config.models_folder.display()
    );
    let limits = &config.infer.limits;
    format!(
        "web       http://{}/\ntelegram  {telegram}\ndiscord   {discord}\nadmins    {admins}\n\
         training  {training}\n\
         photos    at most {} MiB, {} megapixels, {} MiB decoded\n\
         limits    {} photos a minute for a person, {} for a chat\nbackend   {}\n",
        config.web.bind,
        limits.max_bytes >> 20,
        limits.max_pixels / 1_000_000,
        limits.max_decoded_bytes >> 20,
        config.etiquette.user_photos_per_minute,
        config.etiquette.chat_photos_per_minute,
        config.infer.backend,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_runs_and_no_secret() {
        let variables = [
            ("KOKODOKO_TELEGRAM__ENABLED", "true"),
            ("KOKODOKO_TELEGRAM__TOKEN", "123:secret"),
            ("KOKODOKO_TELEGRAM__MODE", "webhook"),
            ("KOKODOKO_ADMIN__TELEGRAM", "[11, 12]"),
            ("KOKODOKO_TELEGRAM__WEBHOOK_URL", "https://bot.example/telegram"),
            ("KOKODOKO_TELEGRAM__WEBHOOK_SECRET", "hush"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = Config::load(None, variables).expect("valid");
        let said = describe(&config);
        assert!(!said.contains("secret") && !said.contains("hush"), "{said}");
        insta::assert_snapshot!(said);
    }
}
