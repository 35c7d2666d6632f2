//! `sandbox serve|reset|seed|clone|save|load|list|changes|path`: the embedded management node from the command line.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::{sandbox_clone, sandbox_states};
use crate::calls::confirm;
use crate::cli::{SandboxCommand, ServeOptions};
use crate::client::{Clock, SystemClock};
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::sandbox::{self, Database, Fault, Options};
use crate::session::{Invocation, nodes};
use crate::shell::Flow;

/// The default address.
const PORT: u16 = 8080;

/// Runs a `sandbox` command.
pub(super) fn run(cx: &mut Invocation<'_>, command: &SandboxCommand) -> Result<Flow, Error> {
    let directory = nodes::sandbox_directory(cx.session)?;
    match command {
        SandboxCommand::Serve(typed) => {
            let _attended = cx.session.attend_to_ends()?;
            let port = cx.settings.target.typed_port.unwrap_or(PORT);
            serve(&directory, typed, port, &cx.session.interrupt)?;
        }
        SandboxCommand::Reset => {
            sandbox::reset(&directory)?;
            cx.say("the sandbox was reset to the small cloud");
        }
        SandboxCommand::Seed { vms } => {
            sandbox::seed(&directory, *vms)?;
            let note = vms.map(|count| format!("the sandbox has {count} VMs more"));
            cx.say(note.as_deref().unwrap_or("the sandbox has all of the small cloud again"));
        }
        SandboxCommand::Clone { only, yes } => clone(cx, &directory, only.as_deref(), *yes)?,
        SandboxCommand::Save { name } => sandbox_states::save(cx, &directory, name)?,
        SandboxCommand::Load { name, yes } => sandbox_states::load(cx, &directory, name, *yes)?,
        SandboxCommand::List => sandbox_states::list(cx, &directory)?,
        SandboxCommand::Changes { before, after } => {
            sandbox_states::compare(cx, &directory, before, after.as_deref())?;
        }
        SandboxCommand::Path => cx.out.write_text(&format!("{}\n", sandbox::path(&directory).display()))?,
    }
    Ok(Flow::Continue)
}

/// Copies the node of the line into the sandbox.
fn clone(cx: &mut Invocation<'_>, directory: &Path, only: Option<&str>, yes: bool) -> Result<(), Error> {
    if sandbox::exists(directory) && !cx.settings.target.is_sandbox() {
        confirm::replacing(cx, "the present state of the sandbox is replaced by a copy", yes)?;
    }
    let copied = sandbox_clone::copy(cx, directory, only)?;
    cx.session.forget_live_values();
    sandbox_clone::tell(cx, &copied);
    Ok(())
}

/// Serves the sandbox in a directory until the user interrupts.
fn serve(directory: &Path, typed: &ServeOptions, port: u16, interrupt: &Interrupt) -> Result<(), Error> {
    let value = |option, problem: String| Error::Option { option, problem };
    let bind: IpAddr = match &typed.bind[..] {
        "localhost" => IpAddr::from([127, 0, 0, 1]),
        text => text.parse().map_err(|_| value("bind", format!("{text} is not an IP address")))?,
    };
    if typed.speed.is_some_and(|speed| !(speed.is_finite() && speed > 0.0)) {
        return Err(value("speed", "it must be above zero".to_owned()));
    }
    let edition = typed.edition.as_deref().map(str::parse).transpose();
    let edition = edition.map_err(|error: sandbox::EditionError| value("edition", error.to_string()))?;
    let version = typed.plays.as_deref().map(str::parse).transpose();
    let version = version.map_err(|error: sandbox::VersionError| value("version", error.to_string()))?;
    let faults: Vec<Fault> = typed
        .fault
        .iter()
        .map(|text| text.parse().map_err(|error: sandbox::FaultError| value("fault", error.to_string())))
        .collect::<Result<_, _>>()?;
    let defaults = Options::default();
    let options = Options {
        bind,
        port,
        edition: edition.unwrap_or(defaults.edition),
        version,
        database: Database::Directory(directory.to_owned()),
        speed: typed.speed.unwrap_or(defaults.speed),
        faults,
        fault_seed: typed.seed.unwrap_or(defaults.fault_seed),
        ..defaults
    };
    let (stop, stopped) = mpsc::channel();
    let interrupt = interrupt.clone();
    // The signal only sets a flag, which is checked here.
    thread::spawn(move || {
        while SystemClock::new().wait(&interrupt, Duration::MAX, &mut |_| {}) {}
        let _ = stop.send(());
    });
    sandbox::serve(options, &mut io::stderr().lock(), &stopped)?;
    Ok(())
}
