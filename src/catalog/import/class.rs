//! Reads class files as far as an SDK needs it: names, fields with their types and annotations, and what constructors
//! and `getRestInfo` set.
//!
//! The files are not trusted. Every length and index is checked. A file that is not valid is skipped, and the rest of
//! the jar is still read.

use std::borrow::Cow;

use super::Budget;
use super::code::{self, Constant};
use crate::json::escape_unprintable;

const MAGIC: u32 = 0xCAFE_BABE;
/// The maximum length of the name of a class, field or annotation member, in bytes.
const MAX_NAME: usize = 255;
/// The maximum length of the text of an annotation, constant or signature, in bytes.
const MAX_TEXT: usize = 4096;
/// The maximum number of fields of one class.
const MAX_FIELDS: usize = 5_000;
/// The maximum depth of nested annotations.
const MAX_DEPTH: usize = 8;

/// Access flags.
pub(super) mod flag {
    pub(in super::super) const STATIC: u16 = 0x0008;
    pub(in super::super) const TRANSIENT: u16 = 0x0080;
    pub(in super::super) const INTERFACE: u16 = 0x0200;
    pub(in super::super) const ABSTRACT: u16 = 0x0400;
    pub(in super::super) const SYNTHETIC: u16 = 0x1000;
    pub(in super::super) const ANNOTATION: u16 = 0x2000;
    pub(in super::super) const ENUM: u16 = 0x4000;
}

/// The parts of a class that are kept.
#[derive(Debug)]
pub(super) struct Class {
    /// The full name, such as `org/zstack/sdk/CreateZoneAction`.
    pub(super) name: String,
    pub(super) parent: Option<String>,
    pub(super) flags: u16,
    pub(super) is_deprecated: bool,
    pub(super) fields: Vec<Field>,
    /// The object that the class's own `getRestInfo` returns, as members by name. The inner `None` means that the
    /// method is too complex to follow.
    pub(super) request: Option<Option<Vec<(String, Constant)>>>,
    /// The values to which the constructor sets fields.
    pub(super) initial: Vec<(String, Constant)>,
    /// The default values of an annotation's members; empty for other classes.
    pub(super) annotation: Param,
}

/// A field of a class.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    /// The generic signature, or the descriptor where there is none.
    pub(super) signature: String,
    pub(super) flags: u16,
    /// The content of its `@Param` annotation.
    pub(super) param: Option<Param>,
    /// Whether it is annotated as not being a parameter of the API.
    pub(super) is_client_side: bool,
}

/// The members that a `@Param` sets explicitly.
#[derive(Clone, Debug, Default)]
pub(super) struct Param {
    pub(super) required: Option<bool>,
    pub(super) values: Option<Vec<String>>,
    pub(super) regex: Option<String>,
    pub(super) max_length: Option<i64>,
    pub(super) min_length: Option<i64>,
    pub(super) nonempty: Option<bool>,
    pub(super) empty_string: Option<bool>,
    pub(super) no_trim: Option<bool>,
    pub(super) range: Option<Vec<i64>>,
}

impl Param {
    fn set(&mut self, member: &str, value: Element) {
        match (member, value) {
            ("required", Element::Number(number)) => self.required = Some(number != 0),
            ("nonempty", Element::Number(number)) => self.nonempty = Some(number != 0),
            ("emptyString", Element::Number(number)) => self.empty_string = Some(number != 0),
            ("noTrim", Element::Number(number)) => self.no_trim = Some(number != 0),
            ("maxLength", Element::Number(number)) => self.max_length = Some(number),
            ("minLength", Element::Number(number)) => self.min_length = Some(number),
            ("validRegexValues", Element::Text(text)) => self.regex = Some(text),
            ("validValues", Element::List(list)) => {
                self.values = Some(list.into_iter().filter_map(Element::text).collect());
            }
            ("validValues", Element::Text(text)) => self.values = Some(vec![text]),
            ("numberRange", Element::List(list)) => {
                self.range = Some(list.into_iter().filter_map(|element| element.number()).collect());
            }
            _ => {}
        }
    }
}

/// A value in an annotation, of the kinds that are used.
enum Element {
    Number(i64),
    Text(String),
    List(Vec<Element>),
    Other,
}

impl Element {
    fn text(self) -> Option<String> {
        match self {
            Element::Text(text) => Some(text),
            _ => None,
        }
    }

