//! Calls of the Bot API: patient with 429, bounded downloads, errors without the token.

use std::error::Error;
use std::time::Duration;

use anyhow::Context;
use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use teloxide::net::Download;
use teloxide::payloads::{EditMessageCaptionSetters, SendChatActionSetters, SendMessageSetters, SetWebhookSetters};
use teloxide::requests::Requester;
use teloxide::types::{
    AllowedUpdate, BotCommand, BotCommandScope, CallbackQueryId, ChatAction, ChatId, FileId, InlineKeyboardButton,
    InlineKeyboardMarkup, InputFile, InputMedia, InputMediaPhoto, LinkPreviewOptions, Me, MessageId, ReplyMarkup,
    ReplyParameters, Seconds, ThreadId, UserId,
};
use teloxide::{ApiError, Bot, RequestError};
use tokio_util::sync::CancellationToken;

use super::pace::Pace;
use super::{Settings, menu};
use crate::causes::causes;
use crate::chat::message::{Attachment, Delivered, DeliveryError, Picture, Reply};
use crate::chat::{Button, Buttons, Canvas, Lang, Platform, Role, Undelivered};
use crate::clock::SharedClock;
use crate::front::meters::{Fault, Meters};
use crate::infer::decode::PhotoError;

/// Telegram hands out no larger files.
const TELEGRAM_MAX_DOWNLOAD: usize = 20 << 20;
/// Longest caption and longest message, UTF-16 code units.
const MAX_CAPTION: usize = 1_024;
const MAX_WORDS: usize = 4_096;
/// Longest answer to a press, characters.
const MAX_NOTICE: usize = 200;
/// Longest wait after a 429; an answer that comes later helps nobody.
const MAX_RETRY_AFTER: SignedDuration = SignedDuration::from_secs(60);
/// Times that one call is made.
const ATTEMPTS: u32 = 4;
/// How Telegram words its 5xx.
const SERVER_FAULTS: [&str; 4] = ["Internal Server Error", "Bad Gateway", "Service Unavailable", "Gateway Timeout"];
/// Longest wait between attempts to reach Telegram.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Where an answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) chat: ChatId,
    /// The message that is answered, if any.
    pub(super) message: Option<MessageId>,
    /// The topic of a forum.
    pub(super) thread: Option<ThreadId>,
}

/// The Bot API on behalf of one bot.
pub(super) struct Api {
    bot: Bot,
    max_photo_bytes: usize,
    meters: Meters,
    clock: SharedClock,
    pace: Pace,
}

impl Api {
    pub(super) fn new(settings: &Settings) -> anyhow::Result<Self> {
        // teloxide's own timeout of 17 s is too short for 20 MiB on a slow line.
        let client = teloxide::net::default_reqwest_settings().timeout(Duration::from_secs(90)).build()?;
        let mut bot = Bot::with_client(settings.token.expose_secret(), client);
        if let Some(url) = &settings.api_url {
            let parsed = reqwest::Url::parse(url).ok().filter(|url| !url.cannot_be_a_base());
            bot = bot.set_api_url(parsed.with_context(|| format!("{url:?} is no address of a Bot API server"))?);
        }
        let (max_photo_bytes, clock) = (settings.max_photo_bytes.min(TELEGRAM_MAX_DOWNLOAD), settings.clock.clone());
        Ok(Self { bot, max_photo_bytes, meters: settings.meters.clone(), pace: Pace::new(clock.clone()), clock })
    }

    /// teloxide's handle, for its update listener.
    pub(super) fn bot(&self) -> &Bot {
        &self.bot
    }

    /// The largest photo that is downloaded, bytes.
    pub(super) fn max_photo_bytes(&self) -> usize {
        self.max_photo_bytes
    }

    /// Counts a call that failed.
    pub(super) fn failed(&self, error: &RequestError) {
        self.meters.failed(Platform::Telegram, fault(error));
    }

    /// An error with its causes, without the token: reqwest's errors quote the URL, and the URL holds it.
    pub(super) fn redact(&self, error: &dyn Error) -> String {
        redact(error, self.bot.token())
    }

