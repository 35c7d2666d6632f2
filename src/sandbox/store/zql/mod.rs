//! ZQL, the query language that queries are translated to (section 9).

mod ast;
mod lexer;
mod parser;

pub(super) use ast::{Condition, Function, Literal, Operand, Operator, Restriction, Select, Statement, Verb};
pub(super) use parser::parse;
