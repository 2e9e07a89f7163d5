//! Compares the script API in the host, in the type definitions and in the guide.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use palabre_script::*;
use palabre_types::*;
use support::*;

const API: &str = include_str!("../src/prelude/api.luau");
const EVENTS: &str = include_str!("../src/prelude/events.luau");
const OBJECTS: &str = include_str!("../src/prelude/objects.luau");
const REGISTER: &str = include_str!("../src/prelude/register.luau");
const TESTING: &str = include_str!("../src/prelude/testing.luau");
const WEB: &str = include_str!("../src/prelude/web.luau");

/// The method tables: the prelude file, their name there, and the base type that declares the methods.
const CLASSES: &[(&str, &str, &str)] = &[
    (OBJECTS, "Bot", "Bot"),
    (OBJECTS, "Space", "Space"),
    (OBJECTS, "User", "UserHandle"),
    (OBJECTS, "Member", "Member"),
    (OBJECTS, "Message", "MessageHandle"),
    (OBJECTS, "Action", "Action"),
    (OBJECTS, "Room", "RoomHandle"),
    (EVENTS, "Event", "Event"),
    (API, "Ranking", "Ranking"),
    (WEB, "Reply", "Reply"),
    (TESTING, "User", "TestUser"),
    (TESTING, "Test", "Test"),
];

type Names = BTreeSet<String>;

/// Returns the names that are in only one of the sets.
fn apart(one: &Names, other: &Names) -> Vec<String> {
    one.symmetric_difference(other).cloned().collect()
}

/// Returns the paths of all items of these kinds.
fn paths(items: &[ApiItem], kinds: &[ApiKind]) -> Names {
    items.iter().filter(|item| kinds.contains(&item.kind)).map(|item| item.path.clone()).collect()
}

/// Returns the type that `class` extends.
fn parent<'a>(items: &'a [ApiItem], class: &str) -> Option<&'a str> {
    let own = items.iter().find(|item| item.kind == ApiKind::Type && item.path == class)?;
    own.returns.strip_prefix("extends ")
}

/// Returns the base type of `class`, or `class` if it extends none.
fn first<'a>(items: &'a [ApiItem], class: &'a str) -> &'a str {
    parent(items, class).map_or(class, |parent| first(items, parent))
}

/// Whether `class` or a type that it extends has the field.
fn has_field(items: &[ApiItem], class: &str, field: &str) -> bool {
    let path = format!("{class}.{field}");
    items.iter().any(|item| item.path == path)
        || parent(items, class).is_some_and(|parent| has_field(items, parent, field))
}

/// Returns the methods that a prelude file defines for a class: `function Message:edit(…)`.
fn defined(prelude: &str, class: &str) -> Names {
    let start = format!("function {class}:");
    let methods = prelude.lines().filter_map(|line| line.strip_prefix(&start)?.split_once('('));
    methods.map(|(name, _)| name.to_owned()).collect()
}

/// Returns the declared methods of a type and of types that extend it.
fn listed(items: &[ApiItem], class: &str) -> Names {
    let methods = items.iter().filter(|item| item.kind == ApiKind::Method && first(items, item.root()) == class);
    methods.filter_map(|item| Some(item.path.split_once(':')?.1.to_owned())).collect()
}

/// A script that lists the functions it finds, global or in tables.
const GLOBALS: &str = r#"
    function on_message(event)
        local names = {}
        for name, value in _G do
            if type(value) == "function" then
                table.insert(names, name)
            elseif type(value) == "table" then
                for field, inner in value do
                    if type(inner) == "function" then
                        table.insert(names, `{name}.{field}`)
                    end
                end
            end
        end
        event:reply(table.concat(names, "\n"))
    end
"#;

