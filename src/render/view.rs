//! How a reply is to look, and what is known of its rows.

use std::borrow::Cow;

use crate::json::Secrets;
use crate::secret::KnownSecrets;

use super::columns::Selection;
use super::filter::Filter;
use super::marks::Marks;
use super::sort::SortKey;

/// An output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One row an inventory, the columns that matter.
    Table,
    /// As `Table`, with every scalar column.
    Wide,
    /// One `field | value` block an inventory.
    Vertical,
    /// The reply as sent, indented, its members sorted.
    Json,
    /// One inventory a line.
    Jsonl,
    /// The content of `Json` as YAML.
    Yaml,
    /// Comma-separated, RFC 4180.
    Csv,
    /// Tab-separated, tabs and line feeds escaped.
    Tsv,
    /// The first column, bare.
    Value,
}

impl Format {
    /// All of them, in the order of the documentation.
    pub const ALL: [Format; 9] = [
        Format::Table,
        Format::Wide,
        Format::Vertical,
        Format::Json,
        Format::Jsonl,
        Format::Yaml,
        Format::Csv,
        Format::Tsv,
        Format::Value,
    ];

    /// Its name, as given to `--output`.
    pub fn name(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Wide => "wide",
            Format::Vertical => "vertical",
            Format::Json => "json",
            Format::Jsonl => "jsonl",
            Format::Yaml => "yaml",
            Format::Csv => "csv",
            Format::Tsv => "tsv",
            Format::Value => "value",
        }
    }

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Whether it is for people: secrets masked, byte counts readable, nested values summarised.
    pub fn is_for_people(self) -> bool {
        matches!(self, Format::Table | Format::Wide | Format::Vertical)
    }
}

/// The lines of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// `+---+` and `|`.
    Ascii,
    /// `┌───┐` and `│`.
    Unicode,
    /// A table in a Markdown document.
    Markdown,
    /// Blanks alone.
    None,
}

impl Border {
    /// All of them, in the order of the documentation.
    pub const ALL: [Border; 4] = [Border::Ascii, Border::Unicode, Border::Markdown, Border::None];

    /// Its name, as given to `--border`.
    pub fn name(self) -> &'static str {
        match self {
            Border::Ascii => "ascii",
            Border::Unicode => "unicode",
            Border::Markdown => "markdown",
            Border::None => "none",
        }
    }

    /// The border of that name.
    pub fn from_name(name: &str) -> Option<Border> {
        Border::ALL.into_iter().find(|border| border.name() == name)
    }
}

/// How a reply is to look.
#[derive(Clone, Debug)]
pub struct View {
    /// The format.
    pub format: Format,
    /// The columns asked for.
    pub columns: Option<Selection>,
    /// What to sort the rows by here, whatever the order of the reply. All rows are in memory then.
    pub sort_by: Option<SortKey>,
    /// A jq expression whose outputs are printed instead of the reply.
    pub filter: Option<Filter>,
    /// Whether strings that the filter yields are printed bare.
    pub raw: bool,
    /// Whether rows are counted and added up instead of printed.
    pub summary: bool,
    /// How wide the terminal is, in columns; `None` means that nothing limits a line.
    pub width: Option<usize>,
    /// How wide a table may be, in columns, whatever the terminal; the user's word.
    pub max_width: Option<usize>,
    /// Whether the output goes to a terminal: what acts on one is escaped then, in every format.
    pub terminal: bool,
    /// Whether the terminal knows no other characters than ASCII, as far as drawing goes.
    pub ascii: bool,
    /// Whether to use colours.
    pub colour: bool,
    /// Whether secret members are masked in the formats for people.
    pub secrets: Secrets,
    /// Whether a member of that name is secret.
    pub is_secret: fn(&str) -> bool,
    /// The text of a member of that name without the secrets inside: user info of a URL, the tail of a tag.
    pub mask: for<'a> fn(&str, &'a str) -> Cow<'a, str>,
    /// Secrets that are masked wherever they stand, in the formats for people.
    pub known: Option<KnownSecrets>,
    /// Whether tables, csv and tsv begin with the column names.
    pub header: bool,
    /// Whether cells that are too wide are wrapped rather than cut.
    pub wrap: bool,
    /// The lines of a table; `None` chooses by whether the output goes to a terminal.
    pub border: Option<Border>,
    /// Rows and cells that are marked in tables and blocks.
    pub marks: Option<Marks>,
    /// Whether the reply is what a failed call led to, which the JSON formats do not call a success.
    pub failed: bool,
    /// Whether rows of an inventory of that name may have something at a path, though those at hand have nothing.
    pub knows: fn(&str, &[String]) -> bool,
    /// The inventory that the rows are taken from, where only some of its members were asked for.
    pub taken_from: Option<String>,
}

