//! A proxy before the emulator that does what an emulator leaves out: it plays an ECS deployment that takes its
//! time or fails, throttles, breaks down, answers slowly, refuses access; and it writes down every call.

mod call;
mod rollout;

use std::io::BufReader;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

pub use call::Call;
pub use rollout::{Ending, Plan};

use crate::http::{self, Message};
use crate::{Doing, Result};

/// What goes wrong with calls of one operation.
#[derive(Clone, Debug)]
pub struct Fault {
    /// `DescribeServices`, or `*` for each operation.
    pub operation: &'static str,
    /// How many calls it befalls.
    pub times: usize,
    pub kind: FaultKind,
}

#[derive(Clone, Debug)]
pub enum FaultKind {
    Throttled,
    ServerError,
    AccessDenied,
    Slow(Duration),
    /// The connection closes without an answer.
    Dropped,
}

/// A running proxy. It ends with the process.
#[derive(Clone)]
pub struct Proxy {
    pub port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    faults: Vec<Fault>,
    rollouts: rollout::Rollouts,
}

impl Proxy {
    /// Listens on a free port and passes on to the emulator on port `upstream`.
    pub fn start(upstream: u16) -> Result<Proxy> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).doing("starting the proxy")?;
        let port = listener.local_addr().doing("starting the proxy")?.port();
        let proxy = Proxy { port, state: Arc::default() };
        let served = proxy.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = served.clone();
                std::thread::spawn(move || served.serve(stream, upstream));
            }
        });
        Ok(proxy)
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How the deployments that begin from now on go.
    pub fn plan(&self, plan: Plan) {
        self.state().rollouts.plan = plan;
    }

    pub fn fault(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// What has been called since the last time this was asked.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn serve(&self, stream: TcpStream, upstream: u16) {
        let Ok(mut writer) = stream.try_clone() else { return };
        let _ = writer.set_nodelay(true);
        let mut reader = BufReader::new(stream);
        while let Ok(Some(request)) = Message::read(&mut reader) {
            let Some(response) = self.answer(&request, upstream) else { return };
            if response.write(&mut writer, true).is_err() {
                return;
            }
        }
    }

    /// `None` closes the connection.
    fn answer(&self, request: &Message, upstream: u16) -> Option<Message> {
        let call = Call::of(request);
        let fault = {
            let mut state = self.state();
            state.calls.push(call.clone());
            state.fault(&call.operation)
        };
        match fault {
            None => {}
            Some(FaultKind::Slow(time)) => std::thread::sleep(time),
            Some(FaultKind::Dropped) => return None,
            Some(FaultKind::Throttled) => {
                return Some(call.error(400, "ThrottlingException", "Rate exceeded"));
            }
            Some(FaultKind::ServerError) => {
                return Some(call.error(500, "InternalFailure", "The request failed for an unknown reason"));
            }
            Some(FaultKind::AccessDenied) => {
                let who = "arn:aws:sts::123456789012:assumed-role/deployer/ci";
                let message = format!(
                    "User: {who} is not authorized to perform: {}:{} because no identity-based policy allows the action",
                    call.service, call.operation
                );
                return Some(call.error(400, "AccessDeniedException", &message));
            }
        }
        let mut response = match http::ask(upstream, request) {
            Ok(response) => response,
            Err(error) => return Some(call.error(503, "ServiceUnavailable", &error.to_string())),
        };
        if call.service == "ecs" && response.status() == 200 {
            self.state().rollouts.play(&call, &mut response);
        }
        Some(response)
    }
}

impl State {
    fn fault(&mut self, operation: &str) -> Option<FaultKind> {
        let fault = self
            .faults
            .iter_mut()
            .find(|fault| fault.times > 0 && (fault.operation == operation || fault.operation == "*"))?;
        fault.times -= 1;
        Some(fault.kind.clone())
    }
}
