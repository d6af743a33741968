//! `quiz` and `scores`: a round alone in the terminal, and what the bot says about scores. `.ci/e2e` plays one.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::language::language;
use crate::chat::command::Command;
use crate::chat::message::{ChatKind, Incoming, Pressed, Reply, Request, Role};
use crate::chat::picture::grid;
use crate::chat::press::Press;
use crate::chat::quiz::{Standing, Table};
use crate::chat::{Lang, Post, text};
use crate::cli::{About, Play, Scores};
use crate::config::Config;
use crate::domain::quiz::{Round, State};
use crate::domain::{ChatRef, Platform, UserRef, party::TERMINAL};

/// Plays one round on the terminal.
pub(super) async fn run(config: Config, options: Play) -> anyhow::Result<ExitCode> {
    let lang = language(options.lang.as_deref())?;
    let table = table(&config).await?;
    let folder = options.out.clone().unwrap_or_else(|| PathBuf::from("kokodoko-quiz"));
    let (command, words) = match &options.rematch {
        Some(code) => (Command::Rematch, code.clone()),
        None if options.daily => (Command::Daily, String::new()),
        None => (Command::Quiz, options.words.join(" ")),
    };
    let terminal = Terminal { table: &table, lang, name: name(options.name) };
    let played = terminal.round(command, &words, &folder, &mut std::io::stdin().lock(), &mut std::io::stdout()).await;
    table.close().await;
    played
}

/// Says what the bot says about scores.
pub(super) async fn scores(config: Config, options: Scores) -> anyhow::Result<ExitCode> {
    let lang = language(options.lang.as_deref())?;
    let table = table(&config).await?;
    let command = match options.about {
        About::Score => Command::Score,
        About::Leaderboard => Command::Leaderboard,
        About::Versus => Command::Versus,
        About::Forget => Command::Forget,
        About::Link => Command::Link,
    };
    if command == Command::Forget {
        super::gifts::forget(&config).await?;
    }
    let terminal = Terminal { table: &table, lang, name: name(None) };
    let replies = terminal.say(command, &options.words.join(" ")).await;
    for reply in replies {
        println!("{}", reply.text);
        let Some(picture) = reply.picture else { continue };
        match &options.out {
            Some(out) => {
                std::fs::write(out, &picture.bytes).with_context(|| format!("cannot write {}", out.display()))?
            }
            None => println!("{}", picture.alt),
        }
    }
    table.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn table(config: &Config) -> anyhow::Result<Table> {
    let Some(settings) = &config.quiz else { bail!("the quiz is off: set quiz.enabled = true in the configuration") };
    let core = super::core(config).await?;
    Ok(Table::new(super::quiz::open(config, settings, super::store(config).await?, core).await?, Post::default()))
}

fn name(asked: Option<String>) -> String {
    let user = || std::env::var("USER").ok();
    asked.or_else(user).filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "terminal".to_owned())
}

/// Whoever sits at this machine's terminal.
struct Terminal<'a> {
    table: &'a Table,
    lang: Lang,
    name: String,
}

