//! Commands from a script, one per line, with the numbers of their lines.

use std::io::{self, BufRead};

use crate::syntax::lex;

/// A command of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScriptLine {
    /// Its text; lines that a backslash continues are one.
    pub(crate) text: String,
    /// The number of its first line, from 1.
    pub(crate) number: usize,
}

/// Reads the commands of a script as they come, so that a command runs before the next one is typed.
pub(crate) struct Lines<R> {
    reader: R,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(reader: R) -> Lines<R> {
        Lines { reader, number: 0 }
    }

    fn read_line(&mut self) -> io::Result<Option<String>> {
        let mut bytes = Vec::new();
        if self.reader.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        if self.number == 1 {
            // Editors of other systems begin a file with a byte order mark.
            let rest = bytes.strip_prefix("\u{feff}".as_bytes()).map(<[u8]>::to_vec);
            bytes = rest.unwrap_or(bytes);
        }
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("line {} is not UTF-8", self.number)))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<ScriptLine>;

    /// The next command that is more than blanks and comments. A line whose quote stays open is a command of
    /// its own, and wrong: were the next lines part of it, one stray quote would swallow the rest of a script.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut text = match self.read_line().transpose()? {
                Ok(text) => text,
                Err(error) => return Some(Err(error)),
            };
            let number = self.number;
            while lex(&text).continues {
                match self.read_line() {
                    Ok(Some(next)) => {
                        text.push('\n');
                        text.push_str(&next);
                    }
                    Ok(None) => break,
                    Err(error) => return Some(Err(error)),
                }
            }
            let lexed = lex(&text);
            if !lexed.words.is_empty() || lexed.is_incomplete() {
                return Some(Ok(ScriptLine { text, number }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(script: &str) -> Vec<(usize, String)> {
        Lines::new(script.as_bytes()).map(|line| line.expect("readable")).map(|line| (line.number, line.text)).collect()
    }

    #[test]
    fn commands_come_with_the_number_of_their_first_line() {
        let script = "\u{feff}# a script\n\nQueryZone\r\n  \nCreateZone \\\n  name=a\nlast 'open\nnext";
        assert_eq!(
            lines(script),
            [
                (3, "QueryZone".to_owned()),
                (5, "CreateZone \\\n  name=a".to_owned()),
                (7, "last 'open".to_owned()),
                (8, "next".to_owned()),
            ]
        );
        assert_eq!(lines("a \\"), [(1, "a \\".to_owned())]);
        assert_eq!(lines(""), []);
    }

    #[test]
    fn bytes_that_are_no_text_are_an_error_with_their_line() {
        let mut lines = Lines::new(&b"ok\n\xff\xfe\n"[..]);
        assert!(lines.next().expect("a line").is_ok());
        assert_eq!(lines.next().expect("a line").expect_err("not text").to_string(), "line 2 is not UTF-8");
    }
}
