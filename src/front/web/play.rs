//! The quiz on the page: commands, buttons and answers as in a chat, and the round as JSON, since the page shows it
//! itself.
//!
//! | request | answer |
//! |---|---|
//! | `GET /api/v1/quiz` | [`json::Table`]: name and round |
//! | `POST /api/v1/quiz/commands/{command}` with `{"words", "name"}` | the bot's replies and the round |
//! | `POST /api/v1/quiz/buttons/{payload}` | what the button of a reply leads to |
//! | `PUT /api/v1/quiz/rounds/{id}/answers/{number}` with `{"choice"}` | what is said to it and the round |
//! | `GET /api/v1/quiz/rounds/{id}/photos/{number}` | a JPEG |

mod json;
pub(super) mod player;

pub(super) use self::json::data_url;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};

use self::json::{AnswerBody, CommandBody};
use self::player::Player;
use super::language::Language;
use super::problem::Problem;
use super::{Shared, Site, clients, give};
use crate::chat::command::Command;
use crate::chat::message::{ChatKind, Incoming, PressReply, Pressed, Request, Role};
use crate::chat::press::Press;
use crate::chat::quiz::Table;
use crate::chat::{Lang, text};
use crate::domain::quiz::RoundId;
use crate::store::StoreError;

/// Most bytes of a body: a command's words and a name.
const MAX_BODY: usize = 4_096;

type Body<T> = Result<Json<T>, JsonRejection>;
type Photo = Result<Path<(i64, u8)>, PathRejection>;

/// The paths of the quiz.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/api/v1/quiz", get(show))
        .route("/api/v1/quiz/commands/{command}", post(command))
        .route("/api/v1/quiz/buttons/{payload}", post(button))
        .route("/api/v1/quiz/rounds/{id}/answers/{number}", put(answer))
        .route("/api/v1/quiz/rounds/{id}/photos/{number}", get(photo))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

/// Who asks, from where, in which language.
struct Caller {
    player: Option<Player>,
    address: Option<IpAddr>,
    lang: Lang,
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let (player, address) = (Player::of(&parts.headers), clients::address(&parts.extensions));
        Ok(Self { player, address, lang: Language::of(parts).0 })
    }
}

/// Somebody at the table.
struct Guest<'a> {
    table: &'a Table,
    player: Player,
    lang: Lang,
}

impl<'a> Guest<'a> {
    fn of(site: &'a Site, caller: Caller) -> Result<Self, Problem> {
        let table = site.table.as_ref().ok_or(Problem::QuizOff)?;
        let player = caller.player.unwrap_or_else(|| Player::new(&table.token()));
        Ok(Self { table, player, lang: caller.lang })
    }

    /// The name that was asked for, else the one that they had, else one for somebody unknown.
    async fn name(&self, asked: Option<String>) -> Result<String, Problem> {
        let asked = asked.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        let name = match asked {
            Some(name) => Some(name),
            None => self.table.name_of(&self.player.user).await.map_err(failed)?,
        };
        Ok(name.unwrap_or_else(|| text::web::guest(self.lang)))
    }

    /// Everything that the page shows of the round.
    async fn round(&self) -> Result<Option<json::Round>, Problem> {
        let standing = self.table.standing(&self.player.chat, &self.player.user).await.map_err(failed)?;
        Ok(standing.map(|standing| json::Round::new(self.lang, standing)))
    }

    async fn press(&self, press: Press) -> Result<PressReply, Problem> {
        let pressed = Pressed {
            chat: self.player.chat.clone(),
            kind: ChatKind::Private,
            thread: None,
            user: self.player.user.clone(),
            name: self.name(None).await?,
            lang: self.lang,
            present: true,
            press,
        };
        Ok(self.table.press(&pressed).await)
    }

    /// The answer, with the token for who has none yet.
    fn answer(&self, body: impl serde::Serialize) -> Response {
        let mut response = Json(body).into_response();
        if let Some(cookie) = self.player.cookie() {
            response.headers_mut().insert(SET_COOKIE, cookie);
        }
        response
    }
}

/// What the database said is for the log alone.
fn failed(error: StoreError) -> Problem {
    tracing::error!(%error, "the quiz failed");
    Problem::QuizFailed
}

fn respond(lang: Lang, outcome: Result<Response, Problem>) -> Response {
    outcome.unwrap_or_else(|problem| problem.response(lang))
}

