//! A PostgreSQL server on the loopback interface, with its own directory, that runs during the tests.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// The password of the server's user.
const PASSWORD: &str = "a secret";

/// A running server.
pub(crate) struct Server {
    child: Mutex<Option<Child>>,
    directory: PathBuf,
    pub(crate) port: u16,
}

static SHARED: OnceLock<Result<Server, String>> = OnceLock::new();

impl Server {
    /// Returns the server that the tests share, or the reason why there is none.
    pub(crate) fn shared() -> Result<&'static Server, String> {
        SHARED.get_or_init(Server::start).as_ref().map_err(Clone::clone)
    }

    /// Stops the shared server, if it was started.
    pub(crate) fn stop_shared() {
        if let Some(Ok(server)) = SHARED.get() {
            server.stop();
        }
    }

    /// Starts a server. An error says what is not installed.
    ///
    /// # Panics
    /// It panics where PostgreSQL is installed but does not start.
    pub(crate) fn start() -> Result<Server, String> {
        programs().ok_or("PostgreSQL is not installed")?;
        let user = user()?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let name = format!("perf-budget-postgres-{}-{port}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir(&directory).unwrap();
        if let Some((uid, gid)) = user {
            std::os::unix::fs::chown(&directory, Some(uid), Some(gid)).unwrap();
        }
        fs::write(directory.join("password"), PASSWORD).unwrap();
        let server = Server { child: Mutex::new(None), directory, port };
        let mut initdb = server.program("initdb");
        initdb.args(["-D", "data", "-U", "tester", "-A", "scram-sha-256", "--pwfile=password"]);
        let made = initdb.args(["-N", "-E", "UTF8", "--locale=C"]).output().unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        server.serve();
        Ok(server)
    }

    /// Starts the server with the data that it has.
    pub(crate) fn serve(&self) {
        let mut postgres = self.program("postgres");
        postgres.args(["-D", "data", "-h", "127.0.0.1", "-k", "", "-p", &self.port.to_string()]);
        let log = fs::File::create(self.directory.join("log")).unwrap();
        let child = postgres.args(["-F"]).stderr(log).stdout(Stdio::null()).spawn().unwrap();
        *self.child.lock().unwrap() = Some(child);
        self.wait();
    }

    /// Returns a program of PostgreSQL in the directory of the server, as the user that it runs as.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(programs().unwrap().join(name));
        command.current_dir(&self.directory).env_clear().env("PATH", "/usr/bin:/bin");
        if let Some((uid, gid)) = user().unwrap() {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn wait(&self) {
        let since = Instant::now();
        while let Err(e) = postgres::Client::connect(&self.url("postgres"), postgres::NoTls) {
            if since.elapsed() > Duration::from_secs(60) {
                let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
                self.stop();
                panic!("the server does not answer: {e}\n{log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Creates an empty database and returns its URL.
    pub(crate) fn database(&self, name: &str) -> String {
        let mut client = postgres::Client::connect(&self.url("postgres"), postgres::NoTls).unwrap();
        client.batch_execute(&format!("CREATE DATABASE \"{name}\"")).unwrap();
        self.url(name)
    }

    /// Returns the URL of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        let password = PASSWORD.replace(' ', "%20");
        format!("postgres://tester:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// Stops the server at once, and removes its data.
    pub(crate) fn stop(&self) {
        self.end();
        let _ = fs::remove_dir_all(&self.directory);
    }

    /// Ends the server at once (SIGQUIT ends all its processes), and waits until it has ended. Its data stay.
    pub(crate) fn end(&self) {
        let Some(mut child) = self.child.lock().unwrap().take() else { return };
        let _ = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status();
        let since = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if since.elapsed() > Duration::from_secs(20) {
                child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Returns the directory of `initdb` and `postgres`.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        places.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    places.into_iter().find(|place| ["initdb", "postgres"].iter().all(|p| place.join(p).is_file()))
}

/// Returns the user and group to run the server as, where it cannot be the present user. PostgreSQL refuses root, so
/// it is an error to be root where there is no user `postgres`.
fn user() -> Result<Option<(u32, u32)>, &'static str> {
    let number = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).stderr(Stdio::null()).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().ok()
    };
    if number(&["-u"]) != Some(0) {
        return Ok(None);
    }
    let postgres = number(&["-u", "postgres"]).zip(number(&["-g", "postgres"]));
    postgres.map(Some).ok_or("PostgreSQL refuses root, and there is no user `postgres`")
}
