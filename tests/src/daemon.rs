//! The daemon as a separate process.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::rebuilt::assert_folder_rebuilt;

/// The maximum wait before a test fails.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Returns the path of the binary, and builds it if needed.
///
/// This is the file in `PALABRE_BINARY`, or our own, in the profile of the running test.
#[must_use]
pub fn palabre() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(binary) = std::env::var_os("PALABRE_BINARY") {
            return binary.into();
        }
        let test = std::env::current_exe().expect("a running test has a file");
        let own_folder = test.parent().expect("it lies in a folder");
        // Tests are in target/PROFILE/deps, the benchmarks in target/PROFILE.
        let folder = if own_folder.ends_with("deps") { own_folder.parent().expect("a profile") } else { own_folder };
        let binary = folder.join("palabre");
        if is_up_to_date(&binary) {
            return binary;
        }
        let mut build = std::process::Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "palabre"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        build.arg("--target-dir").arg(folder.parent().expect("a profile lies in a target folder"));
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo is there").success(), "palabre does not build");
        binary
    })
}

/// Whether the binary is newer than all of its sources.
///
/// `cargo test` at the root has built it already. Building it alone would rebuild half of its
/// dependencies with other features.
fn is_up_to_date(binary: &Path) -> bool {
    let Ok(built) = std::fs::metadata(binary).and_then(|file| file.modified()) else { return false };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the root");
    let made_of = ["src", "adapters", "Cargo.toml", "Cargo.lock"].map(|part| root.join(part));
    made_of.iter().all(|part| is_older(part, built))
}

fn is_older(path: &Path, built: std::time::SystemTime) -> bool {
    // Tests are not part of the binary.
    if path.ends_with("tests") {
        return true;
    }
    let entries = std::fs::read_dir(path).into_iter().flatten();
    let is_old = |path: &Path| std::fs::metadata(path).and_then(|file| file.modified()).is_ok_and(|time| time <= built);
    is_old(path) && entries.filter_map(Result::ok).all(|entry| is_older(&entry.path(), built))
}

/// A folder with a configuration and scripts, deleted when it is dropped.
#[derive(Debug)]
pub struct Project {
    folder: TempDir,
    /// Whether the journal describes every row of its store.
    is_rebuilt: bool,
}

/// At the end of each test, the journal has to describe every row of the store.
impl Drop for Project {
    fn drop(&mut self) {
        if self.is_rebuilt && !std::thread::panicking() {
            assert_folder_rebuilt(&self.path().join("data"));
        }
    }
}

impl Project {
    /// Creates a project with this bots.yaml and these scripts, by file name.
    #[must_use]
    pub fn new(bots: &str, scripts: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let project = Self { folder, is_rebuilt: true };
        std::fs::create_dir(project.path().join("scripts")).expect("a folder for scripts");
        std::fs::write(project.path().join("bots.yaml"), bots).expect("bots.yaml");
        for (name, text) in scripts {
            project.write_script(name, text);
        }
        project
    }