async fn show(State(site): Shared, caller: Caller) -> Response {
    respond(caller.lang, shown(&site, caller).await)
}

async fn shown(site: &Site, caller: Caller) -> Result<Response, Problem> {
    let guest = Guest::of(site, caller)?;
    let name = guest.table.name_of(&guest.player.user).await.map_err(failed)?;
    // Who only looks gets no token: nothing is remembered of them.
    Ok(Json(json::Table { name, round: guest.round().await? }).into_response())
}

async fn command(State(site): Shared, Path(name): Path<String>, caller: Caller, body: Body<CommandBody>) -> Response {
    respond(caller.lang, commanded(&site, &name, caller, body).await)
}

async fn commanded(site: &Site, name: &str, caller: Caller, body: Body<CommandBody>) -> Result<Response, Problem> {
    let _ticket = site.clients.admit(caller.address).ok_or(Problem::TooManyRequests)?;
    let guest = Guest::of(site, caller)?;
    let command = Command::parse(name).ok_or(Problem::NotFound)?;
    let Json(body) = body.map_err(|_| Problem::BadBody)?;
    let incoming = Incoming {
        chat: guest.player.chat.clone(),
        kind: ChatKind::Private,
        thread: None,
        user: guest.player.user.clone(),
        name: guest.name(body.name).await?,
        role: Role::Member,
        lang: guest.lang,
        addressed: true,
        request: Request::Command(command),
        arguments: body.words,
        attachments: Vec::new(),
    };
    // Before the scores, by whose links the gifts of other services are found.
    if let (Command::Forget, Some(giving)) = (command, &site.giving) {
        giving.forget(&guest.player.user).await.map_err(give::failed)?;
    }
    let replies = guest.table.command(&incoming, command).await.ok_or(Problem::NotFound)?;
    let replies = replies.into_iter().map(json::Reply::from).collect();
    Ok(guest.answer(json::Said { replies, round: guest.round().await? }))
}

async fn button(State(site): Shared, Path(payload): Path<String>, caller: Caller) -> Response {
    respond(caller.lang, pressed(&site, &payload, caller).await)
}

async fn pressed(site: &Site, payload: &str, caller: Caller) -> Result<Response, Problem> {
    let _ticket = site.clients.admit(caller.address).ok_or(Problem::TooManyRequests)?;
    let guest = Guest::of(site, caller)?;
    let reply = guest.press(Press::parse(payload).ok_or(Problem::NotFound)?).await?;
    let replies = reply.edit.into_iter().chain(reply.messages).map(json::Reply::from).collect();
    Ok(guest.answer(json::Pressed { notice: reply.notice, replies, round: guest.round().await? }))
}

async fn answer(State(site): Shared, photo: Photo, caller: Caller, body: Body<AnswerBody>) -> Response {
    respond(caller.lang, answered(&site, photo, caller, body).await)
}

async fn answered(site: &Site, photo: Photo, caller: Caller, body: Body<AnswerBody>) -> Result<Response, Problem> {
    let guest = Guest::of(site, caller)?;
    let Path((round, number)) = photo.map_err(|_| Problem::NotFound)?;
    let Json(AnswerBody { choice }) = body.map_err(|_| Problem::BadBody)?;
    let notice = guest.press(Press::Answer { round: RoundId(round), number, choice }).await?.notice;
    Ok(guest.answer(json::Pressed { notice, replies: Vec::new(), round: guest.round().await? }))
}

async fn photo(State(site): Shared, photo: Photo, caller: Caller) -> Response {
    respond(caller.lang, shot(&site, photo, caller).await)
}

async fn shot(site: &Site, photo: Photo, caller: Caller) -> Result<Response, Problem> {
    let guest = Guest::of(site, caller)?;
    let Path((round, number)) = photo.map_err(|_| Problem::NotFound)?;
    let photos = guest.table.photos_of(&guest.player.chat, RoundId(round)).await.map_err(failed)?;
    let at = usize::from(number).checked_sub(1).ok_or(Problem::NotFound)?;
    let jpeg = photos.as_ref().and_then(|photos| photos.get(at)).ok_or(Problem::NotFound)?;
    // The photo of a number never changes, and is nobody else's.
    let headers = [(CONTENT_TYPE, "image/jpeg"), (CACHE_CONTROL, "private, max-age=3600, immutable")];
    Ok((headers, jpeg.clone()).into_response())
}