    fn number(&self) -> Option<i64> {
        match self {
            Element::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// Why a class cannot be read: the file is not valid, or the jar exceeds the limit of what is kept.
pub(super) enum Unreadable {
    Nonsense,
    TooMuch,
}

type Read<T> = Result<T, Unreadable>;

/// A cursor that reads bytes in order.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        let (high, low) = (self.u16()?, self.u16()?);
        Some(u32::from(high) << 16 | u32::from(low))
    }

    fn u64(&mut self) -> Option<u64> {
        let (high, low) = (self.u32()?, self.u32()?);
        Some(u64::from(high) << 32 | u64::from(low))
    }
}

/// The constant pool.
pub(super) struct Pool<'a> {
    entries: Vec<Entry<'a>>,
}

#[derive(Clone, Copy)]
enum Entry<'a> {
    Text(&'a [u8]),
    Int(i64),
    Double(f64),
    /// A class or a string: the index of its text.
    Named(u16),
    /// A field or method: its class, and its name and type.
    Member(u16, u16),
    NameAndType(u16, u16),
    Other,
}

impl<'a> Pool<'a> {
    fn read(bytes: &mut Bytes<'a>) -> Option<Pool<'a>> {
        let count = usize::from(bytes.u16()?);
        // Indexes start at 1, and 64-bit constants take up two of them.
        let mut entries = vec![Entry::Other];
        while entries.len() < count {
            let tag = bytes.u8()?;
            entries.push(match tag {
                1 => {
                    let length = bytes.u16()?;
                    Entry::Text(bytes.take(usize::from(length))?)
                }
                3 => Entry::Int(i64::from(bytes.u32()?.cast_signed())),
                4 => Entry::Double(f64::from(f32::from_bits(bytes.u32()?))),
                5 => Entry::Int(bytes.u64()?.cast_signed()),
                6 => Entry::Double(f64::from_bits(bytes.u64()?)),
                7 | 8 => Entry::Named(bytes.u16()?),
                9..=11 => Entry::Member(bytes.u16()?, bytes.u16()?),
                12 => Entry::NameAndType(bytes.u16()?, bytes.u16()?),
                15 => {
                    bytes.take(3)?;
                    Entry::Other
                }
                16 | 19 | 20 => {
                    bytes.take(2)?;
                    Entry::Other
                }
                17 | 18 => Entry::Member(bytes.u16()?, bytes.u16()?),
                _ => return None,
            });
            if tag == 5 || tag == 6 {
                entries.push(Entry::Other);
            }
        }
        Some(Pool { entries })
    }

    fn entry(&self, index: u16) -> Option<Entry<'a>> {
        self.entries.get(usize::from(index)).copied()
    }