/// A script that receives a type and names, and lists which are methods of each object of that type.
const METHODS: &str = r#"
    local objects = {
        Bot = function(event) return { event.bot } end,
        Space = function(event) return { event.space } end,
        UserHandle = function(event) return { event.user, users.get("lobby/bob") } end,
        Member = function(event) return { event.member } end,
        MessageHandle = function(event)
            return { event.message, event:reply("sent"), event.message:react("x"):unreact("x") }
        end,
        Action = function(event)
            return { event.room:thread("aside"), event.message:thread("about it"), event.room:typing() }
        end,
        RoomHandle = function(event) return { event.room, rooms.get("lobby/other") } end,
        Event = function(event) return { event } end,
        Ranking = function() return { store.ranking("xp"), store.of(users.get("lobby/bob")).ranking("xp") } end,
        Reply = function() return { http.get("http://example.com/") } end,
    }
    function on_message(event)
        local names = event.text:split(" ")
        local class, lines = table.remove(names, 1), {}
        for _, object in objects[class](event) do
            local found = { "has" }
            for _, name in names do
                if type(object[name]) == "function" then
                    table.insert(found, name)
                end
            end
            table.insert(lines, table.concat(found, " "))
        end
        event:reply(table.concat(lines, "\n"))
    end
"#;

/// Returns the output of the script [`METHODS`].
fn probe(class: &str, methods: &str) -> String {
    let mut bench = Bench::new(METHODS);
    let user = UserId::from("lobby/alice");
    let member = Member { user, roles: Vec::new(), nickname: None, muted: false, permission: None };
    let event = Event { member: Some(Arc::new(member)), ..said(&format!("{class} {methods}")) };
    let input = bench.input(event);
    let step = match bench.vm.start(input) {
        Step::Waiting(_, _, suspended) => {
            let reply = Reply {
                status: 200,
                headers: Vec::new(),
                body: Vec::new(),
                is_body_omitted: false,
                url: String::new(),
                guard: ReplyGuard::default(),
            };
            bench.answer(suspended, Answer::Reply(Box::new(reply)))
        }
        step => step,
    };
    texts(&done(step)).pop().unwrap()
}

/// Returns what a test file finds: its globals, the methods of `t`, and the methods of a user.
fn found_by_a_test() -> serde_json::Value {
    let names: Vec<String> = defined(TESTING, "User").iter().map(|name| format!("\"{name}\"")).collect();
    let text = r#"
        test("tells", function(t)
            local told, alice = { globals = {}, Test = {}, TestUser = {} }, t:user("alice")
            for name in _G do
                table.insert(told.globals, name)
            end
            for name in getmetatable(t).__index do
                table.insert(told.Test, name)
            end
            for _, name in { NAMES } do
                if type(alice[name]) == "function" then
                    table.insert(told.TestUser, name)
                end
            end
            t:stored(told)
        end)
    "#;
    let ticker = Ticker::start().unwrap();
    let file = TestFile::load("list.test.luau", &text.replace("NAMES", &names.join(", ")), &ticker).unwrap();
    match file.begin(0) {
        (_, TestStep::Ask(question)) => question["key"].clone(),
        (_, step) => panic!("it tells nothing: {step:?}"),
    }
}

