//! APIs and their parameters.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

/// The REST verb of an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    /// The verb in upper case, as in a request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One named call of a management node, such as `CreateZone`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Api {
    /// What the user types.
    pub name: &'static str,
    /// The REST verb. Another verb on the same path may run another API, or this one with no parameters.
    pub method: Method,
    /// The path below `/zstack/v1`; `{name}` stands for the parameter of that name.
    pub path: &'static str,
    /// Other paths of the same API. The program never sends to them: some belong to another API as well.
    #[serde(default, borrow)]
    pub optional_paths: Vec<&'static str>,
    /// Whether the call needs an `Authorization` header.
    pub session: bool,
    /// Whether the node may answer 202 with a job to poll.
    #[serde(rename = "async")]
    pub is_async: bool,
    /// The member that wraps the parameters in a POST or PUT body; empty for GET and DELETE. Two APIs really
    /// use `null`, three the empty string.
    pub body: &'static str,
    /// Whether this is a query: it takes conditions and the common query parameters.
    #[serde(default, rename = "query")]
    pub is_query: bool,
    /// For a query, the inventory of its rows; unknown for some.
    #[serde(default)]
    pub inventory: Option<&'static str>,
    /// The parameters that the API takes.
    #[serde(rename = "params")]
    pub parameters: Vec<Parameter>,
    /// The members of the reply, where known.
    pub result: Vec<ReplyMember>,
    /// Whether it is deprecated.
    #[serde(default)]
    pub deprecated: bool,
    /// `open` where the server's class is public; otherwise only the client side is known.
    #[serde(default)]
    pub source: Option<&'static str>,
    /// The first version that has it, where not all do.
    #[serde(default)]
    pub since: Option<&'static str>,
    /// The requests that older versions take, oldest first.
    #[serde(default)]
    pub was: Vec<EarlierRequest>,
}

/// The form of a request up to some version. Absent members are the same as now.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct EarlierRequest {
    /// The last version that takes it.
    pub until: &'static str,
    /// The verb.
    #[serde(default)]
    pub method: Option<Method>,
    /// The path.
    #[serde(default)]
    pub path: Option<&'static str>,
    /// The member that wraps the parameters.
    #[serde(default)]
    pub body: Option<&'static str>,
}

/// An API that newer versions do not have.
#[derive(Clone, Debug, Deserialize)]
pub struct RemovedApi {
    /// The last version that has it.
    pub until: &'static str,
    /// The API.
    pub api: Api,
}

impl Api {
    /// The parameter called exactly `name`.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// The names of the path's variables, in order.
    pub fn path_variables(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
    }

    /// Whether the call changes something: neither a query nor a read.
    pub fn is_action(&self) -> bool {
        self.method != Method::Get
    }
}

/// A member of a reply and its type.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct ReplyMember {
    /// The member's name, such as `inventory`.
    pub name: &'static str,
    /// Its type as the catalog writes it, such as `ZoneInventory`.
    #[serde(rename = "type")]
    pub type_name: &'static str,
}

/// A parameter of an API, with what the node accepts for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameter {
    /// The name as typed and as sent.
    pub name: &'static str,
    /// The type of its value.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Whether the node refuses a call without it.
    #[serde(default)]
    pub required: bool,
    /// What the node assumes when it is absent, as text.
    #[serde(default, deserialize_with = "scalar_text")]
    pub default: Option<Cow<'static, str>>,
    /// The only values allowed; empty means any.
    #[serde(default, borrow)]
    pub values: Vec<Cow<'static, str>>,
    /// A Java regular expression that the whole value must match.
    #[serde(default, borrow)]
    pub regex: Option<Cow<'static, str>>,
    /// The longest value allowed, in UTF-16 units as Java counts.
    #[serde(default)]
    pub max_length: Option<u32>,
    /// The shortest value allowed, in UTF-16 units.
    #[serde(default)]
    pub min_length: Option<u32>,
    /// The minimum and maximum number allowed.
    #[serde(default)]
    pub range: Option<(i64, i64)>,
    /// Whether a list must have members.
    #[serde(default)]
    pub nonempty: bool,
    /// Whether the empty string is refused.
    #[serde(default)]
    pub no_empty_string: bool,
    /// Whether the node keeps leading and trailing spaces of the value.
    #[serde(default)]
    pub no_trim: bool,
    /// Whether the value must never be shown, stored or logged.
    #[serde(default)]
    pub secret: bool,
    /// The kind of resource that the uuid must name.
    #[serde(default)]
    pub resource: Option<&'static str>,
    /// The query API that lists the resources that the uuid may name.
    #[serde(default, rename = "ref")]
    pub reference: Option<&'static str>,
    /// The first version that takes it, where it is newer than the API or the oldest version known.
    #[serde(default)]
    pub since: Option<&'static str>,
}

