//! Syntax highlighting of the line being typed.

use std::ops::Range;

use crate::catalog::{Catalog, FieldPath, QueryParameter, TAG_FIELDS, Type};
use crate::cli;
use crate::syntax::{Operator, Word, commands, definition, lex, references, zql};

use super::complete::{Argument, name_length, own_command, rows as rows_of};
use super::editor::{Assistant, Decoded};

const KNOWN: &str = "1;36";
const OWN: &str = "1;35";
const NAME: &str = "32";
const OPERATOR: &str = "33";
const TEXT: &str = "39";
const OPTION: &str = "34";
const COMMENT: &str = "90";
const WRONG: &str = "4;31";

/// Returns the line with colour escapes added. Its width on the screen does not change.
pub(super) fn paint(line: &str, cursor: usize, assistant: &Assistant<'_>) -> String {
    let mut brush = Brush { line, out: String::with_capacity(line.len() * 2), at: 0 };
    for command in commands(line) {
        let text = &line[command.clone()];
        let mut inner = command.clone();
        if let Some(definition) = definition(text) {
            inner.start = command.start + definition.value.start;
            let name = command.start + definition.name_span.start..command.start + definition.name_span.end;
            let keyword = command.start + text.len() - text.trim_start().len();
            brush.colour(keyword..keyword + definition.keyword.len(), OWN);
            brush.colour(name, NAME);
        }
        paint_command(&mut brush, inner.clone(), cursor, assistant);
        if inner.end < line.len() {
            brush.colour(inner.end..inner.end + 1, OPERATOR);
        }
    }
    brush.finish()
}

/// Paints the command at a place of the line.
fn paint_command(brush: &mut Brush<'_>, command: Range<usize>, cursor: usize, assistant: &Assistant<'_>) {
    let mut lexed = lex(&brush.line[command.clone()]);
    lexed.words.iter_mut().for_each(|word| word.shift(command.start));
    let mut name: Option<String> = None;
    let mut takes_value = false;
    let mut zql = Zql::Begin;
    for word in &lexed.words {
        // Whatever follows a pipe or a redirection is not an argument.
        let is_zql = name.as_deref() == Some("zql");
        if name.is_some() && !is_zql && brush.line[word.span.clone()].starts_with(['|', '>']) {
            break;
        }
        let unfinished = cursor >= word.span.start && cursor <= word.span.end;
        if word.text.starts_with('-') {
            takes_value = cli::program().option(&word.text).is_some_and(|option| option.takes_next_word());
            brush.colour(word.span.clone(), OPTION);
        } else if takes_value {
            takes_value = false;
        } else if is_zql {
            statement(brush, word, unfinished, &mut zql, assistant.known.catalog);
        } else if let Some(name) = &name {
            argument(brush, word, name, unfinished, &lexed.words, assistant);
            variables(brush, word, assistant);
        } else {
            let known = assistant.with_api(&word.text, |_| ()).is_some();
            let is_alias = || assistant.known.defined.aliases.iter().any(|(name, _)| *name == word.text);
            let style = match (own_command(&word.text), known) {
                (Some(_), _) => OWN,
                (None, true) => KNOWN,
                (None, false) if is_alias() => OWN,
                // A word that is still being typed, or that a variable stands for, is not marked as wrong.
                (None, false) if unfinished || word.text.starts_with('$') => TEXT,
                (None, false) => WRONG,
            };
            brush.colour(word.span.clone(), style);
            name = Some(word.text.clone());
        }
    }
    if let Some(at) = lexed.comment.map(|at| at + command.start).filter(|at| *at >= brush.at) {
        brush.colour(at..command.end, COMMENT);
    }
}

/// Paints the variables of a word that have a value.
fn variables(brush: &mut Brush<'_>, word: &Word, assistant: &Assistant<'_>) {
    let known = &assistant.known.defined.variables;
    for name in references(&brush.line[word.span.clone()]).names {
        let span = |typed: String| {
            let from = brush.at.max(word.span.start);
            let at = brush.line.get(from..word.span.end)?.find(&typed)? + from;
            Some(at..at + typed.len())
        };
        let Some(place) = span(format!("${name}")).or_else(|| span(format!("${{{name}}}"))) else { continue };
        if known.contains(&name) {
            brush.colour(place, OWN);
        }
    }
}

/// What may come next in a ZQL statement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zql {
    Begin,
    Subject,
    Rest,
}

