//! `store.ranking`: members by score, with `rank` and `top` that do not read all members.
//!
//! Stored are a row for each member, a row for each (score, member) in order, and a tree of counts over the
//! bytes of the scores: the number of members below each byte. A rank is found by one descent of the tree. A
//! branch is split once it has more than [`BRANCH_MAX`] members, so that few rows remain to be counted one by one.

use mlua::{Lua, LuaString, Table};
use palabre_types::{Change, decode_value, encode_value};

use super::function::add;
use crate::limits::KEY_BYTES;
use crate::reply::Problem;
use crate::run::{Run, SharedRun};
use crate::value;

/// The number of members above which a branch of the tree is split.
const BRANCH_MAX: u32 = 96;
/// The maximum number of members that `top` returns.
const TOP_MAX: usize = 1_000;
/// The size of a score in a key, in bytes, and so the depth of the tree.
const SCORE_BYTES: usize = 8;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    type Arguments = (LuaString, LuaString, LuaString, f64, bool);
    add(lua, host, "rank_add", run, |_, run, (scope, name, member, by, replace): Arguments| {
        let ranking = Ranking::new(&scope, &name)?;
        ranking.add(&mut run.borrow_mut(), &checked(&member)?, by, replace)
    })?;
    add(lua, host, "rank_get", run, |_, run, (scope, name, member): (LuaString, LuaString, LuaString)| {
        Ranking::new(&scope, &name)?.score(&run.borrow(), &checked(&member)?)
    })?;
    add(lua, host, "rank_remove", run, |_, run, (scope, name, member): (LuaString, LuaString, LuaString)| {
        Ranking::new(&scope, &name)?.remove(&mut run.borrow_mut(), &checked(&member)?)
    })?;
    add(lua, host, "rank_of", run, |_, run, (scope, name, member): (LuaString, LuaString, LuaString)| {
        Ranking::new(&scope, &name)?.rank(&run.borrow(), &checked(&member)?)
    })?;
    add(lua, host, "rank_count", run, |_, run, (scope, name): (LuaString, LuaString)| {
        let run = run.borrow();
        let root = Ranking::new(&scope, &name)?.node(&run, &[])?.unwrap_or_default();
        Ok(f64::from(root.iter().map(|(_, count)| count).sum::<u32>()))
    })?;
    add(lua, host, "rank_top", run, |lua, run, (scope, name, count): (LuaString, LuaString, f64)| {
        if !(1.0..=TOP_MAX as f64).contains(&count) {
            return Err(format!("top takes the number of members, 1 to {TOP_MAX}"));
        }
        let best = Ranking::new(&scope, &name)?.top(&run.borrow(), count as usize)?;
        let list = || {
            let list = lua.create_table_with_capacity(best.len(), 0)?;
            for (rank, member, score) in &best {
                let entry = lua.create_table_with_capacity(0, 3)?;
                entry.raw_set("id", lua.create_string(member)?)?;
                entry.raw_set("score", *score)?;
                entry.raw_set("rank", *rank)?;
                list.raw_push(entry)?;
            }
            Ok(list)
        };
        list().map_err(|error: mlua::Error| run.borrow_mut().failed(&error))
    })
}

fn checked(member: &LuaString) -> Result<Vec<u8>, Problem> {
    let bytes = member.as_bytes().to_vec();
    if (1..=KEY_BYTES).contains(&bytes.len()) {
        Ok(bytes)
    } else {
        Err(format!("the id of a ranking's member has 1 to {KEY_BYTES} bytes"))
    }
}

/// Encodes a score so that higher scores sort first.
fn descending(score: f64) -> [u8; SCORE_BYTES] {
    let bits = score.to_bits();
    let ascending = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    (!ascending).to_be_bytes()
}

