//! `palabre chat`: runs the scripts on a simulated platform, with the terminal as its client.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use palabre_engine::{Engine, Options};
use palabre_platform::{Adapter, SystemClock, SystemEntropy};
use palabre_sim::{Line, Person, SendFailure, Sim};
use palabre_store::Store;
use rustyline::error::ReadlineError;
use rustyline::{DefaultEditor, ExternalPrinter};
use tokio::sync::mpsc;

use crate::config::Config;
use crate::problem::Problem;
use crate::{assemble, output};

/// The help for the commands of the terminal.
const HELP: &str = "\
:as NAME       speak as another user
:in ROOM       go to another room
:who           show all users so far, and the current user and room
/1, /2, …      press that button of the last message with buttons
:choose VALUE  choose from the last list (several values separated by spaces)
:fill A=B …    fill in the last form
:quit          quit (or press Ctrl-D)
Any other text is sent as a message; /help shows the commands of the scripts.";

/// The arguments of `palabre chat`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Your name; several names, separated by commas, for a chat with several users.
    #[arg(long = "as", default_value = "you", value_name = "NAME")]
    name: String,
    /// Room to start in.
    #[arg(long, default_value = "general")]
    room: String,
}

pub(crate) async fn chat(config: Config, args: &Args) -> Result<(), Problem> {
    let Args { name: names, room } = args;
    let people: Vec<String> =
        names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    let name = people.first().cloned().ok_or_else(|| Problem::Other("--as needs a name".to_owned()))?;
    let sim = Sim::new("chat");
    let entropy =
        SystemEntropy::new().map_err(|error| Problem::Other(format!("cannot get random numbers: {error}")))?;
    let mut scripts = assemble::scripts(&config)?;
    for script in &mut scripts {
        // There is one bot here, and it runs all scripts.
        script.bots = None;
    }
    let scripts_by_name: Vec<_> = scripts.iter().map(|script| script.name.to_string()).collect();
    let engine = Engine::start(Options {
        store: Store::in_memory()?,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(entropy),
        bots: vec![(sim.bot(), Arc::clone(&sim) as Arc<dyn Adapter>)],
        scripts,
        workers: assemble::workers(),
        journal_retention: Duration::from_secs(86_400),
        settings: [(sim.bot().name, assemble::first_bot(Some(&config)))].into(),
        operators: palabre_engine::Operators::default(),
        http: Arc::new(palabre_engine::Web::default()),
    })
    .await?;
    for script in engine.status().scripts {
        if let Some(error) = script.last_error {
            output::error(&format!("{}: {error}", script.name));
        }
    }
    let interactive = std::io::stdin().is_terminal();
    if interactive {
        output::line(&format!(
            "You are {name} in {room}, with {}. Type :help for help, and Ctrl-D to quit.",
            scripts_by_name.join(", ")
        ));
    }
    let prompt = Arc::new(Mutex::new(format!("{name}@{room}: ")));
    let (lines, mut input, printer) = read_lines(&prompt, interactive)?;
    let mut talk = Talk { person: sim.person(&name, room), people, prompt };
    let mut shown = Shown { room: room.clone(), name, lines: Vec::new(), printer };
    let mut changes = sim.heard();
    loop {
        tokio::select! {
            line = input.recv() => match line {
                Some(line) if line.trim() == ":quit" => break,
                Some(line) => {
                    if let Some(text) = talk.handle(&sim, &line).await? {
                        print(&mut shown.printer, &text);
                    }
                    engine.when_idle().await;
                    (shown.room, shown.name) = (talk.person.room().to_owned(), talk.person.name().to_owned());
                    shown.update(&sim);
                    // Read the next line once the answers to this one are shown.
                    let _asked = lines.send(());
                }
                None => break,
            },
            _ = changes.changed() => shown.update(&sim),
        }
    }
    engine.shutdown().await;
    Ok(())
}

/// The current user and room, and all users so far.
struct Talk {
    person: Person,
    people: Vec<String>,
    prompt: Arc<Mutex<String>>,
}

impl Talk {
    /// Handles a line of input. Returns the text to print, if any.
    async fn handle(&mut self, sim: &Arc<Sim>, line: &str) -> Result<Option<String>, Problem> {
        let failed = |error: palabre_platform::EmitError| Problem::Other(error.to_string());
        let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let rest = rest.trim();
        match word {
            ":help" => return Ok(Some(HELP.to_owned())),
            ":as" if !rest.is_empty() => {
                self.turn_to(sim.person(rest, self.person.room()));
                return Ok(None);
            }
            ":in" if !rest.is_empty() => {
                self.turn_to(self.person.clone().in_room(rest));
                return Ok(None);
            }
            ":who" => {
                return Ok(Some(format!(
                    "{}; you are {} in {}",
                    self.people.join(", "),
                    self.person.name(),
                    self.person.room()
                )));
            }
            ":choose" => {
                let last = self.person.sees().into_iter().rev().find_map(|line| Some((line.select?, line.id)));
                let Some((select, id)) = last else { return Ok(Some("there is no list to choose from".to_owned())) };
                let values: Vec<_> = rest.split_whitespace().collect();
                self.person.chooses(&select.action, &id, &values).await.map_err(failed)?;
                return Ok(None);
            }
            ":fill" => {
                let last = self.person.sees().into_iter().rev().find_map(|line| line.form);
                let Some(form) = last else { return Ok(Some("there is no form to fill in".to_owned())) };
                let values: serde_json::Map<_, _> = rest
                    .split_whitespace()
                    .filter_map(|pair| pair.split_once('='))
                    .map(|(name, value)| (name.to_owned(), value.into()))
                    .collect();
                self.person.submits(&form.action, values.into()).await.map_err(failed)?;
                return Ok(None);
            }
            _ if word.starts_with(':') => return Ok(Some(format!("unknown command {word}; type :help for help"))),
            _ => {}
        }
        let number = line.strip_prefix('/').and_then(|rest| rest.parse::<usize>().ok());
        let last = self.person.sees().into_iter().rev().find(|line| !line.buttons.is_empty());
        if let (Some(number), Some(last)) = (number, last)
            && let Some(button) = number.checked_sub(1).and_then(|index| last.buttons.get(index))
        {
            self.person.presses(&button.action, &last.id).await.map_err(failed)?;
            return Ok(None);
        }
        match self.person.says(line).await {
            Ok(_) => Ok(None),
            Err(SendFailure::NotTaken(error)) => Err(failed(error)),
            Err(refused) => Ok(Some(format!("  (not sent: {refused})"))),
        }
    }