/// Highlights the part of a ZQL statement that is in one word.
fn statement(brush: &mut Brush<'_>, word: &Word, unfinished: bool, state: &mut Zql, catalog: Catalog) {
    for token in zql::tokens(&word.text) {
        let text = token.text;
        let is_last = unfinished && token.span().end == word.text.len();
        let (style, next) = match *state {
            _ if text == ";" => (OPERATOR, Zql::Begin),
            _ if token.is_text() => (TEXT, *state),
            Zql::Begin if ["query", "count", "sum"].contains(&text) => (OWN, Zql::Subject),
            Zql::Begin if zql::VERBS.contains(&text) => (OWN, Zql::Rest),
            Zql::Begin => (if is_last { TEXT } else { WRONG }, Zql::Rest),
            Zql::Subject if zql::FUNCTIONS.contains(&text) => (OWN, Zql::Subject),
            Zql::Subject if token.is_word() => {
                let entity = text.split('.').next().unwrap_or_default();
                let known = catalog.zql_inventory(entity).is_some();
                (
                    if known {
                        KNOWN
                    } else if is_last {
                        TEXT
                    } else {
                        WRONG
                    },
                    Zql::Rest,
                )
            }
            state if zql::KEYWORDS.contains(&text) => (OWN, state),
            state if token.is_word() => (NAME, state),
            state => (OPERATOR, state),
        };
        *state = next;
        brush.colour(word.span_of(token.span()), style);
    }
}

fn argument(
    brush: &mut Brush<'_>,
    word: &Word,
    name: &str,
    unfinished: bool,
    words: &[Word],
    assistant: &Assistant<'_>,
) {
    let length = name_length(&word.text);
    let Some(argument) = Argument::split(&word.text) else {
        return;
    };
    let catalog = assistant.known.catalog;
    let verdict =
        assistant.with_api(name, |decoded| judge(decoded, argument, words, catalog)).unwrap_or(Verdict::Right);
    let name_is_wrong = verdict == Verdict::WrongName && !(unfinished && argument.value.is_empty());
    brush.colour(word.span_of(0..length), if name_is_wrong { WRONG } else { NAME });
    brush.colour(word.span_of(length..argument.value_start), OPERATOR);
    // A value that is still being typed is not marked as wrong.
    if verdict == Verdict::WrongValue && !unfinished {
        brush.colour(word.span_from(argument.value_start), WRONG);
    }
}

/// How an argument is judged, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Right,
    WrongName,
    WrongValue,
}

fn judge(decoded: &Decoded, argument: Argument<'_>, words: &[Word], catalog: Catalog) -> Verdict {
    let api = &decoded.api;
    if !api.is_query {
        return match api.parameter(argument.name) {
            None if argument.name == "timeout" => Verdict::Right,
            None => Verdict::WrongName,
            Some(parameter) => by_value(argument, &parameter.values, &parameter.kind, catalog),
        };
    }
    let Some(rows) = &decoded.rows else { return Verdict::Right };
    let is_parameter = argument.operator == Operator::Equal && QueryParameter::from_name(argument.name).is_some();
    if is_parameter || TAG_FIELDS.contains(&argument.name) && !rows.is_broken(argument.name) {
        return Verdict::Right;
    }
    // Which fields exist may depend on another condition.
    let given: Vec<Argument<'_>> = words.iter().filter_map(|word| Argument::split(&word.text)).collect();
    let narrowed = rows
        .type_field()
        .filter(|field| given.iter().any(|argument| argument.name == field.name))
        .and_then(|_| rows_of(catalog, api, given.iter().copied()));
    let rows = narrowed.as_ref().unwrap_or(rows);
    if argument.name.contains('.') {
        return match catalog.field_path(rows, argument.name) {
            Ok(FieldPath::Field { field, .. }) => by_value(argument, &field.values, &field.kind, catalog),
            Ok(_) => Verdict::Right,
            Err(_) => Verdict::WrongName,
        };
    }
    match rows.comparable().find(|field| field.name == argument.name) {
        Some(field) => by_value(argument, &field.values, &field.kind, catalog),
        None => Verdict::WrongName,
    }
}

/// Judges a value by the list of allowed ones, where that list is known.
fn by_value<V: AsRef<str>>(argument: Argument<'_>, values: &[V], kind: &Type, catalog: Catalog) -> Verdict {
    let value = argument.value;
    let is_compared = matches!(argument.operator, Operator::Equal | Operator::NotEqual);
    let is_null = value == "null";
    if !is_compared || is_null || value.is_empty() || value.starts_with(['@', '[', '$']) {
        return Verdict::Right;
    }
    let (members, kind) = match kind {
        Type::List(Some(element)) => (value.split(',').collect::<Vec<_>>(), &**element),
        kind => (vec![value], kind),
    };
    let allowed: Vec<&str> = match kind {
        Type::Bool => vec!["true", "false"],
        Type::Named(name) if values.is_empty() => catalog.enum_values(name).unwrap_or_default(),
        _ => values.iter().map(AsRef::as_ref).collect(),
    };
    let is_allowed = |member: &&str| allowed.iter().any(|known| known.eq_ignore_ascii_case(member.trim()));
    if allowed.is_empty() || members.iter().all(is_allowed) { Verdict::Right } else { Verdict::WrongValue }
}

/// Copies the line piece by piece and colours some of the pieces.
struct Brush<'l> {
    line: &'l str,
    out: String,
    at: usize,
}

