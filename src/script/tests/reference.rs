//! Compares the API list with the events and the type definitions.

use palabre_script::{ApiItem, ApiKind, EDITOR_TYPES, api, read_types, reference_markdown};
use palabre_types::EventName;

fn find<'a>(items: &'a [ApiItem], path: &str) -> &'a ApiItem {
    items.iter().find(|item| item.path == path).unwrap_or_else(|| panic!("there is no {path}"))
}

/// Returns the parameters of `path`, optional ones with a question mark.
fn parameters(items: &[ApiItem], path: &str) -> Vec<String> {
    let parameters = find(items, path).parameters.iter();
    parameters.map(|one| format!("{}{}", one.name, if one.optional { "?" } else { "" })).collect()
}

#[test]
fn the_editor_types_are_read_to_the_last_line() {
    assert_eq!(read_types(EDITOR_TYPES).unread, [""; 0]);
}

#[test]
fn every_hook_is_in_the_list_and_nothing_else_is_one() {
    let items = api();
    let mut listed: Vec<&str> =
        items.iter().filter(|item| item.kind == ApiKind::Hook).map(|item| item.path.as_str()).collect();
    let mut defined: Vec<&str> = EventName::ALL.iter().filter(|name| name.is_hook()).map(|name| name.hook()).collect();
    listed.sort_unstable();
    defined.sort_unstable();
    assert_eq!(listed, defined);
    assert!(listed.iter().all(|hook| find(&items, hook).parameters.len() == 1));
}

#[test]
fn known_functions_have_the_right_parameters() {
    let items = api();
    assert_eq!(parameters(&items, "store.get"), ["key", "default?"]);
    assert_eq!(parameters(&items, "store.set"), ["key", "value", "options?"]);
    assert_eq!(parameters(&items, "store.of"), ["owner"]);
    assert_eq!(parameters(&items, "sleep"), ["duration"]);
    assert_eq!(parameters(&items, "on_timer"), ["name", "f"]);
    assert_eq!(parameters(&items, "time.format"), ["seconds?", "format?", "zone?"]);
    assert_eq!(parameters(&items, "MessageHandle:edit"), ["content"]);
    assert_eq!(find(&items, "store.get").kind, ApiKind::Function);
    assert_eq!(find(&items, "MessageHandle:edit").kind, ApiKind::Method);
    assert_eq!(find(&items, "Message").kind, ApiKind::Type);
    assert_eq!(find(&items, "store").kind, ApiKind::Value);
    assert_eq!(find(&items, "random.choice").signature(), "random.choice(list: { T }): T");
    assert!(find(&items, "store.delete").doc.starts_with("Removes"));
}

#[test]
fn every_item_is_named_once() {
    let mut paths: Vec<String> = api().into_iter().map(|item| item.path).collect();
    let count = paths.len();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), count);
}

const SHAPES: &str = r#"
-- No comment of ours.
--- Says it.
--- Twice.
declare function say(text: string, ...: any): (boolean, string?)
declare function make<T>(
	--- What it is made of.
	from: { T }, -- and nothing else
	options: { deep: boolean?, on_done: ((T) -> ())? }?
): T
export type Level = "low" | "high"
type Handler = (event: Level) -> () -> (string?, any)
--- Both ways.
declare handle: Handler & ((name: string, event: Level) -> nil) & {
	--- How many there are.
	count: number,
	inner: { run: (...string) -> () },
}
declare open: { [string]: any }
--- A thing.
declare extern type Thing extends Other with
	--- Its name.
	name: string?
	read size: number
	function grow(self, by: number?): Thing
	function pure(): ()
end
declare extern type Small extends Thing with text: "a (" | Module.Type<string>? last: typeof(open) end
declare class Old function close(self): () end
"#;

#[test]
fn each_shape_is_understood() {
    let reading = read_types(SHAPES);
    assert_eq!(reading.unread, [""; 0]);
    let told: Vec<(ApiKind, String)> =
        reading.items.iter().map(|item| (item.kind, format!("{} -> {}", item.signature(), item.returns))).collect();
    let expected = [
        (ApiKind::Function, "say(text: string, ...: any): (boolean, string?) -> (boolean, string?)"),
        (ApiKind::Function, "make(from: { T }, options: { deep: boolean?, on_done: ((T) -> ())? }?): T -> T"),
        (ApiKind::Type, "Level -> \"low\" | \"high\""),
        (ApiKind::Type, "Handler -> (event: Level) -> () -> (string?, any)"),
        (
            ApiKind::Function,
            "handle(event: any, event: Level): () -> (string?, any) | nil -> () -> (string?, any) | nil",
        ),
        (ApiKind::Value, "handle.count -> number"),
        (ApiKind::Value, "handle.inner -> { run: (...string) -> () }"),
        (ApiKind::Function, "handle.inner.run(...: string) -> ()"),
        (ApiKind::Value, "open -> { [string]: any }"),
        (ApiKind::Type, "Thing -> extends Other"),
        (ApiKind::Value, "Thing.name -> string?"),
        (ApiKind::Value, "Thing.size -> number"),
        (ApiKind::Method, "Thing:grow(by: number?): Thing -> Thing"),
        (ApiKind::Method, "Thing:pure() -> ()"),
        (ApiKind::Type, "Small -> extends Thing"),
        (ApiKind::Value, "Small.text -> \"a (\" | Module.Type<string>?"),
        (ApiKind::Value, "Small.last -> typeof(open)"),
        (ApiKind::Type, "Old -> "),
        (ApiKind::Method, "Old:close() -> ()"),
    ];
    for (index, (kind, text)) in expected.into_iter().enumerate() {
        assert_eq!(told.get(index), Some(&(kind, text.to_owned())), "item {index}");
    }
    assert_eq!(told.len(), 19);
    assert_eq!(find(&reading.items, "say").doc, "Says it.\nTwice.");
    assert_eq!(find(&reading.items, "make").doc, "");
    assert_eq!(find(&reading.items, "handle.count").doc, "How many there are.");
    assert_eq!(find(&reading.items, "Thing.name").doc, "Its name.");
    assert_eq!(parameters(&reading.items, "handle"), ["event", "event?"]);
    assert!(find(&reading.items, "say").parameters[1].variadic);
}

#[test]
fn unknown_declarations_are_reported_and_the_rest_is_read() {
    let reading = read_types("declare function f(a: string): ()\nwhatever is this\n  and that\ndeclare g: number\n");
    assert_eq!(reading.unread, ["whatever is this and that"]);
    assert_eq!(reading.items.len(), 2);
    let reading = read_types("declare function f(a: string\ndeclare g: number\n");
    assert_eq!(reading.unread, ["declare function f(a: string"]);
}

#[test]
fn the_chapter_of_the_guide_has_all_of_it() {
    let page = reference_markdown();
    assert!(page.contains("| `on_message` | `MessageEvent` | "), "{page}");
    assert!(page.contains("### `store.get`\n\n```luau\nstore.get(key: string, default: any?): any\n```\n"), "{page}");
    assert!(page.contains("#### `MessageHandle:edit`"), "{page}");
    for item in api() {
        let name = item.path.rsplit_once(['.', ':']).map_or(item.path.as_str(), |(_, name)| name);
        assert!(page.contains(name), "{} is not in the chapter", item.path);
    }
}