impl Terminal<'_> {
    const CHAT: ChatRef = ChatRef { platform: Platform::Web, id: TERMINAL };
    const USER: UserRef = UserRef { platform: Platform::Web, id: TERMINAL };

    async fn say(&self, command: Command, words: &str) -> Vec<Reply> {
        let incoming = Incoming {
            chat: Self::CHAT,
            kind: ChatKind::Private,
            thread: None,
            user: Self::USER,
            name: self.name.clone(),
            role: Role::Member,
            lang: self.lang,
            addressed: true,
            request: Request::Command(command),
            arguments: words.to_owned(),
            attachments: Vec::new(),
        };
        self.table.command(&incoming, command).await.unwrap_or_default()
    }

    async fn standing(&self) -> anyhow::Result<Option<Standing>> {
        Ok(self.table.standing(&Self::CHAT, &Self::USER).await?)
    }

    /// Begins a round, or goes on with the one that runs, and plays it to its end.
    async fn round(
        &self,
        command: Command,
        words: &str,
        folder: &Path,
        input: &mut impl BufRead,
        out: &mut impl Write,
    ) -> anyhow::Result<ExitCode> {
        let refused = self.say(command, words).await;
        for reply in &refused {
            writeln!(out, "{}", reply.text)?;
        }
        let Some(standing) = self.standing().await?.filter(|standing| standing.round.state == State::Open) else {
            return Ok(ExitCode::FAILURE);
        };
        let round = standing.round;
        self.write_photos(&round, folder).await?;
        writeln!(out, "{}", text::quiz::title(self.lang, &round))?;
        writeln!(out, "{}", text::quiz::terminal_photos(self.lang, &folder.display().to_string()))?;
        for (number, choice) in (1..).zip(standing.choices) {
            if choice.is_none() && !self.ask(&round, number, input, out).await? {
                break;
            }
        }
        self.reveal(out).await
    }

    /// Asks for one photo's area until there is an answer; `false` once no more can be given.
    async fn ask(
        &self,
        round: &Round,
        number: u8,
        input: &mut impl BufRead,
        out: &mut impl Write,
    ) -> anyhow::Result<bool> {
        writeln!(out, "\n{}", text::quiz::sheet(self.lang, number, round.questions.len()))?;
        let names = round.areas.iter().map(|area| text::short_area(self.lang, area));
        let names: Vec<String> = (1..).zip(names).map(|(key, name): (u8, &str)| format!("{key} {name}")).collect();
        loop {
            write!(out, "{} > ", names.join("  "))?;
            out.flush()?;
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 {
                writeln!(out)?;
                return Ok(false);
            }
            let key: Option<u8> = line.trim().parse().ok().filter(|key| (1..=names.len()).contains(&usize::from(*key)));
            let Some(key) = key else {
                writeln!(out, "{}", text::quiz::terminal_key(self.lang, names.len()))?;
                continue;
            };
            let press = Press::Answer { round: round.id, number, choice: key - 1 };
            writeln!(out, "{}", self.press(press).await)?;
            return Ok(self.standing().await?.is_some_and(|standing| standing.round.state == State::Open));
        }
    }

    async fn press(&self, press: Press) -> String {
        let pressed = Pressed {
            chat: Self::CHAT,
            kind: ChatKind::Private,
            thread: None,
            user: Self::USER,
            name: self.name.clone(),
            lang: self.lang,
            present: true,
            press,
        };
        self.table.press(&pressed).await.notice
    }

    /// The results, once the bell has rung; without answers to the end it has not yet.
    async fn reveal(&self, out: &mut impl Write) -> anyhow::Result<ExitCode> {
        let mut standing = self.standing().await?;
        if let Some(Standing { outcome: None, choices, .. }) = &standing
            && choices.iter().all(Option::is_some)
        {
            // An answer in the bell's own millisecond still counts: the bell rings in the next.
            self.table.next_moment().await;
            standing = self.standing().await?;
        }
        match standing.and_then(|standing| standing.outcome) {
            Some(outcome) => {
                writeln!(out, "\n{}", text::quiz::results(self.lang, &outcome))?;
                writeln!(out, "{}", text::quiz::reveal(self.lang, &outcome))?;
            }
            None => writeln!(out, "{}", text::quiz::terminal_later(self.lang))?,
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn write_photos(&self, round: &Round, folder: &Path) -> anyhow::Result<()> {
        let photos = self.table.photos_of(&Self::CHAT, round.id).await?;
        let photos = photos.context("the quiz pool does not hold this round's photos any more")?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let write = |name: String, bytes: &[u8]| {
            let path = folder.join(name);
            std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
        };
        for (number, photo) in (1..).zip(photos.iter()) {
            write(format!("photo-{number}.jpg", number = number as u8), photo)?;
        }
        write("round.jpg".to_owned(), &grid::grid(&photos, &text::quiz::title(self.lang, round)))
    }
}
