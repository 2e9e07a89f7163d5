//! The format of each character by Telegram's rules, and a generator of texts with entities.

use std::collections::BTreeSet;

use palabre_telegram::text::{Entity, EntityKind, Rich};
use proptest::prelude::*;

use crate::documents::{emphasis, hostile, word};

/// Returns the lines of a text, without invisible white space.
pub(crate) fn lines(text: &str) -> Vec<String> {
    text.trim().split('\n').map(|line| line.trim_end_matches([' ', '\t']).to_owned()).collect()
}

/// Returns each character that is no white space, with its format.
pub(crate) fn formats(rich: &Rich) -> Vec<(char, BTreeSet<String>)> {
    let mut unit = 0;
    let mut formats = Vec::new();
    // Of several that exclude each other, the first counts.
    let mut entities: Vec<_> = rich.entities.iter().collect();
    entities.sort_by_key(|entity| (entity.offset, -entity.length));
    let mut taken = 0;
    let mut wholes = Vec::new();
    for entity in &entities {
        if is_whole(&entity.kind) && entity.offset + entity.length > taken {
            wholes.push((entity.offset.max(taken), entity.offset + entity.length, &entity.kind));
            taken = entity.offset + entity.length;
        }
    }
    for c in rich.text.chars() {
        let on = |entity: &&&Entity| entity.offset <= unit && unit < entity.offset + entity.length;
        let mut kinds: Vec<EntityKind> =
            entities.iter().filter(on).map(|entity| entity.kind.clone()).filter(|kind| !is_whole(kind)).collect();
        kinds.extend(
            wholes.iter().filter(|(start, end, _)| *start <= unit && unit < *end).map(|(_, _, kind)| (*kind).clone()),
        );
        unit += i64::try_from(c.len_utf16()).unwrap();
        if !c.is_whitespace() {
            formats.push((c, compatible(kinds)));
        }
    }
    formats
}

fn is_whole(kind: &EntityKind) -> bool {
    use EntityKind::{CustomEmoji, DateTime, TextLink, TextMention};
    matches!(kind, TextLink { .. } | TextMention { .. } | CustomEmoji { .. } | DateTime { .. })
}

/// Drops what code excludes; inline code gives way to spoilers and links.
fn compatible(kinds: Vec<EntityKind>) -> BTreeSet<String> {
    let is_pre = |kind: &EntityKind| matches!(kind, EntityKind::Pre { .. });
    let is_quote = |kind: &EntityKind| *kind == EntityKind::Blockquote;
    let has_pre = kinds.iter().any(is_pre);
    let no_code = kinds.iter().any(|kind| is_whole(kind) || *kind == EntityKind::Spoiler);
    let has_code = kinds.contains(&EntityKind::Code) && !no_code;
    let stays = |kind: &EntityKind| match kind {
        kind if is_quote(kind) => true,
        kind if has_pre => is_pre(kind),
        EntityKind::Code => has_code,
        _ => !has_code,
    };
    kinds.into_iter().filter(stays).map(|kind| format!("{kind:?}")).collect()
}

/// Generates texts with entities that nest or overlap, and blocks on whole lines.
pub(crate) fn formatted() -> impl Strategy<Value = (String, Vec<Entity>)> {
    let text = prop_oneof![
        hostile(),
        prop::collection::vec(prop_oneof![4 => word(), 2 => Just(" ".to_owned()), 1 => Just("\n".to_owned())], 0..16)
            .prop_map(|words| words.concat())
    ];
    let places = prop::collection::vec((emphasis(), any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..6);
    let blocks = prop::collection::vec(0_u8..6, 0..24);
    (text, places, blocks).prop_map(|(text, places, blocks)| {
        let mut borders = vec![0_i64];
        for c in text.chars() {
            borders.push(borders[borders.len() - 1] + i64::try_from(c.len_utf16()).unwrap());
        }
        let mut entities = Vec::new();
        for (kind, one, other) in places {
            let (one, other) = (*one.get(&borders), *other.get(&borders));
            entities.push(Entity { kind, offset: one.min(other), length: (one - other).abs() });
        }
        let mut at = 0;
        for (line, block) in text.split('\n').zip(blocks) {
            let length = i64::try_from(line.encode_utf16().count()).unwrap();
            if !line.trim().is_empty() {
                if matches!(block, 1 | 3) {
                    entities.push(Entity { kind: EntityKind::Blockquote, offset: at, length });
                }
                if matches!(block, 2 | 3) {
                    entities.push(Entity {
                        kind: EntityKind::Pre { language: Some("c++".to_owned()) },
                        offset: at,
                        length,
                    });
                }
            }
            at += length + 1;
        }
        entities.retain(|entity| entity.length > 0);
        (text, entities)
    })
}
