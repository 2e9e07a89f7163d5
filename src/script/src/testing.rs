//! Test files: each test is a coroutine that yields requests to the test environment.
//!
//! The caller performs the requests and resumes the test with the results.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use mlua::{Function, Lua, LuaString, Thread, Value as LuaValue, VmState};
use serde_json::Value;

use crate::bom::without_bom;
use crate::fault::without_addresses;
use crate::limits::VALUE_BYTES;
use crate::value;
use crate::watch::{Ticker, Watch};

const PRELUDE: &str = include_str!("prelude/testing.luau");
/// The CPU_BUDGET budget of a test between two requests.
const CPU_BUDGET: Duration = Duration::from_secs(2);

/// The memory limit of a test file, in bytes.
const MEMORY_BYTES: usize = 128 << 20;

/// One test of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct TestCase {
    /// Its name.
    pub name: String,
    /// The line of its declaration.
    pub line: usize,
    /// The options: config, grants.
    pub options: Value,
}

/// The state of a test after it ran for a while.
#[derive(Debug)]
pub enum TestStep {
    /// A request to the test environment.
    Ask(Value),
    /// The test has passed.
    Passed,
    /// The test has failed.
    Failed(TestFailure),
}

/// The reason why a test failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFailure {
    /// The message, with file and line.
    pub message: String,
}

/// A loaded test file.
pub struct TestFile {
    lua: Lua,
    cases: Vec<(TestCase, Function)>,
    ticker: Ticker,
    watch: Arc<Watch>,
    look: Rc<RefCell<Option<Box<ReadField>>>>,
}

/// Reads a field of a user, given the user's name and the field's.
pub type ReadField = dyn Fn(&str, &str) -> Result<Value, String>;

/// A test in progress.
pub struct RunningTest {
    thread: Thread,
}

impl TestFile {
    /// Loads a test file. `name` names it in errors.
    ///
    /// # Errors
    /// Returns the problem, with file and line.
    pub fn load(name: &str, text: &str, ticker: &Ticker) -> Result<Self, TestFailure> {
        let lua = Lua::new();
        let watch = ticker.watch(CPU_BUDGET);
        let mut file = Self { lua, cases: Vec::new(), ticker: ticker.clone(), watch, look: Rc::default() };
        let cases = file.declared(name, text).map_err(|error| failure(&error))?;
        file.cases = cases;
        Ok(file)
    }

    fn declared(&self, name: &str, text: &str) -> mlua::Result<Vec<(TestCase, Function)>> {
        let lua = &self.lua;
        let cases = Rc::new(RefCell::new(Vec::new()));
        let declare = {
            let cases = Rc::clone(&cases);
            lua.create_function(move |lua, (name, options, f): (LuaString, LuaValue, Function)| {
                let options = value::from_lua(&options, VALUE_BYTES).map_err(mlua::Error::runtime)?;
                // The line of the call of `test`.
                let line = lua.inspect_stack(2, |debug| debug.current_line()).flatten().unwrap_or(0);
                cases.borrow_mut().push((TestCase { name: name.to_string_lossy(), line, options }, f));
                Ok(())
            })?
        };
        let looking = Rc::clone(&self.look);
        let look = lua.create_function(move |lua, (user, field): (String, String)| {
            let looked = looking.borrow().as_ref().map_or(Ok(Value::Null), |look| look(&user, &field));
            Ok(match looked {
                Ok(value) => (value::to_lua(lua, &value)?, None),
                Err(problem) => (LuaValue::Nil, Some(problem)),
            })
        })?;
        let raw_yield: Function = lua.globals().get::<mlua::Table>("coroutine")?.get("yield")?;
        lua.load(PRELUDE).set_name("=[palabre]").call::<()>((raw_yield, look, declare))?;
        lua.sandbox(true)?;
        lua.set_memory_limit(MEMORY_BYTES)?;
        let watch = Arc::clone(&self.watch);
        lua.set_interrupt(move |_| {
            if watch.is_expired() {
                Err(mlua::Error::runtime("the test computed for more than 2 s without asking for anything"))
            } else {
                Ok(VmState::Continue)
            }
        });
        let armed = self.ticker.arm(&self.watch);
        let main = lua.load(without_bom(text)).set_name(format!("={name}")).into_function()?;
        let outcome = lua.create_thread(main)?.resume::<LuaValue>(());
        drop(armed);
        outcome?;
        Ok(cases.take())
    }

    /// Sets the function that reads fields of users.
    pub fn read_fields_with(&self, look: Box<ReadField>) {
        *self.look.borrow_mut() = Some(look);
    }

    /// Returns the tests, in the order of the file.
    pub fn cases(&self) -> impl Iterator<Item = &TestCase> {
        self.cases.iter().map(|(case, _)| case)
    }

    /// Starts a test by index.
    pub fn begin(&self, index: usize) -> (Option<RunningTest>, TestStep) {
        let Some((_, f)) = self.cases.get(index) else {
            let message = "there is no such test".to_owned();
            return (None, TestStep::Failed(TestFailure { message }));
        };
        match self.lua.create_thread(f.clone()) {
            Ok(thread) => {
                let test = RunningTest { thread };
                let step = self.run_step(&test, (LuaValue::Nil, None));
                (Some(test), step)
            }
            Err(error) => (None, TestStep::Failed(failure(&error))),
        }
    }

    /// Resumes a test with the result of its last request: a value, or an error to raise.
    pub fn resume(&self, test: &RunningTest, answer: Result<Value, String>) -> TestStep {
        match answer {
            Ok(value) => match value::to_lua(&self.lua, &value) {
                Ok(value) => self.run_step(test, (value, None)),
                Err(error) => TestStep::Failed(failure(&error)),
            },
            Err(problem) => self.run_step(test, (LuaValue::Nil, Some(problem))),
        }
    }

    fn run_step(&self, test: &RunningTest, answer: (LuaValue, Option<String>)) -> TestStep {
        let armed = self.ticker.arm(&self.watch);
        let outcome = test.thread.resume::<LuaValue>(answer);
        drop(armed);
        match outcome {
            Err(error) => TestStep::Failed(failure(&error)),
            Ok(_) if test.thread.is_finished() => TestStep::Passed,
            Ok(question) => match value::from_lua(&question, VALUE_BYTES) {
                Ok(question) => TestStep::Ask(question),
                Err(message) => TestStep::Failed(TestFailure { message }),
            },
        }
    }
}

fn failure(error: &mlua::Error) -> TestFailure {
    let text = match error {
        mlua::Error::CallbackError { cause, .. } => cause.to_string(),
        mlua::Error::SyntaxError { message, .. } => message.clone(),
        other => other.to_string(),
    };
    // The traceback names functions of the prelude; the first line has the position in the test.
    let message = text.split("\nstack traceback:").next().unwrap_or_default();
    TestFailure { message: without_addresses(message.trim_start_matches("runtime error: ")) }
}