    /// Creates a project with the shipped configuration and all shipped scripts.
    #[must_use]
    pub fn shipped() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the root");
        let bots = std::fs::read_to_string(root.join("bots.yaml")).expect("bots.yaml ships");
        let project = Self::new(&bots, &[]);
        copy(&root.join("scripts"), &project.path().join("scripts"));
        project
    }

    /// Creates a project with this bots.yaml and some of the shipped scripts.
    #[must_use]
    pub fn with_shipped(bots: &str, scripts: &[&str]) -> Self {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the root").join("scripts");
        let project = Self::new(bots, &[]);
        let folder = project.path().join("scripts");
        // Single-file scripts share a folder with their texts.
        for script in scripts.iter().chain(&["locales"]) {
            if shipped.join(script).is_dir() {
                copy(&shipped.join(script), &folder.join(script));
            } else {
                let file = format!("{script}.luau");
                std::fs::copy(shipped.join(&file), folder.join(&file)).expect("a script that ships");
            }
        }
        project
    }

    /// Declares that the test writes rows of the store by itself.
    pub fn writes_rows(&mut self) {
        self.is_rebuilt = false;
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a script as an editor does: to a temporary file, which then replaces the old one.
    pub fn write_script(&self, name: &str, text: &str) {
        let path = self.path().join("scripts").join(name);
        let temporary = path.with_extension("tmp");
        std::fs::write(&temporary, text).expect("a script is written");
        std::fs::rename(&temporary, &path).expect("a script is put in place");
    }

    /// Runs `palabre` to its end. Returns the exit code, standard output and standard error.
    #[must_use]
    pub fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let output = std::process::Command::new(palabre())
            .args(args)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .output()
            .expect("palabre starts");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// Starts the daemon on a free port and waits until it prints its address.
    pub async fn start(&self) -> Daemon {
        self.start_with(&[]).await
    }

    /// Like [`Project::start`], with environment variables.
    pub async fn start_with(&self, variables: &[(&str, &str)]) -> Daemon {
        let mut command = Command::new(palabre());
        command.envs(variables.iter().copied());
        self.start_as(command).await
    }

    /// Like [`Project::start`], with a limit as `ulimit` takes it: `-n 256` for 256 open files.
    pub async fn start_within(&self, limit: &str) -> Daemon {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")]).arg(palabre());
        self.start_as(command).await
    }

    async fn start_as(&self, mut command: Command) -> Daemon {
        let log = std::fs::File::options().create(true).append(true).open(self.path().join("log")).expect("a log");
        let mut process = command
            .args(["run", "--listen", "127.0.0.1:0"])
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("palabre starts");
        let mut output = BufReader::new(process.stdout.take().expect("piped")).lines();
        let mut said = Vec::new();
        let mut address = None;
        loop {
            let line =
                tokio::time::timeout(WAIT_MAX, output.next_line()).await.expect("it says something").expect("a line");
            let Some(line) = line else { panic!("it ended: {}\n{}", said.join("\n"), self.log()) };
            let place = ["page     http://", "serves   http://"].iter().find_map(|place| line.split_once(place));
            if let Some((_, found)) = place {
                address = found.split_whitespace().next().map(ToOwned::to_owned);
            }
            let last = line.starts_with("Stop with");
            said.push(line);
            if last {
                break;
            }
        }
        let address = address.unwrap_or_else(|| panic!("no address: {}", said.join("\n")));
        Daemon { process, address, said: said.join("\n"), _output: output }
    }

    /// The log of all daemons of this project.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }
}

/// Copies a folder recursively.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder to copy") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("a copy");
        }
    }
}

/// A running daemon, killed when it is dropped.
#[derive(Debug)]
pub struct Daemon {
    process: Child,
    /// `127.0.0.1:PORT`.
    pub address: String,
    /// The output until it was up.
    pub said: String,
    // Kept open, so that the daemon does not write into a closed pipe.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Daemon {
    /// Kills it with SIGKILL.
    pub async fn kill(mut self) {
        self.process.kill().await.expect("it can be killed");
    }

    /// Sends SIGTERM and waits for the end. Returns whether the exit code was 0.
    pub async fn stop(mut self) -> bool {
        let pid = self.process.id().expect("it runs").to_string();
        assert!(Command::new("kill").arg(pid).status().await.expect("kill is there").success());
        tokio::time::timeout(WAIT_MAX, self.process.wait()).await.expect("it ends").expect("a status").success()
    }

    /// Returns the JSON response to a GET of `path`.
    pub async fn get(&self, path: &str) -> serde_json::Value {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut connection = tokio::net::TcpStream::connect(&self.address).await.expect("it listens");
        let request = format!("GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address);
        connection.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.expect("it answers");
        let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {answer}"))
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id().expect("it runs")
    }
}
