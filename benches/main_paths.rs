//! The paths that every command, key press and row takes, each alone, to be timed or counted.
//!
//! `cargo bench --bench main_paths` runs each for a moment and prints its time. With a name that one is run once, for
//! a profiler that is switched on in `measured`: `bench/instructions` counts them so.

use std::hint::black_box;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use zstack_cli::catalog::Catalog;
use zstack_cli::json::Scanner;
use zstack_cli::plan;
use zstack_cli::render::{Format, Shape, View, render};
use zstack_cli::shell::complete::{Sources, complete};
use zstack_cli::syntax::Command;

/// What a path does, made ready so that only the path itself is measured.
enum Path {
    /// Parses and plans a line.
    Plan(String),
    /// Completes at the end of a line.
    Complete(String),
    /// Prints a reply in a format.
    Render(Format, String),
}

/// All paths, by the names that `bench/instructions.txt` has.
fn paths() -> Vec<(&'static str, Path)> {
    let long: String = (0..500).map(|number| format!("name!=some-value-{number:04}")).collect::<Vec<_>>().join(" ");
    let uuid = "1ab3b836a88342e1bbc1b1a17d092f0f";
    vec![
        ("plan-query", Path::Plan("QueryVmInstance state=Running vmNics.ip~=10.% fields=uuid,name limit=5".to_owned())),
        ("plan-action", Path::Plan(format!("CreateZone name=lab description='two words' resourceUuid={uuid}"))),
        ("plan-unknown", Path::Plan("QueryVmInstnace name=x".to_owned())),
        ("complete-api", Path::Complete("QueBaSt".to_owned())),
        ("complete-parameter", Path::Complete("CreateVmInstance name=x ".to_owned())),
        ("complete-field", Path::Complete("QueryVmInstance vmNics.l3Network.".to_owned())),
        ("complete-value", Path::Complete("QueryVmInstance state=R".to_owned())),
        ("complete-10000-characters", Path::Complete(format!("QueryVmInstance {long} sta"))),
        ("render-json", Path::Render(Format::Json, reply(1000))),
        ("render-table", Path::Render(Format::Table, reply(1000))),
        ("render-csv", Path::Render(Format::Csv, reply(1000))),
    ]
}

/// A node's answer with so many VMs.
fn reply(rows: u32) -> String {
    let rows: Vec<String> = (0..rows)
        .map(|number| {
            format!(
                r#"{{"uuid":"{number:032x}","name":"vm-{number}","description":"\u003ca\u003e","zoneUuid":"{number:032x}","state":"Running","type":"UserVm","memorySize":{},"cpuNum":4,"createDate":"Mar 4, 2025 2:12:01 PM","vmNics":[{{"uuid":"{number:032x}","ip":"10.0.3.7","mac":"fa:16:3e:00:00:01","deviceId":0}}],"allVolumes":[{{"uuid":"{number:032x}","size":1.073741824E9,"status":"Ready"}}]}}"#,
                u64::from(number) << 20
            )
        })
        .collect();
    format!(r#"{{"inventories":[{}],"schema":{{}}}}"#, rows.join(","))
}

/// Runs a path once. Apart from the rest, so that a profiler can be switched on here.
#[inline(never)]
fn measured(path: &Path, sources: &Sources<'_>) -> usize {
    match path {
        Path::Plan(line) => match Command::parse(line) {
            Ok(Some(command)) => {
                let planned = plan::plan(&command, sources.catalog, &plan::Options::default());
                usize::from(planned.is_ok())
            }
            _ => 0,
        },
        Path::Complete(line) => complete(line, line.len(), sources).candidates.len(),
        Path::Render(format, reply) => {
            let mut out = Vec::new();
            let done = render(&mut Scanner::new(reply.as_bytes()), &Shape::default(), &View::new(*format), &mut out);
            done.map_or(0, |_| out.len())
        }
    }
}

/// How long a path takes: the median of many runs.
fn time(path: &Path, sources: &Sources<'_>) -> Duration {
    let end = Instant::now() + Duration::from_millis(300);
    let mut times = Vec::new();
    while times.len() < 5 || Instant::now() < end {
        let start = Instant::now();
        black_box(measured(black_box(path), sources));
        times.push(start.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}

fn main() -> ExitCode {
    let sources = Sources::of_catalog(Catalog::newest());
    let mut paths = paths();
    // Cargo says `--bench` to whatever it runs.
    if let Some(wanted) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) {
        paths.retain(|(name, _)| *name == wanted);
        // What is built once for a whole session is not part of a path.
        black_box(complete("h", 1, &sources).candidates.len());
        for (_, path) in &paths {
            black_box(measured(black_box(path), &sources));
        }
        return if paths.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    let mut out = std::io::stdout().lock();
    for (name, path) in &paths {
        if writeln!(out, "{name:<28} {:>12.1?}", time(path, &sources)).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}