fn ascending(bytes: [u8; SCORE_BYTES]) -> f64 {
    let bits = !u64::from_be_bytes(bytes);
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

/// Numbers of members by byte, sorted by byte.
type Node = Vec<(u8, u32)>;

struct Ranking {
    prefix: Vec<u8>,
}

impl Ranking {
    fn new(scope: &LuaString, name: &LuaString) -> Result<Self, Problem> {
        let (scope, name) = (scope.as_bytes(), name.as_bytes());
        if !(1..=64).contains(&name.len()) || name.iter().any(u8::is_ascii_control) || scope.len() > KEY_BYTES {
            return Err("a ranking's name has 1 to 64 bytes, none of them a control character".to_owned());
        }
        // Scripts cannot name this scope. The ranking's name lies between the last byte 2 and the zero byte.
        Ok(Self { prefix: [b"\x01ranking\x02", &*scope, b"\x02", &*name, b"\0"].concat() })
    }

    fn key(&self, kind: u8, rest: &[&[u8]]) -> Vec<u8> {
        let mut key = self.prefix.clone();
        key.push(kind);
        rest.iter().for_each(|part| key.extend_from_slice(part));
        key
    }

    fn member_key(&self, member: &[u8]) -> Vec<u8> {
        self.key(b'm', &[member])
    }

    fn place_key(&self, score: [u8; SCORE_BYTES], member: &[u8]) -> Vec<u8> {
        self.key(b'p', &[&score, member])
    }

    fn score(&self, run: &Run, member: &[u8]) -> Result<Option<f64>, Problem> {
        run.input()?;
        let stored = run.read(&self.member_key(member))?;
        Ok(stored.map(|stored| decode_value(&stored.value)).transpose()?.and_then(|score| score.as_f64()))
    }

    fn add(&self, run: &mut Run, member: &[u8], by: f64, replace: bool) -> Result<f64, Problem> {
        let old = self.score(run, member)?;
        // Adding 0.0 turns -0.0 into 0.0.
        let new = if replace { by } else { old.unwrap_or(0.0) + by } + 0.0;
        let stored = value::number(new).ok_or_else(|| format!("{new} is not a valid score"))?;
        if old == Some(new) {
            return Ok(new);
        }
        if old.is_some() {
            self.remove_place(run, member, old)?;
        }
        run.write(self.member_key(member), set(encode_value(&stored)))?;
        let bytes = descending(new);
        run.write(self.place_key(bytes, member), set(Vec::new()))?;
        self.count(run, bytes, true)?;
        Ok(new)
    }

    fn remove(&self, run: &mut Run, member: &[u8]) -> Result<bool, Problem> {
        let old = self.score(run, member)?;
        if old.is_some() {
            self.remove_place(run, member, old)?;
            run.write(self.member_key(member), Change::Delete)?;
        }
        Ok(old.is_some())
    }

    fn remove_place(&self, run: &mut Run, member: &[u8], score: Option<f64>) -> Result<(), Problem> {
        let Some(score) = score else { return Ok(()) };
        let bytes = descending(score);
        run.write(self.place_key(bytes, member), Change::Delete)?;
        self.count(run, bytes, false)
    }

    /// Increments or decrements the counts on the path to a score.
    fn count(&self, run: &mut Run, score: [u8; SCORE_BYTES], more: bool) -> Result<(), Problem> {
        for depth in 0..SCORE_BYTES {
            let mut node = self.node(run, &score[..depth])?.unwrap_or_default();
            let left = match node.binary_search_by_key(&score[depth], |(byte, _)| *byte) {
                Ok(place) if more => {
                    node[place].1 += 1;
                    node[place].1
                }
                Ok(place) => {
                    node[place].1 = node[place].1.saturating_sub(1);
                    let left = node[place].1;
                    if left == 0 {
                        node.remove(place);
                    }
                    left
                }
                Err(place) if more => {
                    node.insert(place, (score[depth], 1));
                    1
                }
                Err(_) => 0,
            };
            self.put(run, &score[..depth], &node)?;
            let below = &score[..=depth];
            if self.node(run, below)?.is_some() {
                continue;
            }
            if left > BRANCH_MAX && depth + 1 < SCORE_BYTES {
                self.split_branch(run, below)?;
            }
            break;
        }
        Ok(())
    }

    /// Creates the node below a prefix, for a branch that has grown past [`BRANCH_MAX`].
    fn split_branch(&self, run: &mut Run, below: &[u8]) -> Result<(), Problem> {
        let skip = self.prefix.len() + 1 + below.len();
        let places = run.scan(&self.key(b'p', &[below]), None, false, BRANCH_MAX as usize + 2)?;
        let mut node = Node::new();
        for byte in places.iter().filter_map(|(key, _)| key.get(skip)) {
            match node.last_mut() {
                Some((last, count)) if last == byte => *count += 1,
                _ => node.push((*byte, 1)),
            }
        }
        self.put(run, below, &node)
    }

    fn rank(&self, run: &Run, member: &[u8]) -> Result<Option<f64>, Problem> {
        let Some(score) = self.score(run, member)? else { return Ok(None) };
        let score = descending(score);
        let mut better = 0;
        for depth in 0..SCORE_BYTES {
            let Some(node) = self.node(run, &score[..depth])? else { break };
            better += node.iter().take_while(|(byte, _)| *byte < score[depth]).map(|(_, count)| count).sum::<u32>();
            if depth + 1 < SCORE_BYTES && self.node(run, &score[..=depth])?.is_none() {
                let first = self.key(b'p', &[&score[..=depth]]);
                let own = self.key(b'p', &[&score]);
                let places = run.scan(&first, None, false, BRANCH_MAX as usize + 2)?;
                better += places.iter().take_while(|(key, _)| **key < *own).map(|_| 1).sum::<u32>();
                break;
            }
        }
        Ok(Some(f64::from(better) + 1.0))
    }

    fn top(&self, run: &Run, count: usize) -> Result<Vec<(f64, Vec<u8>, f64)>, Problem> {
        run.input()?;
        let skip = self.prefix.len() + 1;
        let places = run.scan(&self.key(b'p', &[]), None, false, count)?;
        let mut best: Vec<(f64, Vec<u8>, f64)> = Vec::with_capacity(places.len());
        for (index, (key, _)) in places.iter().enumerate() {
            let Some((bytes, member)) = key[skip..].split_first_chunk::<SCORE_BYTES>() else { continue };
            let score = ascending(*bytes);
            // Equal scores share a rank.
            let rank = match best.last() {
                Some((rank, _, last)) if *last == score => *rank,
                _ => index as f64 + 1.0,
            };
            best.push((rank, member.to_vec(), score));
        }
        Ok(best)
    }

    fn node(&self, run: &Run, below: &[u8]) -> Result<Option<Node>, Problem> {
        let Some(stored) = run.read(&self.key(b'n', &[below]))? else { return Ok(None) };
        let entry = |chunk: &[u8]| match chunk {
            [byte, a, b, c, d] => Some((*byte, u32::from_be_bytes([*a, *b, *c, *d]))),
            _ => None,
        };
        Ok(Some(stored.value.chunks(5).filter_map(entry).collect()))
    }

    fn put(&self, run: &mut Run, below: &[u8], node: &Node) -> Result<(), Problem> {
        let key = self.key(b'n', &[below]);
        if node.is_empty() {
            return run.write(key, Change::Delete);
        }
        let mut bytes = Vec::with_capacity(node.len() * 5);
        for (byte, count) in node {
            bytes.push(*byte);
            bytes.extend_from_slice(&count.to_be_bytes());
        }
        run.write(key, set(bytes))
    }
}

fn set(bytes: Vec<u8>) -> Change {
    Change::Set { value: bytes.into(), expires: None }
}
