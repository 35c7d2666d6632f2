//! Finds the constants that a method assigns: constructors set initial values of fields, and `getRestInfo` creates an
//! object, sets its members and returns it.
//!
//! No code is run. The few instructions that compilers use in such methods are followed with known values; reading
//! stops at the first other one, such as a branch.

use super::class::{Bytes, Pool};

/// The maximum number of instructions followed. An API has some dozens of parameters, each with a few instructions.
const MAX_STEPS: usize = 1_000;

/// The maximum length of a concatenated text, in bytes.
const MAX_TEXT: usize = 4096;

/// A constant of the class file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Constant {
    Null,
    /// Whole numbers and booleans.
    Int(i64),
    Double(f64),
    Text(String),
}

#[derive(Clone, Debug)]
enum Value {
    Known(Constant),
    /// An object created by the method, by its number; 0 is `this`.
    Object(usize),
    Unknown,
}

/// Returns the members of the object that a method returns, as far as they are constants; `None` where the method
/// cannot be followed.
pub(super) fn returned_members(code: &[u8], pool: &Pool<'_>) -> Option<Vec<(String, Constant)>> {
    let mut run = Run::new(code);
    match run.follow(pool) {
        Some(Value::Object(object)) => Some(run.members_of(object)),
        _ => None,
    }
}

/// Returns the members of `this` that a constructor sets, as far as they are constants.
pub(super) fn members_of_this(code: &[u8], pool: &Pool<'_>) -> Vec<(String, Constant)> {
    let mut run = Run::new(code);
    run.follow(pool);
    run.members_of(0)
}

struct Run<'a> {
    code: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    locals: Vec<Value>,
    objects: usize,
    /// The assignments in order: object, member, and the value where it is known.
    set: Vec<(usize, String, Option<Constant>)>,
}

impl<'a> Run<'a> {
    fn new(code: &'a [u8]) -> Run<'a> {
        Run { code, at: 0, stack: Vec::new(), locals: vec![Value::Object(0)], objects: 1, set: Vec::new() }
    }

    fn members_of(&self, object: usize) -> Vec<(String, Constant)> {
        let mut members: Vec<(String, Constant)> = Vec::new();
        for (_, name, value) in self.set.iter().filter(|(of, ..)| *of == object) {
            members.retain(|(known, _)| known != name);
            members.extend(value.clone().map(|value| (name.clone(), value)));
        }
        members
    }

    /// Returns the value that the method returns; `None` where it cannot be followed that far.
    fn follow(&mut self, pool: &Pool<'_>) -> Option<Value> {
        for _ in 0..MAX_STEPS {
            match self.step(pool)? {
                Step::On => {}
                Step::Returned(value) => return Some(value),
            }
        }
        None
    }

    fn operands(&mut self, count: usize) -> Option<Bytes<'a>> {
        let bytes = self.code.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(Bytes(bytes))
    }

    fn u8(&mut self) -> Option<u8> {
        self.operands(1)?.u8()
    }

    fn u16(&mut self) -> Option<u16> {
        self.operands(2)?.u16()
    }

    fn int(&mut self, number: i64) {
        self.stack.push(Value::Known(Constant::Int(number)));
    }

    fn load(&mut self, index: usize) {
        self.stack.push(self.locals.get(index).cloned().unwrap_or(Value::Unknown));
    }

    fn store(&mut self, index: usize) -> Option<()> {
        let value = self.stack.pop()?;
        if self.locals.len() <= index {
            self.locals.resize(index + 1, Value::Unknown);
        }
        self.locals[index] = value;
        Some(())
    }

    fn ldc(&mut self, index: u16, pool: &Pool<'_>) {
        self.stack.push(pool.constant(index).map_or(Value::Unknown, Value::Known));
    }