    /// Who the bot is. Tries until Telegram can be reached; `None` when stopped before.
    pub(super) async fn introduce(&self, stop: &CancellationToken) -> anyhow::Result<Option<Me>> {
        let mut pause = Duration::from_secs(1);
        loop {
            let asked = tokio::select! {
                asked = self.bot.get_me() => asked,
                () = stop.cancelled() => return Ok(None),
            };
            match asked {
                Ok(me) => return Ok(Some(me)),
                Err(RequestError::Api(ApiError::InvalidToken)) => anyhow::bail!(
                    "Telegram refuses the token. Copy it again from @BotFather into `telegram.token_file` or \
                     KOKODOKO_TELEGRAM__TOKEN."
                ),
                Err(error) => {
                    self.failed(&error);
                    tracing::warn!(error = self.redact(&error), ?pause, "Telegram cannot be reached");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(MAX_PAUSE),
                () = stop.cancelled() => return Ok(None),
            }
        }
    }

    /// Sets the menus of everybody, or those of an admin in their private chat. A bot without a menu still answers.
    pub(super) async fn set_menus(&self, admin: Option<(ChatId, Role)>) {
        let (admin, role) = admin.map_or((None, Role::Member), |(chat, role)| (Some(chat), role));
        for (lang, tag) in [(Lang::En, None), (Lang::Ja, Some("ja"))] {
            self.set_commands(menu(lang, role), tag, admin).await;
        }
    }

    /// Sets the menu for speakers of a language, or for everybody else: in all chats, or in one.
    async fn set_commands(&self, menu: Vec<BotCommand>, language: Option<&'static str>, only_in: Option<ChatId>) {
        let set = self.patiently(|| {
            let mut call = self.bot.set_my_commands(menu.clone());
            call.language_code = language.map(str::to_owned);
            call.scope = only_in.map(|chat| BotCommandScope::Chat { chat_id: chat.into() });
            call.into_future()
        });
        match set.await {
            Ok(_) => {}
            // Telegram knows no chat with somebody who never wrote to the bot.
            Err(error) if only_in.is_some() => {
                tracing::info!(error = self.redact(&error), "no menu for an admin; /start in private sets it");
            }
            Err(error) => tracing::warn!(error = self.redact(&error), "the menu of commands could not be set"),
        }
    }

    /// Tells Telegram to wait for being asked.
    pub(super) async fn delete_webhook(&self) {
        if let Err(error) = self.patiently(|| self.bot.delete_webhook().into_future()).await {
            tracing::warn!(error = self.redact(&error), "the webhook could not be deleted");
        }
    }

    /// Tells Telegram where to call, and what to repeat in each call.
    pub(super) async fn set_webhook(&self, url: &reqwest::Url, secret: &str) -> anyhow::Result<()> {
        let set = self.patiently(|| {
            let call = self.bot.set_webhook(url.clone()).secret_token(secret);
            call.allowed_updates([AllowedUpdate::Message, AllowedUpdate::CallbackQuery]).into_future()
        });
        set.await.map_err(|error| anyhow::anyhow!("Telegram refuses the webhook {url}: {}", self.redact(&error)))?;
        Ok(())
    }

    /// Shows "sending a photo…" for five seconds. Nothing depends on it.
    pub(super) async fn show_work(&self, to: Address) {
        let mut call = self.bot.send_chat_action(to.chat, ChatAction::UploadPhoto);
        if let Some(thread) = to.thread {
            call = call.message_thread_id(thread);
        }
        if let Err(error) = call.await {
            tracing::debug!(error = self.redact(&error), "no chat action");
        }
    }

    /// Downloads a photo, never more than the limit.
    pub(super) async fn download(&self, attachment: &Attachment) -> Delivered {
        if let Some(bytes) = attachment.bytes {
            self.check_size(usize::try_from(bytes).unwrap_or(usize::MAX))?;
        }
        let id = FileId(attachment.handle.clone());
        let file =
            self.patiently(|| self.bot.get_file(id.clone()).into_future()).await.map_err(|error| match error {
                // The only sign of it when no size was stated.
                RequestError::Api(ApiError::Unknown(words)) if words.contains("file is too big") => self.too_large(0),
                error => DeliveryError::Download(self.redact(&error)),
            })?;
        let mut stream = self.bot.download_file_stream(&file.path);
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| DeliveryError::Download(self.redact(&error)))?;
            self.check_size(bytes.len() + chunk.len())?;
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    fn check_size(&self, bytes: usize) -> Result<(), DeliveryError> {
        if bytes > self.max_photo_bytes { Err(self.too_large(bytes)) } else { Ok(()) }
    }

    fn too_large(&self, bytes: usize) -> DeliveryError {
        let limit = self.max_photo_bytes;
        PhotoError::TooManyBytes { bytes: bytes.max(limit + 1), limit }.into()
    }

    /// Sends a reply; what goes wrong is logged as well.
    ///
    /// # Errors
    /// As [`Api::say`].
    pub(super) async fn deliver(&self, to: Address, reply: Reply) -> Result<i64, Undelivered> {
        self.say(to, reply).await.inspect_err(|error| {
            tracing::error!(chat = to.chat.0, %error, "an answer could not be delivered");
        })
    }

    /// Sends a reply; the number of its (first) message.
    ///
    /// # Errors
    /// Whether it is of use to try again later.
    pub(super) async fn say(&self, to: Address, reply: Reply) -> Result<i64, Undelivered> {
        let Reply { text, picture, buttons, album } = reply;
        let keyboard = keyboard(&buttons);
        let sent = match picture {
            _ if !album.is_empty() => self.send_album(to, &text, album).await,
            None => self.send_words(to, &text, keyboard).await,
            Some(picture) => match self.send_picture(to, &text, picture, keyboard.clone()).await {
                // Groups may forbid photos, and very long and narrow ones are refused: the words count.
                Err(RequestError::Api(error)) => {
                    tracing::info!(chat = to.chat.0, %error, "Telegram refuses the picture");
                    self.send_words(to, &text, keyboard).await
                }
                sent => sent,
            },
        };
        sent.map(|id| i64::from(id.0)).map_err(|error| self.undelivered(&error))
    }

    /// Sends a picture whose words and buttons are of no use without it; the number of the message.
    ///
    /// # Errors
    /// Whether it is of use to try again later.
    pub(super) async fn show(
        &self,
        to: Address,
        words: &str,
        picture: Picture,
        buttons: &Buttons,
    ) -> Result<i64, Undelivered> {
        let sent = self.send_picture(to, words, picture, keyboard(buttons)).await;
        sent.map(|id| i64::from(id.0)).map_err(|error| self.undelivered(&error))
    }

    fn undelivered(&self, error: &RequestError) -> Undelivered {
        let words = self.redact(error);
        match error {
            RequestError::Api(ApiError::Unknown(said)) if SERVER_FAULTS.contains(&said.as_str()) => {
                Undelivered::Later(words)
            }
            // An answer in JSON that cannot be read: the call was carried out, and must not be again.
            RequestError::Api(_) | RequestError::MigrateToChatId(_) => Undelivered::Refused(words),
            RequestError::InvalidJson { raw, .. } if raw.starts_with('{') => Undelivered::Refused(words),
            _ => Undelivered::Later(words),
        }
    }

    /// Gives a message another face; that nothing changes is no fault. Words beyond what a message or a caption holds
    /// are cut off.
    ///
    /// # Errors
    /// Whether it is of use to try again later.
    pub(super) async fn edit(
        &self,
        chat: ChatId,
        message: MessageId,
        words: &str,
        buttons: &Buttons,
        picture: Canvas,
    ) -> Result<(), Undelivered> {
        let keyboard = keyboard(buttons);
        let caption = split(words, MAX_CAPTION)[0];
        let edited = match picture {
            Canvas::None => {
                let words = split(words, MAX_WORDS)[0];
                let edited = self.speak(chat, || {
                    let mut call = self.bot.edit_message_text(chat, message, words);
                    call.reply_markup = keyboard.clone();
                    call.link_preview_options = Some(no_preview());
                    call.into_future()
                });
                edited.await.map(drop)
            }
            Canvas::Kept => {
                let edited = self.speak(chat, || {
                    let mut call = self.bot.edit_message_caption(chat, message).caption(caption);
                    call.reply_markup = keyboard.clone();
                    call.into_future()
                });
                edited.await.map(drop)
            }
            Canvas::New(picture) => {
                let file = InputFile::memory(picture.bytes).file_name(picture.name);
                let edited = self.speak(chat, || {
                    let media = InputMedia::Photo(InputMediaPhoto::new(file.clone()).caption(caption));
                    let mut call = self.bot.edit_message_media(chat, message, media);
                    call.reply_markup = keyboard.clone();
                    call.into_future()
                });
                edited.await.map(drop)
            }
        };
        match edited {
            Ok(()) | Err(RequestError::Api(ApiError::MessageNotModified)) => Ok(()),
            Err(error) => Err(self.undelivered(&error)),
        }
    }

    /// Gives a message another face. One that cannot be changed stays as it is.
    pub(super) async fn replace(&self, chat: ChatId, message: MessageId, has_picture: bool, reply: Reply) {
        let Reply { text, picture, buttons, .. } = reply;
        let picture = match (has_picture, picture) {
            (false, _) => Canvas::None,
            (true, None) => Canvas::Kept,
            (true, Some(picture)) => Canvas::New(picture),
        };
        if let Err(error) = self.edit(chat, message, &text, &buttons, picture).await {
            tracing::info!(chat = chat.0, %error, "a message keeps its old face");
        }
    }

    /// Answers a press; a query that is too old needs no answer.
    pub(super) async fn answer_query(&self, id: &CallbackQueryId, notice: &str) {
        let notice: String = notice.chars().take(MAX_NOTICE).collect();
        let answered = self.patiently(|| {
            let mut call = self.bot.answer_callback_query(id.clone());
            call.text = (!notice.is_empty()).then(|| notice.clone());
            call.into_future()
        });
        if let Err(error) = answered.await {
            tracing::info!(error = self.redact(&error), "a press could not be answered");
        }
    }

    /// What a person may do in a chat; a member, where Telegram does not say.
    pub(super) async fn role(&self, chat: ChatId, user: UserId) -> Role {
        let found = self.patiently(|| self.bot.get_chat_member(chat, user).into_future()).await;
        match found {
            Ok(member) if member.is_privileged() => Role::Moderator,
            Ok(_) => Role::Member,
            Err(error) => {
                tracing::info!(chat = chat.0, error = self.redact(&error), "no role");
                Role::Member
            }
        }
    }

    async fn send_album(&self, to: Address, words: &str, album: Vec<Picture>) -> Result<MessageId, RequestError> {
        let files: Vec<InputFile> =
            album.into_iter().map(|picture| InputFile::memory(picture.bytes).file_name(picture.name)).collect();
        let sent = self.speak(to.chat, || {
            let media = files.iter().enumerate().map(|(index, file)| {
                let photo = InputMediaPhoto::new(file.clone());
                InputMedia::Photo(if index == 0 { photo.caption(words) } else { photo })
            });
            let mut call = self.bot.send_media_group(to.chat, media);
            call.reply_parameters = reply_to(to);
            call.message_thread_id = to.thread;
            call.into_future()
        });
        Ok(sent.await?.first().map_or(MessageId(0), |message| message.id))
    }

    async fn send_picture(
        &self,
        to: Address,
        words: &str,
        picture: Picture,
        keyboard: Option<InlineKeyboardMarkup>,
    ) -> Result<MessageId, RequestError> {
        let file = InputFile::memory(picture.bytes).file_name(picture.name);
        let caption = Some(words).filter(|words| words.encode_utf16().count() <= MAX_CAPTION);
        let sent = self.speak(to.chat, || {
            let mut call = self.bot.send_photo(to.chat, file.clone());
            call.reply_parameters = reply_to(to);
            call.reply_markup = keyboard.clone().map(ReplyMarkup::InlineKeyboard);
            call.caption = caption.map(str::to_owned);
            call.message_thread_id = to.thread;
            call.into_future()
        });
        match sent.await {
            Ok(sent) if caption.is_some() => Ok(sent.id),
            Ok(_) => self.send_words(to, words, None).await,
            Err(error) => Err(error),
        }
    }

    async fn send_words(
        &self,
        to: Address,
        words: &str,
        keyboard: Option<InlineKeyboardMarkup>,
    ) -> Result<MessageId, RequestError> {
        let mut first = None;
        let parts = split(words, MAX_WORDS);
        for (index, part) in parts.iter().enumerate() {
            // The buttons stand under the end.
            let keyboard = keyboard.clone().filter(|_| index + 1 == parts.len());
            let sent = self.speak(to.chat, || {
                let mut call = self.bot.send_message(to.chat, *part).link_preview_options(no_preview());
                call.reply_parameters = reply_to(to);
                call.reply_markup = keyboard.clone().map(ReplyMarkup::InlineKeyboard);
                call.message_thread_id = to.thread;
                call.into_future()
            });
            let id = sent.await?.id;
            first.get_or_insert(id);
        }
        Ok(first.unwrap_or(MessageId(0)))
    }

    /// Makes a call that puts something into a chat: in its turn, again where that may help, and never while Telegram
    /// has forbidden it. A prohibition of more than a minute is not waited for: until it ends, calls fail unmade.
    async fn speak<T, C, F>(&self, chat: ChatId, call: C) -> Result<T, RequestError>
    where
        C: Fn() -> F,
        F: Future<Output = Result<T, RequestError>>,
    {
        let mut turn = self.pace.turn(chat).await;
        let mut attempt = 1;
        loop {
            let quiet = self.pace.quiet(&turn);
            if quiet > MAX_RETRY_AFTER {
                return Err(RequestError::RetryAfter(Seconds::from_seconds(
                    quiet.as_secs().try_into().unwrap_or(u32::MAX),
                )));
            }
            let error = match self.pace.call(&mut turn, call()).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            self.failed(&error);
            if let RequestError::RetryAfter(wait) = &error {
                self.pace.be_quiet(&mut turn, SignedDuration::from_secs(wait.seconds().into()));
            }
            let Some(pause) = self.pause(&error, attempt) else { return Err(error) };
            // What Telegram asks for is waited for above.
            if !matches!(error, RequestError::RetryAfter(_)) {
                self.wait(pause).await;
            }
            attempt += 1;
        }
    }

    /// Makes a call again when Telegram says 429, after the time that it asks for; when the connection could
    /// not be made; and when Telegram's servers are at fault. Nothing else is repeated: the call may have been
    /// carried out.
    async fn patiently<T, C, F>(&self, call: C) -> Result<T, RequestError>
    where
        C: Fn() -> F,
        F: Future<Output = Result<T, RequestError>>,
    {
        let mut attempt = 1;
        loop {
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            self.failed(&error);
            let Some(pause) = self.pause(&error, attempt) else { return Err(error) };
            self.wait(pause).await;
            attempt += 1;
        }
    }

    /// How long to wait before the same call is made again; `None` when it is not.
    fn pause(&self, error: &RequestError, attempt: u32) -> Option<SignedDuration> {
        let pause = pause_before_retry(error, attempt).filter(|_| attempt < ATTEMPTS)?;
        tracing::info!(attempt, ?pause, error = self.redact(error), "Telegram is asked again");
        Some(pause)
    }

    async fn wait(&self, pause: SignedDuration) {
        self.clock.until(self.clock.now().saturating_add(pause).unwrap_or(Timestamp::MAX)).await;
    }
}

fn fault(error: &RequestError) -> Fault {
    match error {
        RequestError::RetryAfter(_) => Fault::Limit,
        RequestError::Network(_) | RequestError::Io(_) => Fault::Network,
        RequestError::Api(ApiError::Unknown(words)) if SERVER_FAULTS.contains(&words.as_str()) => Fault::Service,
        RequestError::Api(_) | RequestError::MigrateToChatId(_) => Fault::Refused,
        RequestError::InvalidJson { .. } => Fault::Unreadable,
    }
}

fn pause_before_retry(error: &RequestError, attempt: u32) -> Option<SignedDuration> {
    match error {
        RequestError::RetryAfter(wait) => {
            Some(SignedDuration::from_secs(wait.seconds().into())).filter(|wait| *wait <= MAX_RETRY_AFTER)
        }
        RequestError::Network(error) if error.is_connect() => Some(SignedDuration::from_secs(1 << attempt.min(4))),
        // After any 5xx teloxide has waited for ten seconds already.
        RequestError::Api(ApiError::Unknown(words)) if SERVER_FAULTS.contains(&words.as_str()) => {
            Some(SignedDuration::ZERO)
        }
        // A gateway's page of HTML. An answer in JSON that cannot be read is another matter: the call succeeded.
        RequestError::InvalidJson { raw, .. } if !raw.starts_with('{') => Some(SignedDuration::ZERO),
        _ => None,
    }
}

fn no_preview() -> LinkPreviewOptions {
    LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    }
}

