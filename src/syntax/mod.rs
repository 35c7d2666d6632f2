//! Parsing a command line: words, the command, its arguments, and the literals in them.
//!
//! This module does not know which APIs exist, and evaluates nothing. Spans are byte offsets in the typed text, so that
//! an error can point at the wrong word.

mod command;
mod commands;
mod lexer;
mod list;
mod literal;
mod numbers;
pub mod sql;
mod variables;
pub mod zql;

pub use command::{Argument, Command, CommandError, FileError, Operator};
pub use commands::{Definition, Sign, command_at, commands, definition, first_sign, is_bare_statement, last_command};
pub use lexer::{LexError, Lexed, Quote, Word, lex, lex_with_comments, lex_with_values, quote_word, split};
pub use list::{ListError, join as join_list, split as split_list};
pub use literal::{LiteralError, parse as parse_literal};
pub use numbers::{byte_count, integer, is_number};
pub use variables::{Reference, References, Values, is_name, reference, references};
