//! Syntax colours of the line being typed.

use std::ops::Range;

use crate::catalog::TAG_FIELDS;
use crate::syntax::{Word, lex};

use super::complete::{Argument, QUERY_PARAMETERS, name_length, own_command};
use super::editor::Assistant;

const KNOWN: &str = "1;36";
const OWN: &str = "1;35";
const NAME: &str = "32";
const OPERATOR: &str = "33";
const TEXT: &str = "39";
const OPTION: &str = "34";
const COMMENT: &str = "90";
const WRONG: &str = "4;31";

/// The line with colours. Its width on the screen stays what it was.
pub(super) fn paint(line: &str, cursor: usize, assistant: &Assistant<'_>) -> String {
    let lexed = lex(line);
    let mut brush = Brush { line, out: String::with_capacity(line.len() * 2), at: 0 };
    let mut name: Option<String> = None;
    let mut takes_value = false;
    for word in &lexed.words {
        // What follows a pipe or redirection is no argument.
        if name.is_some() && line[word.span.clone()].starts_with(['|', '>']) {
            break;
        }
        let unfinished = cursor >= word.span.start && cursor <= word.span.end;
        if word.text.starts_with('-') {
            takes_value = super::complete::option_takes_value(&word.text);
            brush.colour(word.span.clone(), OPTION);
        } else if takes_value {
            takes_value = false;
        } else if let Some(name) = &name {
            argument(&mut brush, word, name, unfinished, assistant);
        } else {
            let known = assistant.with_api(&word.text, |_| ()).is_some();
            let style = match (own_command(&word.text), known) {
                (Some(_), _) => OWN,
                (None, true) => KNOWN,
                // What is still being typed is not wrong yet.
                (None, false) if unfinished => TEXT,
                (None, false) => WRONG,
            };
            brush.colour(word.span.clone(), style);
            name = Some(word.text.clone());
        }
    }
    if let Some(at) = lexed.comment.filter(|at| *at >= brush.at) {
        brush.colour(at..line.len(), COMMENT);
    }
    brush.finish()
}

fn argument(brush: &mut Brush<'_>, word: &Word, name: &str, unfinished: bool, assistant: &Assistant<'_>) {
    let length = name_length(&word.text);
    let Some(argument) = Argument::split(&word.text) else {
        return;
    };
    let right = assistant.with_api(name, |decoded| {
        let api = &decoded.api;
        if !api.is_query {
            return argument.name == "timeout" || api.parameter(argument.name).is_some();
        }
        if QUERY_PARAMETERS.iter().any(|parameter| parameter.name == argument.name) {
            return true;
        }
        match &decoded.rows {
            None => true,
            // Which fields there are depends on other conditions then.
            Some(rows) if rows.type_field().is_some() => true,
            Some(rows) if argument.name.contains('.') => assistant.catalog.field_path(rows, argument.name).is_ok(),
            Some(rows) => {
                TAG_FIELDS.contains(&argument.name) || rows.field(argument.name).is_some_and(|field| !field.unqueryable)
            }
        }
    });
    let style = if right != Some(false) || (unfinished && argument.value.is_empty()) { NAME } else { WRONG };
    brush.colour(word.span_of(0..length), style);
    brush.colour(word.span_of(length..argument.value_start), OPERATOR);
    if let Some(false) = right {
        return;
    }
    let wrong = assistant.with_api(name, |decoded| {
        let parameter = decoded.api.parameter(argument.name)?;
        let values = &parameter.values;
        (!values.is_empty() && !values.iter().any(|value| value.starts_with(argument.value))).then_some(())
    });
    if let Some(Some(())) = wrong
        && argument.value_start < word.text.len()
    {
        brush.colour(word.span_from(argument.value_start), WRONG);
    }
}

/// Copies the line piece by piece, colouring some.
struct Brush<'l> {
    line: &'l str,
    out: String,
    at: usize,
}

impl Brush<'_> {
    fn colour(&mut self, range: Range<usize>, style: &str) {
        // Pieces come in order; whatever lies before one is copied as it is.
        let Some(before) = self.line.get(self.at..range.start) else { return };
        let Some(piece) = self.line.get(range.clone()) else { return };
        self.out.push_str(before);
        if !piece.is_empty() {
            self.out.push_str(&format!("\x1b[{style}m{piece}\x1b[0m"));
        }
        self.at = range.end;
    }

    fn finish(mut self) -> String {
        self.out.push_str(&self.line[self.at..]);
        self.out
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::super::complete::{Disk, NoLiveValues};
    use super::*;
    use crate::catalog::Catalog;

    fn painted(line: &str, cursor: usize) -> String {
        let assistant = Assistant {
            catalog: Catalog::newest(),
            live: &NoLiveValues,
            files: &Disk,
            contexts: Vec::new(),
            colour: true,
            prompt_width: 0,
            decoded: RefCell::new(None),
        };
        paint(line, cursor, &assistant).replace("\x1b[0m", "}").replace("\x1b[", "{")
    }

    #[test]
    fn known_and_unknown_words_are_told_apart() {
        for (line, expected) in [
            ("QueryZone name=a", "{1;36mQueryZone} {32mname}{33m=}a"),
            ("QueryZone nmae=a x", "{1;36mQueryZone} {4;31mnmae}{33m=}a x"),
            ("Querzone name=a", "{4;31mQuerzone} {32mname}{33m=}a"),
            ("help QueryZone", "{1;35mhelp} QueryZone"),
            ("-o json QueryZone # all", "{34m-o} json {1;36mQueryZone} {90m# all}"),
            ("DeleteZone deleteMode=Never x", "{1;36mDeleteZone} {32mdeleteMode}{33m=}{4;31mNever} x"),
            ("QueryZone | .a=b", "{1;36mQueryZone} | .a=b"),
            ("QueryZone __userTag__=a x.y=1 ", "{1;36mQueryZone} {32m__userTag__}{33m=}a {4;31mx.y}{33m=}1 "),
            ("QueryZone 'name=a", "{1;36mQueryZone} '{32mname}{33m=}a"),
        ] {
            assert_eq!(painted(line, line.len()), expected);
        }
    }

    #[test]
    fn what_is_being_typed_is_not_wrong_yet() {
        assert_eq!(painted("QueryZo", 7), "{39mQueryZo}");
        assert_eq!(painted("QueryZo ", 8), "{4;31mQueryZo} ");
    }
}