impl Brush<'_> {
    fn colour(&mut self, range: Range<usize>, style: &str) {
        // Pieces come in order; the text before one is copied unchanged.
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

    use super::super::complete::{Defined, Disk, NoLiveValues, NothingKept};
    use super::*;
    use crate::shell::Known;

    fn painted(line: &str, cursor: usize) -> String {
        let assistant = Assistant {
            known: Known {
                defined: Defined {
                    variables: vec!["zone".to_owned()],
                    aliases: vec![("down".to_owned(), String::new())],
                },
                ..Known::default()
            },
            live: &NoLiveValues,
            files: &Disk,
            kept: &NothingKept,
            colour: true,
            prompt_width: 0,
            decoded: RefCell::new(None),
            state: Default::default(),
            proposal: None,
            place: String::new(),
            outcomes: Default::default(),
            edit: &|text| Ok(text.to_owned()),
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
            ("QueryZone name=a; QueryHots x", "{1;36mQueryZone} {32mname}{33m=}a{33m;} {4;31mQueryHots} x"),
            ("let z = QueryZone | .a; down", "{1;35mlet} {32mz} = {1;36mQueryZone} | .a{33m;} {1;35mdown}"),
            ("QueryZone uuid=$zone-$zones", "{1;36mQueryZone} {32muuid}{33m=}{1;35m$zone}-$zones"),
            ("alias x = 'QueryZone; x'", "{1;35malias} {32mx} = {39m'QueryZone; x'}"),
            ("QueryZone __userTag__=a x.y=1 ", "{1;36mQueryZone} {32m__userTag__}{33m=}a {4;31mx.y}{33m=}1 "),
            ("QueryVmInstance foo=1", "{1;36mQueryVmInstance} {4;31mfoo}{33m=}1"),
            ("QueryVmInstance state=Runing x", "{1;36mQueryVmInstance} {32mstate}{33m=}{4;31mRuning} x"),
            ("QueryVmInstance state=running x", "{1;36mQueryVmInstance} {32mstate}{33m=}running x"),
            ("QueryVmInstance state!=null x", "{1;36mQueryVmInstance} {32mstate}{33m!=}null x"),
            ("QueryVmInstance state~=Run x", "{1;36mQueryVmInstance} {32mstate}{33m~=}Run x"),
            ("QueryVmInstance state?=Run x", "{1;36mQueryVmInstance} {32mstate}{33m?=}Run x"),
            ("QueryVmInstance host.state=Enabeld x", "{1;36mQueryVmInstance} {32mhost.state}{33m=}{4;31mEnabeld} x"),
            ("QueryZone isDefault=maybe x", "{1;36mQueryZone} {32misDefault}{33m=}{4;31mmaybe} x"),
            ("QueryVmInstance applianceVmType=vpc", "{1;36mQueryVmInstance} {4;31mapplianceVmType}{33m=}vpc"),
            (
                "QueryVmInstance type=ApplianceVm applianceVmType=vpc",
                "{1;36mQueryVmInstance} {32mtype}{33m=}ApplianceVm {32mapplianceVmType}{33m=}vpc",
            ),
            ("QueryZone 'name=a", "{1;36mQueryZone} '{32mname}{33m=}a"),
        ] {
            assert_eq!(painted(line, line.len()), expected);
        }
    }

    #[test]
    fn statements_of_zql_have_colours_of_their_own() {
        for (line, expected) in [
            ("zql query zone", "{1;35mzql} {1;35mquery} {1;36mzone}"),
            (
                "zql \"query zone where name='a'; count hots x\"",
                "{1;35mzql} \"{1;35mquery} {1;36mzone} {1;35mwhere} {32mname}{33m=}{39m'a'}{33m;} {1;35mcount} {4;31mhots} {32mx}\"",
            ),
            (
                "zql 'query max(vminstance.cpuNum)'",
                "{1;35mzql} '{1;35mquery} {1;35mmax}{33m(}{1;36mvminstance.cpuNum}{33m)}'",
            ),
            ("zql query vminst", "{1;35mzql} {1;35mquery} {39mvminst}"),
            ("zql quer zone x", "{1;35mzql} {4;31mquer} {32mzone} {32mx}"),
        ] {
            assert_eq!(painted(line, line.len()), expected);
        }
    }

    #[test]
    fn what_is_being_typed_is_not_wrong_yet() {
        assert_eq!(painted("QueryZo", 7), "{39mQueryZo}");
        assert_eq!(painted("QueryZo ", 8), "{4;31mQueryZo} ");
        assert_eq!(painted("QueryZone state=Enabl", 21), "{1;36mQueryZone} {32mstate}{33m=}Enabl");
        assert_eq!(painted("QueryZone state=Enabl ", 22), "{1;36mQueryZone} {32mstate}{33m=}{4;31mEnabl} ");
        assert_eq!(painted("DeleteZone deleteMode=Nev", 25), "{1;36mDeleteZone} {32mdeleteMode}{33m=}Nev");
    }
}
