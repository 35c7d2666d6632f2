//! Parsing tokens into statements.

use super::super::error::ServerError;
use super::ast::{Condition, Function, Literal, Operand, Operator, Restriction, Select, Statement, Verb};
use super::lexer::{Placed, Token, malformed, tokens};

/// The maximum nesting of parentheses and sub-queries.
const DEEPEST: usize = 200;

/// The maximum number of tests in a condition.
const MOST_TESTS: usize = 400;

/// Parses statements that `;` separates.
///
/// # Errors
/// 503 `SYS.1000` with the place and the ten characters around it (Z7).
pub(in crate::sandbox::store) fn parse(text: &str) -> Result<Vec<Statement>, ServerError> {
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, depth: 0, tests: 0 };
    let mut statements = vec![parser.statement()?];
    while parser.take_symbol(";") {
        statements.push(parser.statement()?);
    }
    match parser.peek() {
        Token::End => Ok(statements),
        _ => Err(parser.unexpected("the end of the statement")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Placed>,
    next: usize,
    depth: usize,
    tests: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |placed| &placed.token)
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Token::Keyword(found) if *found == keyword);
        self.next += usize::from(found);
        found
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(found) if *found == symbol);
        self.next += usize::from(found);
        found
    }

    fn unexpected(&self, wanted: &str) -> ServerError {
        let at = self.tokens.get(self.next).map_or(self.text.len(), |placed| placed.at);
        malformed(self.text, at, &format!("expected {wanted}"))
    }

    fn symbol(&mut self, symbol: &str) -> Result<(), ServerError> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.unexpected(&format!("'{symbol}'"))) }
    }

    fn word(&mut self, wanted: &str) -> Result<String, ServerError> {
        match self.peek().clone() {
            Token::Word(word) => {
                self.next += 1;
                Ok(word)
            }
            _ => Err(self.unexpected(wanted)),
        }
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, ServerError>) -> Result<Vec<T>, ServerError> {
        let mut items = vec![item(self)?];
        while self.take_symbol(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn path(&mut self) -> Result<Vec<String>, ServerError> {
        let mut path = vec![self.word("a field")?];
        while self.take_symbol(".") {
            path.push(self.word("a field")?);
        }
        Ok(path)
    }

    fn statement(&mut self) -> Result<Statement, ServerError> {
        if self.take_keyword("search") {
            let Token::Text(_) = self.peek() else { return Err(self.unexpected("a text to search for")) };
            while !matches!(self.peek(), Token::End | Token::Symbol(";")) {
                self.next += 1;
            }
            return Ok(Statement::Search);
        }
        Ok(Statement::Select(Box::new(self.select()?)))
    }

    fn select(&mut self) -> Result<Select, ServerError> {
        let verb = if self.take_keyword("query") {
            Verb::Query
        } else if self.take_keyword("count") {
            Verb::Count
        } else if self.take_keyword("sum") {
            Verb::Sum
        } else {
            return Err(self.unexpected("query, count, sum or search"));
        };
        let function = if verb == Verb::Query { self.function() } else { None };
        let entity = self.word("an entity")?;
        let mut fields = Vec::new();
        if self.take_symbol(".") {
            fields = self.list(Self::path)?;
        }
        if function.is_some() {
            self.symbol(")")?;
            if fields.len() != 1 {
                return Err(self.unexpected("one field"));
            }
        }
        let mut select = Select {
            verb,
            function,
            entity,
            fields,
            by: None,
            condition: None,
            restrictions: Vec::new(),
            return_with: Vec::new(),
            group_by: Vec::new(),
            order_by: Vec::new(),
            limit: None,
            offset: None,
            name: None,
        };
        if verb == Verb::Sum {
            if select.fields.is_empty() || !self.take_keyword("by") {
                return Err(self.unexpected("the fields to sum and 'by'"));
            }
            select.by = Some(self.word("a field")?);
        }
        self.clauses(&mut select)?;
        Ok(select)
    }

    fn function(&mut self) -> Option<Function> {
        let Token::Word(word) = self.peek() else { return None };
        let function = match word.as_str() {
            "distinct" => Function::Distinct,
            "max" => Function::Max,
            "min" => Function::Min,
            "avg" => Function::Average,
            _ => return None,
        };
        let open = self.tokens.get(self.next + 1).is_some_and(|placed| placed.token == Token::Symbol("("));
        open.then(|| {
            self.next += 2;
            function
        })
    }

    /// The clauses after the target, in their fixed order.
    fn clauses(&mut self, select: &mut Select) -> Result<(), ServerError> {
        if self.take_keyword("where") {
            select.condition = Some(self.condition()?);
        }
        if self.take_keyword("restrict by") {
            self.symbol("(")?;
            select.restrictions = self.list(Self::restriction)?;
            self.symbol(")")?;
        }
        if self.take_keyword("return with") {
            self.symbol("(")?;
            select.return_with = self.list(|parser| parser.word("what to return"))?;
            self.symbol(")")?;
        }
        if self.take_keyword("group by") {
            select.group_by = self.list(|parser| parser.word("a field"))?;
        }
        if self.take_keyword("order by") {
            select.order_by = self.list(|parser| {
                let field = parser.word("a field")?;
                if parser.take_keyword("asc") {
                    Ok((field, false))
                } else if parser.take_keyword("desc") {
                    Ok((field, true))
                } else {
                    Err(parser.unexpected("asc or desc"))
                }
            })?;
        }
        if self.take_keyword("limit") {
            select.limit = Some(self.whole_number()?);
        }
        if self.take_keyword("offset") {
            select.offset = Some(self.whole_number()?);
        }
        if self.take_keyword("named as") {
            let Token::Text(name) = self.peek().clone() else { return Err(self.unexpected("a name in quotes")) };
            self.next += 1;
            select.name = Some(name);
        }
        Ok(())
    }

    fn whole_number(&mut self) -> Result<i64, ServerError> {
        let number = match self.peek() {
            Token::Number(text) => text.parse().ok().filter(|number| *number >= 0),
            _ => None,
        };
        let number = number.ok_or_else(|| self.unexpected("a whole number"))?;
        self.next += 1;
        Ok(number)
    }

    /// AND and OR have the same precedence and are right-associative (Z3).
    fn condition(&mut self) -> Result<Condition, ServerError> {
        // Collected first and joined from the right, since recursion would be as deep as the text is long.
        let mut parts = vec![self.simple_condition()?];
        let mut joined_by_and = Vec::new();
        loop {
            if self.take_keyword("and") {
                joined_by_and.push(true);
            } else if self.take_keyword("or") {
                joined_by_and.push(false);
            } else {
                break;
            }
            parts.push(self.simple_condition()?);
        }
        let mut whole = parts.pop().ok_or_else(|| self.unexpected("a condition"))?;
        while let (Some(part), Some(and)) = (parts.pop(), joined_by_and.pop()) {
            let (left, right) = (Box::new(part), Box::new(whole));
            whole = if and { Condition::And(left, right) } else { Condition::Or(left, right) };
        }
        Ok(whole)
    }

    fn simple_condition(&mut self) -> Result<Condition, ServerError> {
        self.tests += 1;
        if self.tests > MOST_TESTS {
            return Err(self.unexpected("fewer conditions"));
        }
        if self.take_symbol("(") {
            self.deeper()?;
            let condition = self.condition()?;
            self.symbol(")")?;
            self.depth -= 1;
            return Ok(condition);
        }
        let path = self.path()?;
        let operator = self.operator().ok_or_else(|| self.unexpected("an operator"))?;
        let operand = self.operand(operator)?;
        let mut further = Vec::new();
        if matches!(operand, Operand::Field(_)) {
            while let Some(operator) = self.operator() {
                further.push((operator, self.operand(operator)?));
            }
        }
        Ok(Condition::Test { path, operator, operand, further })
    }

    fn deeper(&mut self) -> Result<(), ServerError> {
        self.depth += 1;
        if self.depth > DEEPEST { Err(self.unexpected("fewer parentheses")) } else { Ok(()) }
    }

    fn operator(&mut self) -> Option<Operator> {
        let operator = match self.peek() {
            Token::Symbol("=") => Operator::Equal,
            Token::Symbol("!=") => Operator::NotEqual,
            Token::Symbol(">") => Operator::Greater,
            Token::Symbol(">=") => Operator::GreaterOrEqual,
            Token::Symbol("<") => Operator::Less,
            Token::Symbol("<=") => Operator::LessOrEqual,
            Token::Keyword("in") => Operator::In,
            Token::Keyword("not in") => Operator::NotIn,
            Token::Keyword("like") => Operator::Like,
            Token::Keyword("not like") => Operator::NotLike,
            Token::Keyword("has") => Operator::Has,
            Token::Keyword("not has") => Operator::NotHas,
            Token::Keyword("is null") => Operator::IsNull,
            Token::Keyword("is not null") => Operator::IsNotNull,
            _ => return None,
        };
        self.next += 1;
        Some(operator)
    }

    fn operand(&mut self, operator: Operator) -> Result<Operand, ServerError> {
        if matches!(operator, Operator::IsNull | Operator::IsNotNull) {
            return Ok(Operand::None);
        }
        let takes_list = matches!(operator, Operator::In | Operator::NotIn | Operator::Has | Operator::NotHas);
        if self.take_symbol("(") {
            if matches!(self.peek(), Token::Keyword("query")) {
                self.deeper()?;
                let select = self.select()?;
                self.symbol(")")?;
                self.depth -= 1;
                return Ok(Operand::Query(Box::new(select)));
            }
            if !takes_list {
                return Err(self.unexpected("a sub-query"));
            }
            let list = self.list(Self::literal)?;
            self.symbol(")")?;
            return Ok(Operand::List(list));
        }
        if takes_list {
            return Err(self.unexpected("a list"));
        }
        if matches!(self.peek(), Token::Word(_)) {
            return self.path().map(Operand::Field);
        }
        self.literal().map(Operand::Value)
    }

    fn literal(&mut self) -> Result<Literal, ServerError> {
        let literal = match self.peek().clone() {
            Token::Text(text) => Literal::Text(text),
            Token::Number(text) => Literal::Number(text),
            Token::Keyword("true") => Literal::Bool(true),
            Token::Keyword("false") => Literal::Bool(false),
            _ => return Err(self.unexpected("a value")),
        };
        self.next += 1;
        Ok(literal)
    }

    fn restriction(&mut self) -> Result<Restriction, ServerError> {
        let first = self.word("an entity")?;
        let (entity, field) = if self.take_symbol(".") { (Some(first), self.word("a field")?) } else { (None, first) };
        let operator = self.operator().ok_or_else(|| self.unexpected("an operator"))?;
        let operand = self.operand(operator)?;
        Ok(Restriction { entity, field, operator, operand })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(text: &str) -> Condition {
        let statements = parse(&format!("query zone where {text}")).expect("the text is ZQL");
        match statements.into_iter().next() {
            Some(Statement::Select(select)) => select.condition.expect("there is a condition"),
            other => panic!("{other:?}"),
        }
    }

    fn shape(condition: &Condition) -> String {
        match condition {
            Condition::And(left, right) => format!("({} and {})", shape(left), shape(right)),
            Condition::Or(left, right) => format!("({} or {})", shape(left), shape(right)),
            Condition::Test { path, .. } => path.join("."),
        }
    }

    #[test]
    fn and_and_or_bind_to_the_right() {
        for (text, wanted) in [
            ("a=1 and b=1 or c=1", "(a and (b or c))"),
            ("a=1 or b=1 and c=1", "(a or (b and c))"),
            ("(a=1 and b=1) or c=1", "((a and b) or c)"),
            ("a=1 and b=1 and c=1 or d=1", "(a and (b and (c or d)))"),
        ] {
            assert_eq!(shape(&condition(text)), wanted, "{text}");
        }
    }

    #[test]
    fn statements_that_are_no_zql_are_refused() {
        for text in [
            "",
            ";",
            "query",
            "query zone;",
            "Query zone",
            "query zone.",
            "query zone where",
            "query zone where limit = 1",
            "query zone where name = 'a' and",
            "query zone where name in 'a'",
            "query zone where name = ('a')",
            "query zone order by name",
            "query zone order  by name asc",
            "query zone limit -5",
            "query zone limit 1 order by name asc",
            "query zone where name is  null",
            "query max(zone)",
            "sum zone by name",
            "query zone named as x",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn deep_and_long_texts_are_refused_without_harm() {
        let deep = format!("query zone where {}name = 'a'{}", "(".repeat(10_000), ")".repeat(10_000));
        assert!(parse(&deep).is_err());
        let long = format!("query zone where name = 'a'{}", " and name = 'a'".repeat(10_000));
        assert!(parse(&long).is_err());
    }
}