    /// Follows one instruction; `None` where it is unknown or invalid.
    fn step(&mut self, pool: &Pool<'_>) -> Option<Step> {
        let start = self.at;
        let opcode = self.u8()?;
        match opcode {
            0x00 => {}
            0x01 => self.stack.push(Value::Known(Constant::Null)),
            // iconst, lconst
            0x02..=0x08 => self.int(i64::from(opcode) - 3),
            0x09..=0x0a => self.int(i64::from(opcode) - 9),
            // fconst, dconst
            0x0b..=0x0d => self.stack.push(Value::Known(Constant::Double(f64::from(opcode - 0x0b)))),
            0x0e..=0x0f => self.stack.push(Value::Known(Constant::Double(f64::from(opcode - 0x0e)))),
            // bipush, sipush
            0x10 => {
                let number = self.u8()?;
                self.int(i64::from(number.cast_signed()));
            }
            0x11 => {
                let number = self.u16()?;
                self.int(i64::from(number.cast_signed()));
            }
            // ldc, ldc_w, ldc2_w
            0x12 => {
                let index = self.u8()?;
                self.ldc(u16::from(index), pool);
            }
            0x13..=0x14 => {
                let index = self.u16()?;
                self.ldc(index, pool);
            }
            // Loads and stores of locals; the index is the next byte, or part of the opcode.
            0x15..=0x19 => {
                let index = self.u8()?;
                self.load(usize::from(index));
            }
            0x1a..=0x2d => self.load(usize::from((opcode - 0x1a) % 4)),
            0x36..=0x3a => {
                let index = self.u8()?;
                self.store(usize::from(index))?;
            }
            0x3b..=0x4e => self.store(usize::from((opcode - 0x3b) % 4))?,
            // Stores into arrays: array, index and value.
            0x4f..=0x56 => self.drop(3)?,
            // pop, dup, dup_x1, swap
            0x57 => self.drop(1)?,
            0x59 => {
                let top = self.stack.last()?.clone();
                self.stack.push(top);
            }
            0x5a => {
                let (top, below) = (self.stack.pop()?, self.stack.pop()?);
                self.stack.extend([top.clone(), below, top]);
            }
            0x5f => {
                let (top, below) = (self.stack.pop()?, self.stack.pop()?);
                self.stack.extend([top, below]);
            }
            // Conversions between numbers (i2l, i2f, i2d, l2i, f2d and the like) do not change the constants that occur
            // here.
            0x85 | 0x88 | 0x8d | 0x90..=0x93 => {}
            // goto, forward only, so that there are no loops.
            0xa7 => {
                let offset = self.u16()?.cast_signed();
                self.at = start.checked_add(usize::try_from(offset).ok().filter(|offset| *offset > 2)?)?;
            }
            // areturn and the like, return
            0xac..=0xb0 => return Some(Step::Returned(self.stack.pop()?)),
            0xb1 => return Some(Step::Returned(Value::Unknown)),
            0xb2 => self.get_static(pool)?,
            // putstatic
            0xb3 => {
                self.u16()?;
                self.drop(1)?;
            }
            // getfield
            0xb4 => {
                self.u16()?;
                self.drop(1)?;
                self.stack.push(Value::Unknown);
            }
            0xb5 => {
                let index = self.u16()?;
                let (value, object) = (self.stack.pop()?, self.stack.pop()?);
                let (_, name, _) = pool.member(index)?;
                self.put(&object, name, value);
            }
            0xb6..=0xba => {
                let index = self.u16()?;
                // invokeinterface and invokedynamic are two bytes longer.
                if opcode >= 0xb9 {
                    self.u16()?;
                }
                self.call(opcode, index, pool)?;
            }
            // new
            0xbb => {
                let class = self.u16()?;
                // A StringBuilder, which javac before Java 9 uses for concatenation, is followed as the text that it
                // has so far.
                if pool.class(class).as_deref() == Some("java/lang/StringBuilder") {
                    self.stack.push(Value::Known(Constant::Text(String::new())));
                } else {
                    self.stack.push(Value::Object(self.objects));
                    self.objects += 1;
                }
            }
            // newarray, anewarray; multianewarray is not handled here
            0xbc => {
                self.u8()?;
                self.drop(1)?;
                self.stack.push(Value::Unknown);
            }
            0xbd => {
                self.u16()?;
                self.drop(1)?;
                self.stack.push(Value::Unknown);
            }
            // checkcast
            0xc0 => {
                self.u16()?;
            }
            // wide: loads and stores with an index of 16 bits.
            0xc4 => {
                let opcode = self.u8()?;
                let index = usize::from(self.u16()?);
                match opcode {
                    0x15..=0x19 => self.load(index),
                    0x36..=0x3a => self.store(index)?,
                    _ => return None,
                }
            }
            _ => return None,
        }
        Some(Step::On)
    }

