//! The pages' own styles, scripts and icon, compiled into the program.

use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::language::Language;
use super::problem::Problem;

/// Name, content type and bytes.
const ASSETS: [(&str, &str, &str); 8] = [
    ("page.css", "text/css; charset=utf-8", include_str!("assets/page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("assets/page.js")),
    ("quiz.css", "text/css; charset=utf-8", include_str!("assets/quiz.css")),
    ("quiz.js", "text/javascript; charset=utf-8", include_str!("assets/quiz.js")),
    ("model.css", "text/css; charset=utf-8", include_str!("assets/model.css")),
    ("model.js", "text/javascript; charset=utf-8", include_str!("assets/model.js")),
    ("words.js", "text/javascript; charset=utf-8", include_str!("assets/words.js")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

/// `GET /assets/{name}`
pub(super) async fn serve(Path(name): Path<String>, Language(lang): Language) -> Response {
    match ASSETS.into_iter().find(|(known, ..)| *known == name) {
        Some((_, kind, bytes)) => ([(CONTENT_TYPE, kind)], bytes).into_response(),
        None => Problem::NotFound.response(lang),
    }
}