    fn bytes(&self, index: u16) -> Option<&'a [u8]> {
        match self.entry(index)? {
            Entry::Text(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Returns a text that is a name; `None` where it is too long.
    pub(super) fn name(&self, index: u16) -> Option<String> {
        self.bytes(index).filter(|bytes| bytes.len() <= MAX_NAME).map(decoded)
    }

    /// Returns any text; `None` where it is too long, or has characters that cannot be shown on a terminal.
    fn text(&self, index: u16) -> Option<String> {
        let text = self.bytes(index).filter(|bytes| bytes.len() <= MAX_TEXT).map(decoded)?;
        let is_plain = matches!(escape_unprintable(&text), Cow::Borrowed(_));
        is_plain.then_some(text)
    }

    /// Returns the name of a class.
    pub(super) fn class(&self, index: u16) -> Option<String> {
        match self.entry(index)? {
            Entry::Named(name) => self.name(name),
            _ => None,
        }
    }

    /// Returns class, name and descriptor of a field or method. The class is empty for a call site that is linked at
    /// run time.
    pub(super) fn member(&self, index: u16) -> Option<(String, String, String)> {
        let Entry::Member(class, name_and_type) = self.entry(index)? else { return None };
        let Entry::NameAndType(name, descriptor) = self.entry(name_and_type)? else { return None };
        Some((self.class(class).unwrap_or_default(), self.name(name)?, self.name(descriptor)?))
    }

    /// Returns the constant that `ldc` loads.
    pub(super) fn constant(&self, index: u16) -> Option<Constant> {
        match self.entry(index)? {
            Entry::Int(number) => Some(Constant::Int(number)),
            Entry::Double(number) => Some(Constant::Double(number)),
            Entry::Named(text) => self.text(text).map(Constant::Text),
            _ => None,
        }
    }
}

/// Decodes the modified UTF-8 of class files, which differs in NUL and in characters beyond 16 bits.
fn decoded(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let mut units = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().map(|byte| u16::from(*byte));
    while let Some(first) = rest.next() {
        let mut more = || rest.next().unwrap_or_default() & 0x3f;
        units.push(match first {
            0x00..0x80 => first,
            0xc0..0xe0 => (first & 0x1f) << 6 | more(),
            _ => (first & 0x0f) << 12 | more() << 6 | more(),
        });
    }
    String::from_utf16_lossy(&units)
}

/// Reads a class file.
pub(super) fn read(file: &[u8], budget: &mut Budget) -> Read<Class> {
    let mut reader = Reader { bytes: Bytes(file), budget };
    reader.class()
}

struct Reader<'a, 'b> {
    bytes: Bytes<'a>,
    budget: &'b mut Budget,
}

/// Turns a missing value into the error for an invalid file.
fn some<T>(value: Option<T>) -> Read<T> {
    value.ok_or(Unreadable::Nonsense)
}

impl<'a> Reader<'a, '_> {
    fn u16(&mut self) -> Read<u16> {
        some(self.bytes.u16())
    }

    /// Counts a text against the memory limit.
    fn keep(&mut self, text: String) -> Read<String> {
        if self.budget.spend(text.len() + 64) { Ok(text) } else { Err(Unreadable::TooMuch) }
    }

    fn class(&mut self) -> Read<Class> {
        // Nothing that is read here depends on the version.
        let (magic, _version) = (some(self.bytes.u32())?, some(self.bytes.u32())?);
        if magic != MAGIC {
            return Err(Unreadable::Nonsense);
        }
        let pool = some(Pool::read(&mut self.bytes))?;
        let (flags, this, parent, interfaces) = (self.u16()?, self.u16()?, self.u16()?, self.u16()?);
        some(self.bytes.take(usize::from(interfaces) * 2))?;
        let name = some(pool.class(this))?;
        let parent = pool.class(parent).map(|parent| self.keep(parent)).transpose()?;
        let mut class = Class {
            name: self.keep(name)?,
            parent,
            flags,
            is_deprecated: false,
            fields: self.fields(&pool)?,
            request: None,
            initial: Vec::new(),
            annotation: Param::default(),
        };
        self.methods(&pool, &mut class)?;
        for (attribute, mut content) in self.attributes(&pool)? {
            match attribute {
                b"Deprecated" => class.is_deprecated = true,
                b"RuntimeVisibleAnnotations" => {
                    let found = self.annotations(&pool, &mut content)?;
                    class.is_deprecated |= found.iter().any(|(kind, _)| kind == "Deprecated");
                }
                _ => {}
            }
        }
        Ok(class)
    }

    /// Reads the names and contents of attributes.
    fn attributes(&mut self, pool: &Pool<'a>) -> Read<Vec<(&'a [u8], Bytes<'a>)>> {
        let count = self.u16()?;
        let mut found = Vec::new();
        for _ in 0..count {
            let name = self.u16()?;
            let length = some(self.bytes.u32().and_then(|length| usize::try_from(length).ok()))?;
            let content = some(self.bytes.take(length))?;
            found.push((pool.bytes(name).unwrap_or_default(), Bytes(content)));
        }
        Ok(found)
    }

    fn fields(&mut self, pool: &Pool<'a>) -> Read<Vec<Field>> {
        let count = usize::from(self.u16()?);
        if count > MAX_FIELDS {
            return Err(Unreadable::Nonsense);
        }
        let mut fields = Vec::new();
        for _ in 0..count {
            let (flags, name, descriptor) = (self.u16()?, self.u16()?, self.u16()?);
            let attributes = self.attributes(pool)?;
            let (Some(name), Some(descriptor)) = (pool.name(name), pool.text(descriptor)) else { continue };
            let mut field = Field { name, signature: descriptor, flags, param: None, is_client_side: false };
            let generic = attributes.iter().find(|(attribute, _)| *attribute == b"Signature");
            let generic = generic.and_then(|(_, content)| pool.text(Bytes(content.0).u16()?));
            field.signature = generic.unwrap_or(field.signature);
            for (attribute, mut content) in attributes {
                match attribute {
                    b"RuntimeVisibleAnnotations" | b"RuntimeInvisibleAnnotations" => {
                        for (kind, param) in self.annotations(pool, &mut content)? {
                            match kind.as_str() {
                                "Param" => field.param = Some(param),
                                "NonAPIParam" => field.is_client_side = true,
                                _ => {}
                            }
                        }
                    }
                    _ => {}
                }
            }
            field.name = self.keep(field.name)?;
            field.signature = self.keep(field.signature)?;
            fields.push(field);
        }
        Ok(fields)
    }

    fn methods(&mut self, pool: &Pool<'a>, class: &mut Class) -> Read<()> {
        let count = self.u16()?;
        for _ in 0..count {
            let (flags, name, descriptor) = (self.u16()?, self.u16()?, self.u16()?);
            let attributes = self.attributes(pool)?;
            let (name, descriptor) = (pool.bytes(name).unwrap_or_default(), pool.bytes(descriptor).unwrap_or_default());
            for (attribute, mut content) in attributes {
                if attribute == b"AnnotationDefault" && class.flags & flag::ANNOTATION != 0 {
                    let value = self.element(pool, &mut content, MAX_DEPTH)?;
                    class.annotation.set(&String::from_utf8_lossy(name), value);
                    continue;
                }
                if attribute != b"Code" || flags & flag::SYNTHETIC != 0 {
                    continue;
                }
                // Only the first one counts.
                let is_request = class.request.is_none() && name == b"getRestInfo" && descriptor.starts_with(b"()");
                let makes = class.initial.is_empty() && name == b"<init>" && descriptor == b"()V";
                if !is_request && !makes {
                    continue;
                }
                let length =
                    content.take(4).and_then(|_| content.u32()).and_then(|length| usize::try_from(length).ok());
                let code = some(length.and_then(|length| content.take(length)))?;
                if is_request {
                    let returned = code::returned_members(code, pool);
                    class.request = Some(returned.map(|members| self.keep_members(members)).transpose()?);
                } else {
                    class.initial = self.keep_members(code::members_of_this(code, pool))?;
                }
            }
        }
        Ok(())
    }

    fn keep_members(&mut self, members: Vec<(String, Constant)>) -> Read<Vec<(String, Constant)>> {
        for (name, value) in &members {
            let length = if let Constant::Text(text) = value { text.len() } else { 0 };
            if !self.budget.spend(name.len() + length + 64) {
                return Err(Unreadable::TooMuch);
            }
        }
        Ok(members)
    }

    /// Reads annotations: the last part of the class name, and the members that a `@Param` has.
    fn annotations(&mut self, pool: &Pool<'a>, bytes: &mut Bytes<'a>) -> Read<Vec<(String, Param)>> {
        let count = some(bytes.u16())?;
        let mut found = Vec::new();
        for _ in 0..count {
            found.push(self.annotation(pool, bytes, MAX_DEPTH)?);
        }
        Ok(found)
    }

    fn annotation(&mut self, pool: &Pool<'a>, bytes: &mut Bytes<'a>, depth: usize) -> Read<(String, Param)> {
        let kind = some(bytes.u16())?;
        let kind = pool.name(kind).unwrap_or_default();
        let kind = kind.trim_end_matches(';').rsplit(['/', '$']).next().unwrap_or_default().trim_start_matches('L');
        let mut param = Param::default();
        for _ in 0..some(bytes.u16())? {
            let member = some(bytes.u16())?;
            let value = self.element(pool, bytes, depth)?;
            param.set(&pool.name(member).unwrap_or_default(), value);
        }
        Ok((kind.to_owned(), param))
    }

    fn element(&mut self, pool: &Pool<'a>, bytes: &mut Bytes<'a>, depth: usize) -> Read<Element> {
        let depth = some(depth.checked_sub(1))?;
        Ok(match some(bytes.u8())? {
            b'B' | b'C' | b'I' | b'S' | b'Z' | b'J' | b'D' | b'F' => match pool.constant(some(bytes.u16())?) {
                Some(Constant::Int(number)) => Element::Number(number),
                _ => Element::Other,
            },
            b's' => match pool.text(some(bytes.u16())?) {
                Some(text) => Element::Text(self.keep(text)?),
                None => Element::Other,
            },
            b'e' => {
                let (_, constant) = (some(bytes.u16())?, some(bytes.u16())?);
                match pool.name(constant) {
                    Some(text) => Element::Text(self.keep(text)?),
                    None => Element::Other,
                }
            }
            b'c' => {
                some(bytes.u16())?;
                Element::Other
            }
            b'@' => {
                self.annotation(pool, bytes, depth)?;
                Element::Other
            }
            b'[' => {
                let mut list = Vec::new();
                for _ in 0..some(bytes.u16())? {
                    if !self.budget.spend(32) {
                        return Err(Unreadable::TooMuch);
                    }
                    list.push(self.element(pool, bytes, depth)?);
                }
                Element::List(list)
            }
            _ => return Err(Unreadable::Nonsense),
        })
    }
}
