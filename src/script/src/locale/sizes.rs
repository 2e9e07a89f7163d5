//! What Fluent's formatter takes long for, and what it panics at once a text has more than a hundred placeables.

use fluent_bundle::FluentResource;
use fluent_syntax::ast::{CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement};

/// How many variants a choice may have: the formatter looks at each in turn.
const VARIANTS: usize = 100;
/// How many arguments a call may have: the formatter copies each.
const ARGUMENTS: usize = 16;
/// How many decimals a number may have: the formatter takes ten to that power.
const DECIMALS: usize = 15;

/// Checks the texts of a file, which does not nest deeply.
///
/// # Errors
/// The text and the limit that it goes past.
pub(super) fn check(resource: &FluentResource) -> Result<(), String> {
    for entry in resource.entries() {
        let (name, value, attributes) = match entry {
            Entry::Message(message) => (message.id.name, message.value.as_ref(), &message.attributes),
            Entry::Term(term) => (term.id.name, Some(&term.value), &term.attributes),
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) | Entry::Junk { .. } => continue,
        };
        for pattern in value.into_iter().chain(attributes.iter().map(|attribute| &attribute.value)) {
            check_pattern(pattern).map_err(|problem| format!("the text \"{name}\" {problem}"))?;
        }
    }
    Ok(())
}

fn check_pattern(pattern: &Pattern<&str>) -> Result<(), String> {
    pattern.elements.iter().try_for_each(|element| match element {
        PatternElement::Placeable { expression } => check_expression(expression),
        PatternElement::TextElement { .. } => Ok(()),
    })
}

fn check_expression(expression: &Expression<&str>) -> Result<(), String> {
    match expression {
        Expression::Inline(inline) => check_inline(inline),
        Expression::Select { variants, .. } if variants.len() > VARIANTS => {
            Err(format!("has a choice of more than {VARIANTS} variants"))
        }
        // Its errors name what chooses, and there is no name for these.
        Expression::Select {
            selector: InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. },
            ..
        } => Err("chooses by something that is always the same; choose by a value, as { $count -> … }".to_owned()),
        Expression::Select { selector, variants } => {
            check_inline(selector)?;
            variants.iter().try_for_each(|variant| check_pattern(&variant.value))
        }
    }
}

fn check_inline(inline: &InlineExpression<&str>) -> Result<(), String> {
    match inline {
        InlineExpression::FunctionReference { arguments, .. } => check_call(arguments),
        InlineExpression::TermReference { arguments, .. } => arguments.as_ref().map_or(Ok(()), check_call),
        InlineExpression::Placeable { .. } => {
            Err("has a placeable directly in another; write { $x } for { { $x } }".to_owned())
        }
        InlineExpression::NumberLiteral { value } => match value.split_once('.') {
            Some((_, decimals)) if decimals.len() > DECIMALS => {
                Err(format!("has a number with more than {DECIMALS} decimals"))
            }
            _ => Ok(()),
        },
        InlineExpression::StringLiteral { .. }
        | InlineExpression::MessageReference { .. }
        | InlineExpression::VariableReference { .. } => Ok(()),
    }
}

fn check_call(arguments: &CallArguments<&str>) -> Result<(), String> {
    if arguments.positional.len() + arguments.named.len() > ARGUMENTS {
        return Err(format!("has a call with more than {ARGUMENTS} arguments"));
    }
    let named = arguments.named.iter().map(|argument| &argument.value);
    arguments.positional.iter().chain(named).try_for_each(check_inline)
}
