//! The progress of a job (J11).

use std::time::Duration;

use super::answer::Understood;
use super::call::{JobUuid, Progress, Reply};
use super::caller::Client;
use crate::catalog::Method;
use crate::json::{Kind, Piece, Pieces, escape_unprintable, kind, member, unescape};
use crate::plan::{Effect, PathPart, Request, SecretText};

/// How long the whole answer may take: the job is not polled meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest description of a step, in characters.
const LONGEST_STEP: usize = 80;

impl Client {
    /// The progress of a job; `None` if the node does not report it. Errors are ignored, since nothing depends on it.
    pub fn job_progress(&mut self, uuid: &str) -> Option<Progress> {
        let path = vec![PathPart::Fixed("/task-progresses/"), PathPart::Variable(SecretText::plain(uuid))];
        read(&mut self.ask_aside("GetTaskProgress", path)?)
    }

    /// The answer to a request that nothing depends on.
    pub(super) fn ask_aside(&mut self, api: &'static str, path: Vec<PathPart>) -> Option<Reply> {
        let request = Request {
            api,
            method: Method::Get,
            path,
            query: Vec::new(),
            body: None,
            needs_session: true,
            effect: Effect::Read,
            is_async: false,
            timeout: None,
        };
        if !self.has_credentials() {
            return None;
        }
        let mut wire = self.wire(&request, JobUuid::fresh()).ok()?;
        wire.patience = PATIENCE;
        wire.whole = Some(PATIENCE);
        let Ok(Understood::Result(reader)) = self.exchange(&wire) else { return None };
        Some(Reply::of_reader(reader))
    }
}

/// The latest percentage and the latest step among the rows of `{"inventories": [..]}`.
fn read(reply: &mut dyn Pieces) -> Option<Progress> {
    let mut progress = Progress::default();
    let mut latest = [f64::MIN; 2];
    while let Some(piece) = reply.next_piece().ok()? {
        let Piece::Row(row) = piece else { continue };
        let text = |name: &str| {
            member(row, name).filter(|value| kind(value) == Kind::Text).map(|value| unescape(value).into_owned())
        };
        let time = member(row, "time")
            .and_then(|value| std::str::from_utf8(value).ok())
            .and_then(|value| value.parse::<f64>().ok())
            .unwrap_or_default();
        let content = text("content").unwrap_or_default();
        match text("type").as_deref() {
            Some("Progress") if time >= latest[0] => {
                latest[0] = time;
                progress.percent = content.trim().trim_end_matches('%').parse::<f64>().ok().map(|percent| {
                    // Saturates: what a node sends need not lie between 0 and 100.
                    percent.clamp(0.0, 100.0) as u8
                });
            }
            Some("Task") if time >= latest[1] && !content.trim().is_empty() => {
                latest[1] = time;
                let short: String = content.trim().chars().take(LONGEST_STEP).collect();
                progress.step = Some(escape_unprintable(&short).into_owned());
            }
            _ => {}
        }
    }
    Some(progress)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_percentage_and_step_count() {
        let text = r#"{"inventories":[
            {"type":"Progress","content":"40","time":2},{"type":"Progress","content":"10","time":1},
            {"type":"Task","content":"copying\u001b[31m","time":3},{"type":"Task","content":"","time":4}]}"#;
        let progress = read(&mut Reply::of_text(text.into())).expect("progress");
        assert_eq!(progress.percent, Some(40));
        let step = progress.step.expect("a step");
        assert!(step.starts_with("copying") && !step.contains('\u{1b}'), "{step}");
        assert_eq!(read(&mut Reply::of_text(r#"{"inventories":[]}"#.into())), Some(Progress::default()));
        assert_eq!(read(&mut Reply::of_text("{".into())), None);
    }
}