    fn turn_to(&mut self, person: Person) {
        if !self.people.iter().any(|name| name == person.name()) {
            self.people.push(person.name().to_owned());
        }
        *self.prompt.lock().unwrap_or_else(PoisonError::into_inner) = format!("{}@{}: ", person.name(), person.room());
        self.person = person;
    }
}

/// The state of the transcript as printed so far.
struct Shown {
    room: String,
    name: String,
    lines: Vec<Line>,
    printer: Option<Box<dyn ExternalPrinter + Send>>,
}

impl Shown {
    /// Prints new messages of others and changes of earlier messages.
    fn update(&mut self, sim: &Sim) {
        let now = sim.transcript().lines().to_vec();
        for (index, line) in now.iter().enumerate() {
            let is_seen = line.is_seen_by(&self.name, &self.room) || (line.room == self.room && line.to.is_none());
            match self.lines.get(index) {
                _ if !is_seen => {}
                Some(before) if before == line => {}
                Some(_) if line.deleted => print(&mut self.printer, &format!("  (removed: {})", line.text)),
                Some(before) if before.reactions != line.reactions => {
                    let emoji: Vec<_> = line.reactions.iter().map(|(emoji, _)| emoji.as_str()).collect();
                    print(&mut self.printer, &format!("  ({} on: {})", emoji.join(" "), line.text));
                }
                Some(_) => print(&mut self.printer, &line.to_string()),
                None if line.author == self.name => {}
                None => print(&mut self.printer, &describe(line)),
            }
        }
        self.lines = now;
    }
}

fn describe(line: &Line) -> String {
    let buttons = line.buttons.iter().zip(1..).map(|(button, number)| format!(" [/{number} {}]", button.label));
    let values = line.select.iter().flat_map(|select| &select.options);
    let values = values.map(|option| format!("\n  :choose {}  {}", option.value, option.label));
    let fields = line.form.iter().flat_map(|form| &form.fields);
    let fields = fields.map(|field| format!("\n  :fill {}=…  {}", field.name, field.label));
    let plain = Line { buttons: Vec::new(), select: None, ..line.clone() };
    format!("{plain}{}{}{}", buttons.collect::<String>(), values.collect::<String>(), fields.collect::<String>())
}

fn print(printer: &mut Option<Box<dyn ExternalPrinter + Send>>, text: &str) {
    let printed = printer.as_mut().is_some_and(|printer| printer.print(format!("{text}\n")).is_ok());
    if !printed {
        output::line(text);
    }
}

type Reader = (std::sync::mpsc::Sender<()>, mpsc::UnboundedReceiver<String>, Option<Box<dyn ExternalPrinter + Send>>);

/// Reads lines on a thread of its own, with editing and history on a terminal.
fn read_lines(prompt: &Arc<Mutex<String>>, interactive: bool) -> Result<Reader, Problem> {
    let (sender, input) = mpsc::unbounded_channel();
    let (go_on, next) = std::sync::mpsc::channel();
    let failed = |error: ReadlineError| Problem::Other(format!("cannot read from the terminal: {error}"));
    let mut editor = DefaultEditor::new().map_err(failed)?;
    let history = history_file();
    if let Some(history) = history.as_ref().filter(|_| interactive) {
        // The file does not exist the first time.
        drop(editor.load_history(history));
    }
    let printer: Option<Box<dyn ExternalPrinter + Send>> = if interactive {
        editor.create_external_printer().ok().map(|printer| Box::new(printer) as Box<dyn ExternalPrinter + Send>)
    } else {
        None
    };
    let prompt = Arc::clone(prompt);
    let ask = move |editor: &mut DefaultEditor| {
        let prompt = prompt.lock().unwrap_or_else(PoisonError::into_inner).clone();
        editor.readline(if interactive { &prompt } else { "" })
    };
    let read = move || {
        loop {
            let line = match ask(&mut editor) {
                Ok(line) => line,
                // Skip an invalid line; the next one may be valid.
                Err(ReadlineError::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                    output::line("(ignored a line that is not UTF-8)");
                    continue;
                }
                Err(_) => break,
            };
            if line.trim().is_empty() {
                continue;
            }
            if interactive {
                drop(editor.add_history_entry(&line));
            }
            if sender.send(line).is_err() || next.recv().is_err() {
                break;
            }
        }
        if let Some(history) = history.filter(|_| interactive) {
            drop(editor.save_history(&history));
        }
    };
    std::thread::Builder::new()
        .name("terminal".to_owned())
        .spawn(read)
        .map_err(|error| Problem::Other(format!("cannot start a thread: {error}")))?;
    Ok((go_on, input, printer))
}

fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let folder = state.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")))?.join("palabre");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("chat-history"))
}
