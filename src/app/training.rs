//! Training as a job: this program again, as a child that trains, then as one that judges; the model goes live here.
//!
//! A job that goes on after a restart, and one that is asked for again after it was stopped, finds what it has left: the
//! unfinished model with its checkpoints lies under the key of the request, the finished one under the job's own name.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use anyhow::Context;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::chat::train::{Epoch, Live, Outcome, Progress as Said, Request, Stage};
use crate::clock::SharedClock;
use crate::collect::dataset::Dataset;
use crate::collect::export;
use crate::config::Config;
use crate::domain::job::Job;
use crate::domain::partition::Limits;
use crate::infer::files::replace;
use crate::infer::manifest::{MANIFEST_FILE, sha256_hex};
use crate::jobs::child::{self, ChildError};
use crate::jobs::{Progress, Work, Worked, worked};
use crate::judge::Judgement;
use crate::models::{Registry, Wanted};
use crate::train::checkpoint;
use crate::train::progress::{Event, Trouble};
use crate::train::recipe::Recipe;
use crate::train::settings::{Mode, Settings, Source};

/// File of the epochs that are done, beside the unfinished model.
const EPOCHS: &str = "epochs.json";

/// What is run as a child: this program, with the same configuration.
#[derive(Clone, Debug)]
pub struct Program {
    /// The executable.
    pub executable: PathBuf,
    /// The configuration file, unless it is the usual one.
    pub config: Option<PathBuf>,
}

impl Program {
    /// The one that runs.
    ///
    /// # Errors
    /// When the system does not say where it lies.
    pub fn this(config: Option<PathBuf>) -> anyhow::Result<Self> {
        Ok(Self { executable: std::env::current_exe().context("cannot find this program")?, config })
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&self.executable);
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        command.args([name, "--attended"]);
        command
    }
}

/// Trains as configured.
pub(super) struct Training {
    settings: Settings,
    program: Program,
    registry: Registry,
    models: PathBuf,
    images: PathBuf,
    clock: SharedClock,
}

/// One job.
struct Task<'a> {
    training: &'a Training,
    request: Request,
    /// Names what is unfinished: equal for equal requests.
    key: String,
    /// Names the model.
    name: String,
    lang: &'a str,
    said: Said,
    progress: &'a Progress,
    stop: &'a CancellationToken,
}

impl Training {
    /// Trains by this configuration with `program`, for `registry`.
    pub(super) fn new(config: &Config, program: Program, registry: Registry, clock: SharedClock) -> Self {
        let (models, images) = (config.models_folder.clone(), config.collect.data_folder.clone());
        Self { settings: config.train.clone(), program, registry, models, images, clock }
    }

    async fn train(&self, job: &Job, progress: &Progress, stop: &CancellationToken) -> anyhow::Result<Outcome> {
        let request: Request = serde_json::from_str(&job.request)?;
        let key = sha256_hex(job.request.as_bytes())[..12].to_owned();
        let day = job.created.strftime("%Y%m%d");
        let cells = if request.cells.is_some() { "cells-" } else { "" };
        let name = format!("{cells}{}-{day}-{}", request.mode.name(), job.id.0);
        let said = job.progress.as_deref().and_then(|said| serde_json::from_str(said).ok()).unwrap_or_default();
        let lang = &job.client.lang;
        let mut task = Task { training: self, request, key, name, lang, said, progress, stop };
        if !self.models.join(&task.name).join(MANIFEST_FILE).is_file() {
            task.fit().await?;
        }
        let actor = format!("{}:{}", job.client.user.platform.name(), job.client.user.id);
        task.finish(&actor).await
    }
}

impl Work for Training {
    fn run<'a>(
        &'a self,
        job: &'a Job,
        progress: &'a Progress,
        stop: &'a CancellationToken,
    ) -> Pin<Box<dyn Future<Output = Worked> + Send + 'a>> {
        Box::pin(async move { worked(self.train(job, progress, stop).await, stop, |error| format!("{error:#}")) })
    }
}