impl View {
    /// How a format looks in a pipe: no limits, no colours, secrets masked where the format masks them.
    pub fn new(format: Format) -> View {
        View {
            format,
            columns: None,
            sort_by: None,
            filter: None,
            raw: false,
            summary: false,
            width: None,
            max_width: None,
            terminal: false,
            ascii: false,
            colour: false,
            secrets: Secrets::Masked,
            is_secret: |_| false,
            mask: |_, text| Cow::Borrowed(text),
            known: None,
            header: true,
            wrap: false,
            border: None,
            marks: None,
            failed: false,
            knows: |_, _| false,
            taken_from: None,
        }
    }

    /// Whether a reply is shown whatever it holds: nothing is selected from it.
    pub fn is_plain(&self) -> bool {
        self.columns.is_none() && self.sort_by.is_none() && self.filter.is_none()
    }

    /// The same without a selection, as JSON.
    pub fn plain(&self) -> View {
        View { format: Format::Json, columns: None, sort_by: None, filter: None, summary: false, ..self.clone() }
    }

    /// Whether the rows of that shape may have something at a path, though those at hand have nothing.
    pub(super) fn knows(&self, shape: &Shape, path: &[String]) -> bool {
        let inventory = shape.inventory.as_ref().or(self.taken_from.as_ref());
        inventory.is_some_and(|inventory| (self.knows)(inventory, path))
    }

    /// How wide a line may be.
    pub(super) fn limit(&self) -> Option<usize> {
        self.max_width.or(self.width)
    }

    /// What stands where text was cut.
    pub(super) fn ellipsis(&self) -> &'static str {
        if self.ascii { "..." } else { "…" }
    }

    /// Whether the values of a member of that name are masked.
    pub(super) fn masks(&self, name: &str) -> bool {
        self.masks_secrets() && (self.is_secret)(name)
    }

    /// Whether secrets are masked at all.
    pub(super) fn masks_secrets(&self) -> bool {
        self.secrets == Secrets::Masked && self.format.is_for_people()
    }
}

/// What is known of a reply's rows.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// The name of their inventory. Fields without one are members asked for: tables show all of them.
    pub inventory: Option<String>,
    /// Its fields, in the catalog's order; empty when nothing is known.
    pub fields: Vec<Field>,
    /// What is known of each of several results, where a reply has them.
    pub results: Vec<Shape>,
}

impl Shape {
    /// The field called exactly `name`.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// A field of an inventory.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub kind: FieldKind,
    /// Whether it is secret in this inventory, whatever its name says: the uuid of a session.
    pub secret: bool,
}

/// The type of a field's values, as far as printing cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A string, or one of an enumeration's names.
    Text,
    /// An integer of 32 bits.
    Integer,
    /// An integer of 64 bits, which may count bytes.
    Long,
    /// A number with a fraction.
    Decimal,
    /// `true` or `false`.
    Bool,
    /// A moment, as text.
    Time,
    /// A list, a map, another inventory.
    Nested,
    /// Nobody knows.
    Unknown,
}

impl FieldKind {
    /// Whether values are plain, so that `wide` and `csv` show them.
    pub fn is_scalar(self) -> bool {
        !matches!(self, FieldKind::Nested)
    }
}