fn set(list: &serde_json::Value) -> Names {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Returns all functions given to scripts and tests, except Luau's own library.
fn given() -> Names {
    let in_tests = set(&found_by_a_test()["globals"]);
    let is_new = |path: &&str| path.split('.').next().is_some_and(|root| !in_tests.contains(root));
    let told = Bench::new(GLOBALS).replies("what is there?").pop().unwrap();
    let in_scripts = told.lines().filter(is_new).map(ToOwned::to_owned);
    // `test` is in test files and not in Luau's library.
    in_scripts.chain(in_tests.iter().filter(|name| *name == "test").cloned()).collect()
}

#[test]
fn every_function_that_the_host_gives_is_in_the_list_and_no_other() {
    let given = given();
    assert!(given.contains("store.of") && given.contains("sleep") && given.contains("test"), "{given:?}");
    assert_eq!(apart(&given, &paths(&api(), &[ApiKind::Function])), [""; 0]);
}

#[test]
fn every_method_that_the_prelude_defines_is_in_the_list_and_no_other() {
    let items = api();
    for (prelude, class, listed_as) in CLASSES {
        let methods = defined(prelude, class);
        assert!(!methods.is_empty(), "{class} has no methods in the prelude");
        assert_eq!(apart(&methods, &listed(&items, listed_as)), [""; 0], "{listed_as}");
    }
    let unknown = |item: &&ApiItem| !CLASSES.iter().any(|(.., class)| first(&items, item.root()) == *class);
    let methods = items.iter().filter(|item| item.kind == ApiKind::Method);
    assert_eq!(methods.filter(unknown).map(|item| item.path.as_str()).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn no_class_of_the_prelude_is_forgotten() {
    for prelude in [API, EVENTS, OBJECTS, REGISTER, TESTING, WEB] {
        let methods = prelude.lines().filter_map(|line| line.strip_prefix("function ")?.split_once(':'));
        for (class, rest) in methods.filter(|(class, _)| !class.contains('(')) {
            let is_known = CLASSES.iter().any(|(file, known, _)| *file == prelude && *known == class);
            assert!(is_known, "function {class}:{rest}");
        }
    }
}

#[test]
fn objects_have_the_methods_that_the_prelude_defines() {
    for (prelude, class, listed_as) in CLASSES.iter().filter(|(prelude, ..)| *prelude != TESTING) {
        let methods: Vec<String> = defined(prelude, class).into_iter().collect();
        let told = probe(listed_as, &methods.join(" "));
        for line in told.lines() {
            assert_eq!(line, format!("has {}", methods.join(" ")), "{class}");
        }
    }
    let told = found_by_a_test();
    assert_eq!(apart(&set(&told["Test"]), &defined(TESTING, "Test")), [""; 0]);
    assert_eq!(apart(&set(&told["TestUser"]), &defined(TESTING, "User")), [""; 0]);
}

#[test]
fn every_function_and_method_of_the_list_is_in_the_guide_and_no_other() {
    let items = api();
    let page = reference_markdown();
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let named = headings.filter_map(|line| line.trim_start_matches('#').strip_prefix(" `")?.strip_suffix('`'));
    let named: Names = named.map(ToOwned::to_owned).collect();
    let others = paths(&items, &[ApiKind::Type, ApiKind::Value]);
    let shown: Names = named.difference(&others).cloned().collect();
    assert_eq!(apart(&shown, &paths(&items, &[ApiKind::Function, ApiKind::Method])), [""; 0]);
    for item in items.iter().filter(|item| matches!(item.kind, ApiKind::Function | ApiKind::Method)) {
        assert!(page.contains(&format!("\n```luau\n{}\n```\n", item.signature())), "{}", item.signature());
    }
}

#[test]
fn every_field_of_every_event_is_typed() {
    let items = api();
    for name in EventName::ALL {
        let class = match items.iter().find(|item| item.kind == ApiKind::Hook && item.path == name.hook()) {
            Some(hook) => hook.parameters[0].type_text.clone(),
            // Events without a hook: CommandEvent, TimerEvent, …
            None => format!("{}{}Event", name.as_str()[..1].to_uppercase(), &name.as_str()[1..]),
        };
        for field in name.fields() {
            assert!(has_field(&items, &class, field), "{class} has no {field}, as {} events do", name.as_str());
        }
    }
}

#[test]
fn everything_that_a_platform_may_be_able_to_do_can_be_asked() {
    let items = api();
    let written = &items.iter().find(|item| item.path == "Capability").unwrap().returns;
    let named: Names = written.split('"').skip(1).step_by(2).map(ToOwned::to_owned).collect();
    let known = ActionKind::ALL
        .iter()
        .map(|kind| kind.as_str().to_owned())
        .chain(["buttons", "as", "poll", "whisper"].map(ToOwned::to_owned));
    assert_eq!(apart(&named, &known.collect()), [""; 0]);
}

#[test]
fn every_item_is_documented() {
    // Hooks are described in the list of events.
    let items = api();
    let silent = items.iter().filter(|item| item.kind != ApiKind::Hook && item.doc.is_empty());
    assert_eq!(silent.map(|item| item.path.as_str()).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn the_copy_of_the_types_in_scripts_is_up_to_date() {
    let copy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/palabre.d.luau");
    let is_same = std::fs::read_to_string(&copy).unwrap() == EDITOR_TYPES;
    assert!(is_same, "copy src/script/palabre.d.luau to scripts/");
}
