//! Reads files, standard input and secrets.

use std::io::{self, Read};

use crate::client;
use crate::error::{Error, OwnError};
use crate::interrupt::Interrupt;
use crate::secret::Secret;
use crate::tty;

use super::no_echo::NoEcho;

/// The text of a file, or of standard input for `-`, unless the commands are read from there.
pub(crate) fn read_text(path: &str, holds_commands: bool) -> io::Result<String> {
    let bytes = match path {
        "-" if holds_commands => return Err(stdin_is_taken()),
        "-" => {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes)?;
            bytes
        }
        path => std::fs::read(path)?,
    };
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// The error for reading standard input while it is the script.
pub(crate) fn stdin_is_taken() -> io::Error {
    io::Error::other("standard input holds the commands that run")
}

/// Asks for a secret: without echo on a terminal, else reads it from standard input.
pub(crate) fn ask_secret(
    question: &str,
    on_terminal: bool,
    holds_commands: bool,
    interrupt: &Interrupt,
) -> Result<Secret, Error> {
    if on_terminal {
        // Ending by Ctrl-C would leave the terminal without echo.
        interrupt.on_ctrl_c()?;
        let _kept = tty::keep();
        let _silent = NoEcho::new();
        return secret_of(rpassword::prompt_password(question));
    }
    if holds_commands {
        return Err(Error::Own(OwnError::NoPassword));
    }
    let mut text = String::new();
    secret_of(io::stdin().lock().read_to_string(&mut text).map(|_| text))
}

/// A typed or piped secret, without its line end.
fn secret_of(read: io::Result<String>) -> Result<Secret, Error> {
    let text = read.map_err(|error| match error.kind() {
        io::ErrorKind::Interrupted => Error::Client(client::Error::Interrupted { job: None }),
        io::ErrorKind::UnexpectedEof => Error::Own(OwnError::NoPassword),
        _ => Error::Script { path: "the password".to_owned(), source: error },
    })?;
    let secret = Secret::new(text);
    let bare = secret.expose().trim_end_matches(['\n', '\r']);
    if bare.is_empty() {
        return Err(Error::Own(OwnError::NoPassword));
    }
    Ok(Secret::from(bare))
}