fn reply_to(to: Address) -> Option<ReplyParameters> {
    // The question may have been deleted in the meantime.
    to.message.map(|message| ReplyParameters::new(message).allow_sending_without_reply())
}

fn keyboard(buttons: &Buttons) -> Option<InlineKeyboardMarkup> {
    let button = |button: &Button| InlineKeyboardButton::callback(button.label.clone(), button.press.payload());
    let rows: Vec<Vec<InlineKeyboardButton>> = buttons.iter().map(|row| row.iter().map(button).collect()).collect();
    (!rows.is_empty()).then(|| InlineKeyboardMarkup::new(rows))
}

fn redact(error: &dyn Error, token: &str) -> String {
    let secret = token.split_once(':').map_or(token, |(_, secret)| secret);
    causes(error).replace(token, "<token>").replace(secret, "<token>")
}

/// Parts of at most `limit` UTF-16 code units, cut at the ends of lines where there are any.
fn split(words: &str, limit: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = words;
    while rest.encode_utf16().count() > limit {
        let mut units = 0;
        let fits = rest.char_indices().take_while(|(_, c)| {
            units += c.len_utf16();
            units <= limit
        });
        let end = fits.last().map_or(0, |(at, c)| at + c.len_utf8());
        let cut = rest[..end].rfind('\n').filter(|at| *at > 0).unwrap_or(end);
        parts.push(&rest[..cut]);
        rest = rest[cut..].trim_start_matches('\n');
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str = "123456:AAF-secret_part";

    #[tokio::test]
    async fn errors_of_the_network_do_not_quote_the_token() {
        let url = format!("http://127.0.0.1:1/file/bot{TOKEN}/photo.jpg");
        let error = reqwest::get(url).await.expect_err("nobody listens on port 1");
        assert!(error.to_string().contains(TOKEN), "else this test proves nothing: {error}");
        let words = redact(&RequestError::Network(std::sync::Arc::new(error)), TOKEN);
        assert!(!words.contains("secret_part") && words.contains("/photo.jpg"), "{words}");
        assert!(words.to_lowercase().contains("refused"), "the cause is named: {words}");
    }

    #[test]
    fn only_a_short_429_is_waited_for() {
        let wait = |seconds| pause_before_retry(&RequestError::RetryAfter(Seconds::from_seconds(seconds)), 1);
        assert_eq!(wait(7), Some(SignedDuration::from_secs(7)));
        assert_eq!(wait(3_600), None);
        assert_eq!(pause_before_retry(&RequestError::Api(ApiError::BotBlocked), 1), None);
    }

    #[test]
    fn faults_of_the_server_are_retried_and_unreadable_successes_are_not() {
        let unknown = |words: &str| RequestError::Api(ApiError::Unknown(words.to_owned()));
        assert_eq!(pause_before_retry(&unknown("Bad Gateway"), 1), Some(SignedDuration::ZERO));
        assert_eq!(pause_before_retry(&unknown("Bad Request: CHAT_RESTRICTED"), 1), None);
        let invalid = |raw: &str| {
            let source = serde_json::from_str::<u8>(raw).expect_err("no number").into();
            RequestError::InvalidJson { source, raw: raw.into() }
        };
        assert_eq!(pause_before_retry(&invalid("<html>502</html>"), 1), Some(SignedDuration::ZERO));
        assert_eq!(pause_before_retry(&invalid("{\"ok\":true,\"result\":{}}"), 1), None, "it was sent");
    }

    #[test]
    fn words_are_cut_at_lines() {
        assert_eq!(split("ab\ncd\nef", 6), ["ab\ncd", "ef"]);
        assert_eq!(split("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(split("", 3), [""]);
    }

    proptest! {
        #[test]
        fn every_part_fits_and_nothing_is_lost(words in "[a🏙\n]{0,40}", limit in 2_usize..9) {
            let parts = split(&words, limit);
            prop_assert!(parts.iter().all(|part| part.encode_utf16().count() <= limit));
            let without_breaks = |s: &str| s.replace('\n', "");
            prop_assert_eq!(without_breaks(&parts.concat()), without_breaks(&words));
        }
    }
}