    fn drop(&mut self, count: usize) -> Option<()> {
        let left = self.stack.len().checked_sub(count)?;
        self.stack.truncate(left);
        Some(())
    }

    fn put(&mut self, object: &Value, name: String, value: Value) {
        if let Value::Object(object) = object {
            let value = match value {
                Value::Known(constant) => Some(constant),
                _ => None,
            };
            self.set.push((*object, name, value));
        }
    }

    fn get_static(&mut self, pool: &Pool<'_>) -> Option<()> {
        let index = self.u16()?;
        let (class, name, descriptor) = pool.member(index)?;
        let value = match (class.as_str(), name.as_str()) {
            ("java/lang/Boolean", "TRUE") => Value::Known(Constant::Int(1)),
            ("java/lang/Boolean", "FALSE") => Value::Known(Constant::Int(0)),
            // An enum constant is represented by its name.
            _ if descriptor == format!("L{class};") => Value::Known(Constant::Text(name)),
            _ => Value::Unknown,
        };
        self.stack.push(value);
        Some(())
    }

    fn call(&mut self, opcode: u8, index: u16, pool: &Pool<'_>) -> Option<()> {
        let (class, name, descriptor) = pool.member(index)?;
        let (count, returns) = counted(&descriptor)?;
        let left = self.stack.len().checked_sub(count)?;
        let mut arguments = self.stack.split_off(left);
        let receiver = match opcode {
            0xb8 | 0xba => None,
            _ => Some(self.stack.pop()?),
        };
        let mut result = Value::Unknown;
        match (receiver, name.as_str(), count) {
            (None, "valueOf", 1) if class.starts_with("java/lang/") => result = arguments.pop()?,
            // Of a text, or of an enum constant.
            (Some(Value::Known(Constant::Text(text))), "toString" | "name", 0) => {
                result = Value::Known(Constant::Text(text));
            }
            (Some(Value::Known(number)), "booleanValue" | "intValue" | "longValue" | "doubleValue", 0) => {
                result = Value::Known(number);
            }
            (Some(Value::Known(Constant::Text(text))), "append", 1) => {
                if let Some(Value::Known(Constant::Text(more))) = arguments.pop()
                    && text.len() + more.len() <= MAX_TEXT
                {
                    result = Value::Known(Constant::Text(text + &more));
                }
            }
            (Some(receiver), _, 1) if name.starts_with("set") => {
                let mut member = name[3..].to_owned();
                if let Some(first) = member.get_mut(..1) {
                    first.make_ascii_lowercase();
                }
                self.put(&receiver, member, arguments.pop()?);
                result = receiver;
            }
            _ => {}
        }
        if returns {
            self.stack.push(result);
        }
        Some(())
    }
}

enum Step {
    On,
    Returned(Value),
}

/// Returns the number of arguments of a method, and whether it returns a value.
fn counted(descriptor: &str) -> Option<(usize, bool)> {
    let (arguments, returned) = descriptor.strip_prefix('(')?.split_once(')')?;
    let mut rest = arguments;
    let mut count = 0;
    while !rest.is_empty() {
        rest = rest.trim_start_matches('[');
        rest = if rest.starts_with('L') { rest.split_once(';')?.1 } else { rest.get(1..)? };
        count += 1;
    }
    Some((count, returned != "V"))
}