impl Task<'_> {
    /// Where the model is made; a name that is none on the shelf.
    fn unfinished(&self) -> PathBuf {
        self.training.models.join(format!(".unfinished-{}", self.key))
    }

    /// Trains, and puts the model on the shelf.
    async fn fit(&mut self) -> anyhow::Result<()> {
        let out = self.unfinished();
        let epochs = fs::read(out.join(EPOCHS)).ok().and_then(|json| serde_json::from_slice(&json).ok());
        self.said = Said { epochs: epochs.unwrap_or_default(), ..Said::default() };
        self.say(|_| {});
        let data = self.data().await?;
        let mut parts = 1;
        while let Err(error) = self.child(self.fitting(&out, data.as_deref(), parts)?).await {
            if !matches!(error.downcast_ref(), Some(ChildError::OutOfMemory(_))) || !self.can_be_parted(parts) {
                return Err(error);
            }
            parts *= 2;
            tracing::warn!(parts, "memory ran out: each step is done in parts from now on");
            self.say(|said| (said.parts, said.trouble) = (true, None));
        }
        let home = self.training.models.join(&self.name);
        checkpoint::thin(&out.join(checkpoint::FOLDER))?;
        fs::rename(&out, &home).with_context(|| format!("cannot move the model to {}", home.display()))
    }

    /// The child that trains.
    fn fitting(&self, out: &Path, data: Option<&Path>, parts: usize) -> anyhow::Result<Command> {
        let mut command = self.training.program.command("train");
        command.args(["--mode", self.request.mode.name(), "--name", &self.name]).arg("--out").arg(out);
        match data {
            Some(folder) => command.arg("--data").arg(folder),
            None => command.arg("--photos").arg(self.training.settings.photos.to_string()),
        };
        if let Some(Limits { most, least, deepest }) = self.request.cells {
            command.arg("--cells");
            for (option, limit) in [("--most", most), ("--least", least), ("--deepest", deepest.into())] {
                command.arg(option).arg(limit.to_string());
            }
        }
        command.args(match self.request.mode {
            Mode::Head => self.head()?,
            Mode::Full => self.full(checkpoint::is_there(&out.join(checkpoint::FOLDER)), parts),
        });
        Ok(command)
    }

    /// Whether a step can be done in twice as many parts; each keeps two photos.
    fn can_be_parted(&self, parts: usize) -> bool {
        let recipe = self.request.recipe.as_ref().and_then(|name| Recipe::find(name).ok());
        recipe.is_some_and(|recipe| recipe.batch >= 4 * parts)
    }

    /// What a new last layer wants to know.
    fn head(&self) -> anyhow::Result<Vec<OsString>> {
        let mut words = vec!["--cache".into(), self.cache().into()];
        let base = self.request.base.as_ref().map(|base| base.folder.as_str()).filter(|folder| !folder.is_empty());
        if let Some(base) = base {
            words.extend(["--from".into(), self.training.registry.shelf().folder(base)?.into()]);
        }
        Ok(words)
    }

    /// What a whole network wants to know.
    fn full(&self, resume: bool, parts: usize) -> Vec<OsString> {
        let settings = &self.training.settings;
        let recipe = self.request.recipe.as_ref().unwrap_or(&settings.recipe);
        let mut words: Vec<OsString> =
            vec!["--recipe".into(), recipe.into(), "--device".into(), settings.device.name().into()];
        words.extend(["--parts".into(), parts.to_string().into()]);
        match &settings.from {
            _ if resume => words.push("--resume".into()),
            Some(from) => words.extend(["--from".into(), from.into()]),
            None => {}
        }
        words
    }

    /// Folder of what networks said of photos.
    fn cache(&self) -> PathBuf {
        self.training.settings.folder.join("cache")
    }

    /// The copy of the dataset: hard links, so that a training goes on with the photos that it began with.
    fn copy(&self) -> PathBuf {
        self.training.settings.folder.join(format!("photos-{}", self.key))
    }

    /// The folder of the photos; `None` where they are drawn.
    async fn data(&self) -> anyhow::Result<Option<PathBuf>> {
        match self.request.data {
            Source::Drawn => Ok(None),
            Source::Folder => {
                let folder = self.training.settings.data_folder.clone();
                Ok(Some(folder.context("`train.data_folder` is empty")?))
            }
            Source::Collected => {
                let copy = self.copy();
                if !copy.join(export::TABLE).is_file() {
                    remove(&copy)?;
                    let store = self.training.registry.shelf().store().clone();
                    let dataset = Dataset::new(store, &self.training.images, self.training.clock.clone());
                    tokio::select! {
                        exported = export::export(&dataset, &copy) => drop(exported?),
                        () = self.stop.cancelled() => anyhow::bail!("stopped"),
                    }
                }
                Ok(Some(copy))
            }
        }
    }

    /// Judges the model, and makes it live if it is better.
    async fn finish(mut self, actor: &str) -> anyhow::Result<Outcome> {
        let folder = self.training.settings.folder.join("reports").join(&self.name);
        let registry = &self.training.registry;
        let shelf = registry.shelf();
        let live = shelf.store().live_model().await?.map(|live| live.candidate.folder);
        let (judgement, live) = if live.as_ref() == Some(&self.name) {
            // A restart came right after the model had gone live.
            (serde_json::from_slice(&fs::read(folder.join("report.json"))?)?, Live::New)
        } else {
            let judgement = self.judge(&folder).await?;
            let verdict = judgement.against.as_ref().map(|other| other.verdict.clone());
            let verdict = verdict.context("the comparison with the live model is missing")?;
            shelf.note_verdict(&self.name, &verdict)?;
            let live = match verdict.better {
                false => Live::Old,
                true => match registry.promote(&self.name, Wanted::Better(Box::new(verdict)), actor).await {
                    Ok(_) => Live::New,
                    Err(error) => Live::Refused(error.to_string()),
                },
            };
            (judgement, live)
        };
        remove(&self.copy())?;
        let report = folder.join("report.html").display().to_string();
        Ok(Outcome { name: self.name, judgement, live, report })
    }

    async fn judge(&mut self, report: &Path) -> anyhow::Result<Judgement> {
        self.say(|said| said.stage = Stage::Judging { done: 0, of: 0 });
        let data = self.data().await?.unwrap_or_else(|| "drawn".into());
        let mut command = self.training.program.command("evaluate");
        command.args(["--progress", "--against", "live", "--lang", self.lang]);
        let paths = [
            ("--model", self.training.models.join(&self.name)),
            ("--data", data),
            ("--out", report.to_owned()),
            ("--cache", self.cache()),
        ];
        for (option, path) in paths {
            command.arg(option).arg(path);
        }
        let result = self.child(command).await?;
        serde_json::from_str(&result).context("the comparison cannot be read")
    }

    /// Runs a child to its end; its result.
    async fn child(&mut self, command: Command) -> anyhow::Result<String> {
        let (mut failure, stop) = (None, self.stop);
        let mut listen = |line: &str| {
            let Ok(event) = serde_json::from_str::<Event>(line) else { return };
            if let Event::Failed { text, .. } = &event {
                failure = Some(text.clone());
            }
            let is_epoch = matches!(&event, Event::Progress(last) if last.validation.is_some());
            self.say(|said| hear(said, event));
            if is_epoch {
                self.note_epochs();
            }
        };
        match child::run(command, &mut listen, stop).await {
            Ok(result) => Ok(result),
            Err(ChildError::Status(..)) if failure.is_some() => Err(anyhow::Error::msg(failure.unwrap_or_default())),
            Err(error) => {
                if matches!(error, ChildError::OutOfMemory(_)) {
                    self.say(|said| said.trouble = Some(Trouble::Memory));
                }
                Err(error.into())
            }
        }
    }

    /// Keeps the curve with the checkpoints that it leads to.
    fn note_epochs(&self) {
        let json = serde_json::to_vec(&self.said.epochs).unwrap_or_default();
        if let Err(error) = replace(&self.unfinished().join(EPOCHS), &json) {
            tracing::warn!(%error, "the curve of the training is not kept");
        }
    }

    fn say(&mut self, change: impl FnOnce(&mut Said)) {
        change(&mut self.said);
        match serde_json::to_string(&self.said) {
            Ok(said) => self.progress.say(said),
            Err(error) => tracing::warn!(%error, "progress cannot be told"),
        }
    }
}

/// Takes in what a child says.
fn hear(said: &mut Said, event: Event) {
    match event {
        Event::Features { done, of, pace } => (said.stage, said.pace) = (Stage::Features { done, of }, pace),
        Event::Asking { done, of, pace } => (said.stage, said.pace) = (Stage::Judging { done, of }, pace),
        Event::Failed { why, .. } => said.trouble = Some(why),
        Event::Note { about, .. } if about == "memory" => said.parts = true,
        Event::Note { about, .. } if about == "start" => said.epochs.clear(),
        Event::Note { .. } => {}
        Event::Progress(last) => {
            said.stage = Stage::Fitting;
            // A training that was not interrupted speaks of its first epoch first.
            if said.last.is_none() {
                said.resumed = last.epoch.checked_sub(1).filter(|done| *done > 0);
            }
            if let Some(validation) = last.validation {
                // An epoch that was done twice, before and after a kill, counts once.
                said.epochs.retain(|epoch| epoch.epoch < last.epoch);
                let macro_recall = validation.macro_recall;
                said.epochs.push(Epoch { epoch: last.epoch, loss: last.loss, macro_recall });
            }
            said.last = Some(last);
        }
    }
}

/// Removes a folder, if it is there.
fn remove(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