/// The type of a parameter, field or reply member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text.
    String,
    /// A 32-bit integer.
    Int,
    /// A 64-bit integer.
    Long,
    /// A floating-point number.
    Double,
    /// `true` or `false`.
    Bool,
    /// A date and time, as text in the node's own format and time zone.
    Timestamp,
    /// Anything.
    Any,
    /// A list, with the type of its items if known.
    List(Option<Box<Type>>),
    /// A map with text keys, with the type of its values if known.
    Map(Option<Box<Type>>),
    /// An inventory, struct or enum of the catalog, or a Java class that the catalog does not describe.
    Named(&'static str),
}

impl Type {
    /// Reads a type as the catalog writes it: `list<map<string,string>>`.
    pub fn parse(text: &'static str) -> Type {
        let inner = |prefix: &str| text.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('>'));
        match text {
            "string" => Type::String,
            "int" => Type::Int,
            "long" => Type::Long,
            "double" => Type::Double,
            "bool" => Type::Bool,
            "timestamp" => Type::Timestamp,
            "any" => Type::Any,
            "list" => Type::List(None),
            "map" => Type::Map(None),
            _ => {
                if let Some(element) = inner("list<") {
                    Type::List(Some(Box::new(Type::parse(element))))
                } else if let Some((_, value)) = inner("map<").and_then(|pair| pair.split_once(',')) {
                    Type::Map(Some(Box::new(Type::parse(value.trim_start()))))
                } else {
                    Type::Named(text)
                }
            }
        }
    }

    /// Whether a value of this type is a single text, number or boolean.
    pub fn is_scalar(&self) -> bool {
        !matches!(self, Type::List(_) | Type::Map(_) | Type::Any | Type::Named(_))
    }

    /// The inventory of the values, if they are inventories or lists of them.
    pub fn record(&self) -> Option<&'static str> {
        match self {
            Type::Named(name) if name.ends_with("Inventory") => Some(name),
            Type::List(Some(element)) => element.record(),
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::String => f.write_str("string"),
            Type::Int => f.write_str("int"),
            Type::Long => f.write_str("long"),
            Type::Double => f.write_str("double"),
            Type::Bool => f.write_str("bool"),
            Type::Timestamp => f.write_str("timestamp"),
            Type::Any => f.write_str("any"),
            Type::List(None) => f.write_str("list"),
            Type::List(Some(element)) => write!(f, "list<{element}>"),
            Type::Map(None) => f.write_str("map"),
            Type::Map(Some(value)) => write!(f, "map<string,{value}>"),
            Type::Named(name) => f.write_str(name),
        }
    }
}

impl<'de: 'static> Deserialize<'de> for Type {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'static str>::deserialize(deserializer).map(Type::parse)
    }
}

/// Reads a default that may be text, a boolean or a number.
fn scalar_text<'de: 'static, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'static, str>>, D::Error> {
    let raw = <&'static serde_json::value::RawValue>::deserialize(deserializer)?;
    if raw.get().starts_with('"') {
        serde_json::from_str::<String>(raw.get()).map(|text| Some(text.into())).map_err(D::Error::custom)
    } else {
        Ok(Some(raw.get().into()))
    }
}
