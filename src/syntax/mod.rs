//! The text of a command line, taken apart: words, the command, its arguments, and the literals in them.
//!
//! Nothing here knows which APIs exist, and nothing is ever evaluated. Spans are byte offsets into the
//! text that was typed, so that an error can point at the word that is wrong.

mod command;
mod lexer;
mod list;
mod literal;
mod numbers;

pub use command::{Argument, Command, CommandError, FileError, Operator};
pub use lexer::{LexError, Lexed, Quote, Word, lex, lex_with_comments, quote_word, split};
pub use list::{ListError, split as split_list};
pub use literal::{LiteralError, parse as parse_literal};
pub use numbers::{byte_count, integer, is_number};
