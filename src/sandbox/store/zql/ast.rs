//! Statements as parsed.

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox::store) enum Statement {
    Select(Box<Select>),
    /// A full-text search, which needs a service of its own.
    Search,
}

/// The verb of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox::store) enum Verb {
    Query,
    Count,
    Sum,
}

/// `query distinct(zone.name)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox::store) enum Function {
    Distinct,
    Max,
    Min,
    Average,
}

/// A `query`, `count` or `sum` with its clauses.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox::store) struct Select {
    pub(in crate::sandbox::store) verb: Verb,
    pub(in crate::sandbox::store) function: Option<Function>,
    pub(in crate::sandbox::store) entity: String,
    /// The requested fields; none means all. More than one segment is a path.
    pub(in crate::sandbox::store) fields: Vec<Vec<String>>,
    /// The field that `sum` groups by.
    pub(in crate::sandbox::store) by: Option<String>,
    pub(in crate::sandbox::store) condition: Option<Condition>,
    pub(in crate::sandbox::store) restrictions: Vec<Restriction>,
    /// The names in `return with`.
    pub(in crate::sandbox::store) return_with: Vec<String>,
    pub(in crate::sandbox::store) group_by: Vec<String>,
    /// Fields, each with whether it is descending.
    pub(in crate::sandbox::store) order_by: Vec<(String, bool)>,
    pub(in crate::sandbox::store) limit: Option<i64>,
    pub(in crate::sandbox::store) offset: Option<i64>,
    pub(in crate::sandbox::store) name: Option<String>,
}

/// A condition on rows.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox::store) enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Test {
        path: Vec<String>,
        operator: Operator,
        operand: Operand,
        /// A comparison of a result with further operands: `name = state != 'x'`. It comes from a misread `q`.
        further: Vec<(Operator, Operand)>,
    },
}

/// A condition of `restrict by` on another entity; without an entity, on the tags of the rows.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox::store) struct Restriction {
    pub(in crate::sandbox::store) entity: Option<String>,
    pub(in crate::sandbox::store) field: String,
    pub(in crate::sandbox::store) operator: Operator,
    pub(in crate::sandbox::store) operand: Operand,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox::store) enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    In,
    NotIn,
    Like,
    NotLike,
    Has,
    NotHas,
    IsNull,
    IsNotNull,
}

impl Operator {
    /// The operator that this one negates, if any.
    pub(in crate::sandbox::store) fn denied(self) -> Option<Operator> {
        match self {
            Operator::NotEqual => Some(Operator::Equal),
            Operator::NotIn => Some(Operator::In),
            Operator::NotLike => Some(Operator::Like),
            Operator::NotHas => Some(Operator::Has),
            _ => None,
        }
    }
}

/// The right side of a test.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox::store) enum Operand {
    /// `is null`, `is not null`.
    None,
    Value(Literal),
    List(Vec<Literal>),
    Query(Box<Select>),
    Field(Vec<String>),
}

/// A value as written.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox::store) enum Literal {
    Text(String),
    Number(String),
    Bool(bool),
}
